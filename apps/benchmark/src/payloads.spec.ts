import { describe, expect, it } from '@jest/globals'
import { KEYS, makeSends, orderEvent, VALUE_BYTES } from './payloads.js'

const topic = { name: 'orders', partitions: 6 }

describe('payloads', () => {
  it('are the same in every process, and sent in sends of the same size', () => {
    const sends = makeSends(topic, 100)
    expect(sends).toHaveLength(200)
    expect(sends).toEqual(makeSends(topic, 100))
    for (const records of sends) expect(records).toHaveLength(100)
  })

  it('have the topic, one of so many keys, and a value of 100 bytes that is like no other', () => {
    const records = makeSends(topic, 1000).flat()
    for (const { topic: name, key, value } of records) {
      expect(name).toBe('orders')
      expect(Number(/^k(\d+)$/.exec(key)?.[1])).toBeLessThan(KEYS)
      expect(Buffer.byteLength(value)).toBe(VALUE_BYTES)
    }
    expect(new Set(records.map(({ value }) => value)).size).toBe(records.length)
  })

  it('can be JSON of about 300 bytes', () => {
    const values = makeSends(topic, 1000, KEYS, orderEvent).flatMap((records) => records.map(({ value }) => value))
    const mean = values.reduce((sum, value) => sum + value.length, 0) / values.length
    expect(mean).toBeGreaterThan(280)
    expect(mean).toBeLessThan(340)
    for (const value of values.slice(0, 100)) expect(JSON.parse(value)).toHaveProperty('orderId')
  })
})
