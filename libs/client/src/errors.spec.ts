import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import { ERRORS, isErrorName, KafkaError } from '@rivulet/protocol'
import kafkajs from 'kafkajs'
import * as client from './index.js'
import { toCreateTopicError, toKafkaJSError } from './errors.js'

const protocol: unknown = createRequire(import.meta.url)('kafkajs/src/protocol/error')

interface Code {
  type: string
  code: number
  retriable: boolean
}

const isCode = (entry: unknown): entry is Code =>
  typeof entry === 'object' && entry !== null && 'type' in entry && 'code' in entry && 'retriable' in entry

/** kafkajs's own table of the protocol's errors. */
const kafkajsCodes = (): Code[] => {
  const table: unknown = Reflect.get(Object(protocol), 'errorCodes')
  const entries: unknown[] = Array.isArray(table) ? table : []
  return entries.filter(isCode).map(({ type, code, retriable }) => ({ type, code, retriable }))
}

const isClass = (value: unknown): value is new (...args: unknown[]) => unknown => typeof value === 'function'

const protocolError = (): Error => Object.assign(new Error('no'), { type: 'NOT_CONTROLLER', code: 41, retriable: true })

/** What a program can see of an error. */
const seen = (error: Error): object => ({
  ...Object.fromEntries(Object.entries(error)),
  name: error.name,
  message: error.message,
  cause: error.cause instanceof Error ? error.cause.message : error.cause,
  isError: error instanceof Error,
  isKafkaJSError: error instanceof client.KafkaJSError || error instanceof kafkajs.KafkaJSError,
  isNonRetriable: error instanceof client.KafkaJSNonRetriableError || error instanceof kafkajs.KafkaJSNonRetriableError,
})

const ARGUMENTS: Record<string, () => unknown[]> = {
  KafkaJSError: () => ['text', { retriable: false, cause: new Error('why') }],
  KafkaJSNonRetriableError: () => [new Error('text'), { cause: new Error('why') }],
  KafkaJSProtocolError: () => [protocolError()],
  KafkaJSOffsetOutOfRange: () => [protocolError(), { topic: 'orders', partition: 3 }],
  KafkaJSMemberIdRequired: () => [protocolError(), { memberId: 'm' }],
  KafkaJSNumberOfRetriesExceeded: () => [new Error('text'), { retryCount: 5, retryTime: 300 }],
  KafkaJSConnectionError: () => ['text', { broker: 'a:1', code: 'ECONNREFUSED' }],
  KafkaJSConnectionClosedError: () => ['text', { host: 'a', port: 1 }],
  KafkaJSRequestTimeoutError: () => [
    'text',
    { broker: 'a:1', correlationId: 1, createdAt: 2, sentAt: 3, pendingDuration: 4 },
  ],
  KafkaJSTopicMetadataNotLoaded: () => ['text', { topic: 'orders' }],
  KafkaJSStaleTopicMetadataAssignment: () => ['text', { topic: 'orders', unknownPartitions: [] }],
  KafkaJSDeleteGroupsError: () => ['text', [{ groupId: 'g' }]],
  KafkaJSServerDoesNotSupportApiKey: () => ['text', { apiKey: 1, apiName: 'Fetch' }],
  KafkaJSDeleteTopicRecordsError: () => [
    { topic: 'orders', partitions: [{ partition: 0, offset: '1', error: { retriable: true } }] },
  ],
  KafkaJSCreateTopicError: () => [protocolError(), 'orders'],
  KafkaJSAlterPartitionReassignmentsError: () => [protocolError(), 'orders', 1],
  KafkaJSAggregateError: () => ['text', [new Error('one')]],
}

const errorClasses = Object.entries(kafkajs).filter(([name]) => name.startsWith('KafkaJS'))

describe('the error classes', () => {
  it('are all of those of kafkajs', () => {
    expect(errorClasses.length).toBeGreaterThan(30)
    expect(Object.keys(client)).toEqual(expect.arrayContaining(errorClasses.map(([name]) => name)))
  })

  const comparable = errorClasses.map(([name]) => name).filter((name) => name !== 'KafkaJSInvariantViolation')
  it.each(comparable)('%s shows the fields that the one of kafkajs shows', (name) => {
    const make = (module: object): Error => {
      const errorClass: unknown = Reflect.get(module, name)
      const created = isClass(errorClass) ? new errorClass(...(ARGUMENTS[name]?.() ?? ['text'])) : errorClass
      if (!(created instanceof Error)) throw new TypeError(`${name} is no error`)
      return created
    }
    expect(seen(make(client))).toEqual(seen(make(kafkajs)))
  })

  it('show by instanceof what they are', () => {
    const error = new client.KafkaJSLockTimeout('late')
    expect(error).toBeInstanceOf(client.KafkaJSTimeout)
    expect(error).toBeInstanceOf(client.KafkaJSNonRetriableError)
    expect(error).toBeInstanceOf(client.KafkaJSError)
  })
})

describe('toKafkaJSError', () => {
  const names = Object.keys(ERRORS).filter(isErrorName)

  it('gives every protocol error the type, code and retriability that kafkajs gives it', () => {
    const ours = names
      .map((name) => toCreateTopicError(new KafkaError(name), 'orders'))
      .map(({ type, code, retriable }) => ({ type, code, retriable }))
    expect(kafkajsCodes().length).toBeGreaterThan(80)
    expect(ours).toEqual(expect.arrayContaining(kafkajsCodes()))
  })

  it('keeps the message, the retriability and the original as the cause', () => {
    // kafkajs takes every failed connection for one that may succeed later
    for (const name of names.filter((one) => one !== 'BROKER_NOT_AVAILABLE')) {
      const original = new KafkaError(name, `${name} on orders-3`)
      const error = toKafkaJSError(original, { topic: 'orders', partition: 3 })
      expect(error.message).toBe(`${name} on orders-3`)
      expect(error.cause).toBe(original)
      expect([name, error.retriable]).toEqual([name, original.retriable])
    }
  })

  it('names topic and partition of an offset out of range', () => {
    const error = toKafkaJSError(new KafkaError('OFFSET_OUT_OF_RANGE'), { topic: 'orders', partition: 3 })
    expect(error).toBeInstanceOf(client.KafkaJSOffsetOutOfRange)
    expect(error).toMatchObject({
      topic: 'orders',
      partition: 3,
      type: 'OFFSET_OUT_OF_RANGE',
      code: 1,
      retriable: false,
    })
  })

  it("gives a lost connection the system's code", () => {
    const system = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const error = toKafkaJSError(new KafkaError('NETWORK_EXCEPTION', 'gone', { cause: system, broker: 'a:1' }))
    expect(error).toBeInstanceOf(client.KafkaJSConnectionError)
    expect(error).toMatchObject({ code: 'ECONNREFUSED', broker: 'a:1', retriable: true })
  })

  it('passes errors of kafkajs through', () => {
    const error = new client.KafkaJSTimeout('late')
    expect(toKafkaJSError(error)).toBe(error)
  })

  it('takes errors of programming for final and others for retriable', () => {
    expect(toKafkaJSError(new TypeError('x is not a function')).retriable).toBe(false)
    expect(toKafkaJSError(new Error('who knows')).retriable).toBe(true)
    expect(toKafkaJSError('who knows').message).toBe('who knows')
  })
})
