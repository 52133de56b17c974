import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { COMPRESSION_NAMES } from '../compression/compression-type.js'
import { RecordBatchBuilder } from './record-batch-builder.js'
import { RecordBatch } from './record-batch.js'

// Batches of Kafka 4.3's Java producer, as its broker stored them: 40 records, one batch for each compression type.
const fixture = new URL('./fixtures/java-batches.json', import.meta.url)
const javaBatches: unknown = JSON.parse(readFileSync(fixture, 'utf8'))

const expected = Array.from({ length: 40 }, (_, i) => ({
  key: i === 6 ? undefined : `key-${i % 7}`,
  value: i === 5 ? undefined : `value ${i} ${`€ flight LH${String((i * 37) % 1000).padStart(3, '0')} `.repeat(4)}`,
  headers: { h1: [`värde-${i}`, 'again'], h2: `x${i % 3}` },
}))

describe.each(COMPRESSION_NAMES)("a batch of Kafka's Java producer (%s)", (type) => {
  it('is sound and has the messages that were sent', async () => {
    const batch = RecordBatch.read(bytesOf(type))
    batch.verifyCrc()
    expect(batch).toMatchObject({ count: 40, lastOffsetDelta: 39, compression: COMPRESSION_NAMES.indexOf(type) })
    expect(batch).toMatchObject({ producerEpoch: 0, baseSequence: 0, isTransactional: false, isControl: false })
    const records = (await batch.records()).toArray()
    const messages = records.map(({ key, value, headers: { h1, h2 } }) => ({
      key: key?.toString(),
      value: value?.toString(),
      headers: { h1: Array.isArray(h1) ? h1.map(String) : h1, h2: String(h2) },
    }))
    expect(messages).toEqual(expected)
    expect(records.map(({ offsetDelta }) => offsetDelta)).toEqual(expected.map((_, i) => i))
    expect(Math.max(...records.map(({ timestampDelta }) => timestampDelta))).toBe(
      batch.maxTimestamp - batch.baseTimestamp,
    )
  })
})

describe('RecordBatchBuilder', () => {
  it('makes, of the same messages, the very bytes that the Java producer makes', async () => {
    const java = bytesOf('none')
    const batch = RecordBatch.read(java)
    const builder = new RecordBatchBuilder()
    for (const { key, value, headers, timestampDelta } of (await batch.records()).toArray()) {
      builder.append(key, value, headers, batch.baseTimestamp + timestampDelta)
    }
    const ours = await builder.build(batch)
    // The broker stamps base offset and leader epoch, before the magic byte.
    expect(ours.subarray(16).toString('hex')).toBe(java.subarray(16).toString('hex'))
    expect(ours.length).toBe(java.length)
  })
})

function bytesOf(type: string): Buffer {
  const base64: unknown = Reflect.get(Object(javaBatches), type)
  if (typeof base64 !== 'string') throw new Error(`no batch for ${type} in ${fixture.pathname}`)
  return Buffer.from(base64, 'base64')
}
