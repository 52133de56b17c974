import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testRedisUrl, uniqueNamespace } from '@rivulet/testing'
import fc from 'fast-check'

import { call, fault, outcomeOf } from '../../spec-support/hostile.js'
import { Kafka, logLevel } from '../index.js'

const base = {
  brokers: [testRedisUrl()],
  namespace: uniqueNamespace('hostile'),
  logLevel: logLevel.NOTHING,
  retry: { retries: 0, initialRetryTime: 1 },
}
const kafka: Kafka = new Kafka(base)
const producer = kafka.producer({ maxBlockMs: 3000, deliveryTimeoutMs: 3000 })
const consumer = kafka.consumer()
const admin = kafka.admin()
const TOPIC = 'topic'

beforeAll(async () => {
  await Promise.all([producer.connect(), consumer.connect(), admin.connect()])
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] })
})
afterAll(async () => {
  await admin.deleteTopics({ topics: await admin.listTopics() })
  await Promise.all([producer.disconnect(), consumer.disconnect(), admin.disconnect()])
})

const bare: unknown = Object.create(null)
const thenable: unknown = JSON.parse('{ "then": 1 }')

/** What programs in JavaScript pass by mistake; no conversion to a text or a number is safe with the last ones. */
const WEIRD: readonly unknown[] = [
  ...[null, undefined, 0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, 10n, true, '', ' ', 'abc', '__proto__'],
  ...[[], [null], [[]], [{}], {}, new Date(0), new Date(NaN), new Map(), new Set([1]), /x/, Promise.resolve(1)],
  ...[Symbol('s'), () => 1, Buffer.from('x'), new Uint8Array(2), new Error('x')],
  ...[{ toString: 1, valueOf: 1 }, bare, [bare], { length: 5 }, thenable],
]

/** Every weird value, then any JSON: each gives success or an error of this client. Returns what does not. */
async function faultsOf(use: (value: unknown) => unknown): Promise<string[]> {
  const faults: string[] = []
  const attempt = async (value: unknown): Promise<void> => {
    const found = fault(await outcomeOf(() => use(value)))
    if (found !== null) faults.push(`${describeValue(value)} → ${found}`)
  }
  for (const value of WEIRD) await attempt(value)
  await fc.assert(fc.asyncProperty(fc.jsonValue(), attempt), { numRuns: 15 })
  return faults
}

function describeValue(value: unknown): string {
  return Object.prototype.toString.call(value) + (typeof value === 'string' ? JSON.stringify(value) : '')
}

const construct = (config: unknown): unknown => Reflect.construct(Kafka, [config])

describe('any value as any option gives a client, or an error of this client', () => {
  it('of new Kafka', async () => {
    expect(await faultsOf(construct)).toEqual([])
    for (const name of ['brokers', 'redis', 'namespace', 'shards', 'clientId', 'ssl', 'sasl', 'connectionTimeout']) {
      expect([name, await faultsOf((value) => construct({ ...base, [name]: value }))]).toEqual([name, []])
    }
    for (const name of ['requestTimeout', 'retry', 'logLevel', 'logCreator', 'socketFactory']) {
      const use = (value: unknown): unknown =>
        typeof value === 'function' ? undefined : construct({ ...base, [name]: value })
      expect([name, await faultsOf(use)]).toEqual([name, []])
    }
  })

  it('of producers, consumers and admins', async () => {
    const options = {
      producer: ['createPartitioner', 'retry', 'metadataMaxAge', 'allowAutoTopicCreation', 'idempotent', 'lingerMs'],
      consumer: ['groupId', 'retry', 'sessionTimeout', 'heartbeatInterval', 'maxBytes', 'autoOffsetReset', 'rackId'],
      admin: ['retry'],
    }
    for (const [method, names] of Object.entries(options)) {
      expect([method, await faultsOf((value) => call(kafka, method, value))]).toEqual([method, []])
      for (const name of names) {
        expect([name, await faultsOf((value) => call(kafka, method, { [name]: value }))]).toEqual([name, []])
      }
    }
  })

  it('and the error names the option and shows the value', async () => {
    for (const [method, name, value, shown] of [
      ['producer', 'lingerMs', 'soon', '"soon"'],
      ['producer', 'batchSize', 0, '0'],
      ['consumer', 'maxBytes', 1.5, '1.5'],
      ['admin', 'retry', [], 'an array of 0'],
    ] as const) {
      expect(await outcomeOf(() => call(kafka, method, { [name]: value }))).toMatchObject({
        name: 'KafkaJSNonRetriableError',
        message: expect.stringMatching(new RegExp(`^${name} must .*not ${shown}`)),
      })
    }
    expect(await outcomeOf(() => call(kafka, 'admin', { retry: { retries: 'often' } }))).toMatchObject({
      message: expect.stringMatching(/^retry\.retries must .*"often"/),
    })
  })
})

