import { describe, expect, it } from '@jest/globals'
import { ERRORS, isErrorName, KafkaError } from './errors.js'

const definitions = Object.values(ERRORS)
const ofKafka = definitions.filter(({ code }) => code >= -1)
const own = definitions.filter(({ code }) => code < -1)

describe('ERRORS', () => {
  it("has each of Kafka's codes from -1 to 133 once", () => {
    expect(ofKafka.map(({ code }) => code)).toEqual(Array.from({ length: 135 }, (_, i) => i - 1))
  })

  it("calls the same codes retriable as Kafka's Errors", () => {
    expect(ofKafka.filter(({ retriable }) => retriable).map(({ code }) => code)).toEqual([
      2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100, 103, 106,
      122, 123, 133,
    ])
  })

  it('numbers its own errors below -1000, each differently', () => {
    const codes = own.map(({ code }) => code)
    expect(Math.max(...codes)).toBeLessThan(-1000)
    expect(new Set(codes).size).toBe(codes.length)
  })

  it('says each thing once, in a sentence without a full stop', () => {
    const messages = definitions.map(({ message }) => message)
    expect(new Set(messages).size).toBe(messages.length)
    for (const message of messages) expect(message).toMatch(/^[A-Za-z].*[^.]$/)
  })
})

describe('isErrorName', () => {
  it('knows the names of the registry, and not those that every object has', () => {
    expect(isErrorName('UNKNOWN_TOPIC_ID')).toBe(true)
    expect(isErrorName('NAMESPACE_FULL')).toBe(true)
    expect(isErrorName('unknown_topic_id')).toBe(false)
    expect(isErrorName('toString')).toBe(false)
    expect(isErrorName('__proto__')).toBe(false)
    expect(isErrorName('')).toBe(false)
  })
})

describe('KafkaError', () => {
  it("takes code, retriability and message from the registry's entry", () => {
    const error = new KafkaError('NOT_ENOUGH_REPLICAS')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'KafkaError',
      type: 'NOT_ENOUGH_REPLICAS',
      code: 19,
      retriable: true,
      details: {},
    })
    expect(error.message).toBe(ERRORS.NOT_ENOUGH_REPLICAS.message)
    expect('cause' in error).toBe(false)
  })

  it('carries a message of its own, the cause, and details apart from the cause', () => {
    const cause = new Error('socket hang up')
    const error = new KafkaError('LOG_TRUNCATED', 'orders-0 lost 12 and later', { cause, divergence: 12 })
    expect(error).toMatchObject({ message: 'orders-0 lost 12 and later', code: -1008, retriable: false })
    expect(error.cause).toBe(cause)
    expect(error.details).toEqual({ divergence: 12 })
  })
})