describe('any value as an argument of a producer is sent, or refused by an error of this client', () => {
  const record = { topic: TOPIC, messages: [{ value: 'x' }] }
  const send = (changes: object): Promise<unknown> => call(producer, 'send', { ...record, ...changes })

  it('as the whole argument, or a part of it', async () => {
    expect(await faultsOf((value) => call(producer, 'send', value))).toEqual([])
    expect(await faultsOf((value) => call(producer, 'sendBatch', value))).toEqual([])
    expect(await faultsOf((value) => call(producer, 'sendBatch', { topicMessages: value }))).toEqual([])
    expect(await faultsOf((value) => call(producer, 'sendBatch', { topicMessages: [record, value] }))).toEqual([])
    for (const field of ['topic', 'messages', 'acks', 'timeout', 'compression']) {
      const use = (value: unknown): unknown =>
        // A text is a topic that may be made: not a mistake.
        field === 'topic' && typeof value === 'string' ? undefined : send({ [field]: value })
      expect([field, await faultsOf(use)]).toEqual([field, []])
    }
  })

  it('as a message, alone or after another, or a part of it', async () => {
    for (const before of [[], [{ value: 'first' }]]) {
      expect(await faultsOf((value) => send({ messages: [...before, value] }))).toEqual([])
      for (const field of ['key', 'value', 'headers', 'timestamp', 'partition']) {
        const use = (value: unknown): unknown => send({ messages: [...before, { value: 'x', [field]: value }] })
        expect([field, await faultsOf(use)]).toEqual([field, []])
      }
    }
    expect(await faultsOf((h) => send({ messages: [{ value: 'x', headers: { h } }] }))).toEqual([])
    expect(await faultsOf((h) => send({ messages: [{ value: 'x', headers: { h: [h] } }] }))).toEqual([])
  })

  it('and the error names the field and shows the value', async () => {
    for (const [changes, message] of [
      [{ topic: {} }, /topic \{\}/],
      [{ acks: 'all' }, /acks is 'all'/],
      [{ compression: 'gzip' }, /compression is 'gzip'/],
      [{ messages: 5 }, /messages array \[5\]/],
      [{ messages: [{ value: {} }] }, /value of the message.*\{\}/],
      [{ messages: [{ value: Promise.resolve('x') }] }, /value of the message.*Promise/],
      [{ messages: [{ value: 'x', timestamp: 'now' }] }, /timestamp of the message is "now"/],
      [{ messages: [{ value: 'x', timestamp: [] }] }, /timestamp of the message is \[\]/],
      [{ messages: [{ value: 'x', headers: { h: 5 } }] }, /header 'h'.*number/],
    ] as const) {
      expect(await outcomeOf(() => send(changes))).toMatchObject({ message: expect.stringMatching(message) })
    }
  })
})

describe('any value as an argument of a consumer is taken, or refused by an error of this client', () => {
  const position = { topic: TOPIC, partition: 0, offset: 0 }

  it('of assign, seek, pause, resume, subscribe, commitOffsets and on', async () => {
    for (const method of ['assign', 'seek', 'pause', 'resume', 'subscribe', 'commitOffsets', 'on']) {
      expect([method, await faultsOf((value) => call(consumer, method, value))]).toEqual([method, []])
      expect([method, await faultsOf((value) => call(consumer, method, [value]))]).toEqual([method, []])
    }
    for (const field of ['topic', 'partition', 'offset']) {
      expect(await faultsOf((value) => call(consumer, 'assign', [{ ...position, [field]: value }]))).toEqual([])
      expect(await faultsOf((value) => call(consumer, 'seek', { ...position, [field]: value }))).toEqual([])
    }
    expect(await faultsOf((value) => call(consumer, 'pause', [{ topic: TOPIC, partitions: value }]))).toEqual([])
    expect(await faultsOf((value) => call(consumer, 'subscribe', { topics: [value] }))).toEqual([])
    consumer.assign([])
  })

  it('of run', async () => {
    const run = async (config: unknown): Promise<void> => {
      try {
        await call(consumer, 'run', config)
      } finally {
        await consumer.stop()
      }
    }
    expect(await faultsOf(run)).toEqual([])
    for (const name of ['eachMessage', 'eachBatch', 'partitionsConsumedConcurrently', 'autoCommitInterval']) {
      expect([name, await faultsOf((value) => run({ [name]: value }))]).toEqual([name, []])
    }
  })

  it('a partition as a text is refused, not passed over in silence', async () => {
    for (const method of ['seek', 'assign', 'pause']) {
      const one = { ...position, partition: '0', partitions: ['0'] }
      expect(await outcomeOf(() => call(consumer, method, method === 'seek' ? one : [one]))).toMatchObject({
        name: 'KafkaJSNonRetriableError',
        message: expect.stringContaining("'0'"),
      })
    }
  })
})

describe('any value as an argument of an admin is taken, or refused by an error of this client', () => {
  const valid: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    createTopics: { topics: [{ topic: 'new' }], validateOnly: true },
    deleteTopics: { topics: ['not-there'] },
    createPartitions: { topicPartitions: [{ topic: TOPIC, count: 3 }], validateOnly: true },
    fetchTopicMetadata: { topics: [TOPIC] },
    deleteTopicRecords: { topic: TOPIC, partitions: [{ partition: 0, offset: '0' }] },
    describeConfigs: { resources: [{ type: 2, name: TOPIC }] },
    alterConfigs: { resources: [{ type: 2, name: TOPIC, configEntries: [] }], validateOnly: true },
  }
  const further: Readonly<Record<string, readonly string[]>> = {
    createTopics: ['numPartitions', 'replicationFactor', 'replicaAssignment', 'configEntries'],
    createPartitions: ['assignments'],
    describeConfigs: ['configNames'],
  }

  it.each(Object.keys(valid))('of %s', async (method) => {
    const options = valid[method] ?? {}
    expect(await faultsOf((value) => call(admin, method, value))).toEqual([])
    for (const [field, given] of Object.entries(options)) {
      if (field === 'validateOnly') continue
      expect([field, await faultsOf((value) => call(admin, method, { ...options, [field]: value }))]).toEqual([
        field,
        [],
      ])
      const entries: readonly unknown[] = Array.isArray(given) ? given : []
      const [entry] = entries
      if (typeof entry !== 'object' || entry === null) continue
      for (const part of [...Object.keys(entry), ...(further[method] ?? [])]) {
        for (const wrap of [(value: unknown) => value, (value: unknown) => [value]]) {
          const use = (value: unknown): unknown =>
            call(admin, method, { ...options, [field]: [{ ...entry, [part]: wrap(value) }] })
          expect([field, part, await faultsOf(use)]).toEqual([field, part, []])
        }
      }
    }
  })

  it('of the others', async () => {
    for (const method of [
      'fetchTopicOffsets',
      'fetchTopicOffsetsByTimestamp',
      'describeGroups',
      'deleteGroups',
      'on',
    ]) {
      expect([method, await faultsOf((value) => call(admin, method, value))]).toEqual([method, []])
    }
    expect(await faultsOf((value) => call(admin, 'fetchTopicOffsetsByTimestamp', TOPIC, value))).toEqual([])
  })
})
