import { describe, expect, it } from '@jest/globals'
import { CompressionType, crc32c, RecordBatchBuilder } from '@rivulet/protocol'
import type { StoredBatch } from '@rivulet/storage'
import fc from 'fast-check'
import { decodeBatches } from './decode-batches.js'

interface Options {
  compression?: CompressionType
  control?: boolean
  corrupt?: boolean
  appendTime?: number
}

async function stored(baseOffset: number, values: string[], options: Options = {}): Promise<StoredBatch> {
  const { compression = CompressionType.None, control = false, corrupt = false, appendTime = -1 } = options
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.append('k', value, undefined, 1000)
  const bytes = Buffer.from(await builder.build({ producerId: -1, producerEpoch: 0, baseSequence: 0, compression }))
  if (control) {
    bytes.writeInt16BE(bytes.readInt16BE(21) | 0x20, 21)
    bytes.writeUInt32BE(crc32c(bytes, 21), 17)
  }
  if (corrupt) bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 1, bytes.length - 2)
  const leaderEpoch = { number: 0, replicationId: 'aaaaaaaa' }
  return { bytes, baseOffset, endOffset: baseOffset + values.length, leaderEpoch, appendTime }
}

const valuesOf = ({ messages }: { messages: { value: Buffer | null }[] }) => messages.map(({ value }) => String(value))

describe('decoding batches', () => {
  it('gives kafkajs’s messages', async () => {
    const { messages } = await decodeBatches([await stored(7, ['a'])], 7)
    expect(messages).toEqual([
      { key: Buffer.from('k'), value: Buffer.from('a'), timestamp: '1000', attributes: 0, offset: '7', headers: {} },
    ])
  })

  it('leaves out what lies below the position', async () => {
    const decoded = await decodeBatches([await stored(5, ['a', 'b', 'c'])], 6)
    expect(valuesOf(decoded)).toEqual(['b', 'c'])
    expect(decoded).toMatchObject({ firstOffset: 6, endOffset: 8 })
  })

  it('passes over control records, and counts their offsets', async () => {
    const batches = [await stored(0, ['a']), await stored(1, ['marker'], { control: true })]
    const decoded = await decodeBatches(batches, 0)
    expect(valuesOf(decoded)).toEqual(['a'])
    expect(decoded).toMatchObject({ firstOffset: 0, endOffset: 2 })
    expect(await decodeBatches(batches.slice(1), 1)).toMatchObject({ messages: [], firstOffset: 1, endOffset: 2 })
  })

  it('decompresses, and says how much that has become', async () => {
    const text = 'x'.repeat(10_000)
    const plain = await decodeBatches([await stored(0, [text])], 0)
    const packed = await decodeBatches([await stored(0, [text], { compression: CompressionType.Gzip })], 0)
    expect(packed.messages).toEqual(plain.messages)
    expect(plain.extraBytes).toBe(0)
    expect(packed.extraBytes).toBeGreaterThan(10_000)
  })

  it('takes the time of the append where there is one', async () => {
    const { messages } = await decodeBatches([await stored(0, ['a'], { appendTime: 5 })], 0)
    expect(messages[0]?.timestamp).toBe('5')
  })

  it('ends before a damaged batch, which fails when it is the first', async () => {
    const batches = [await stored(0, ['a', 'b']), await stored(2, ['c'], { corrupt: true }), await stored(3, ['d'])]
    const decoded = await decodeBatches(batches, 0)
    expect(valuesOf(decoded)).toEqual(['a', 'b'])
    expect(decoded.endOffset).toBe(2)
    expect(() => decodeBatches(batches.slice(1), 2)).toThrow(expect.objectContaining({ type: 'CORRUPT_MESSAGE' }))
  })

  it('writes offsets as numbers are written, wherever a log stands', async () => {
    const bytes = await stored(0, ['a', 'b', 'c'])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.maxSafeNat(), { minLength: 1 }), async (offsets) => {
        for (const offset of offsets.map((any) => Math.min(any, Number.MAX_SAFE_INTEGER - 3))) {
          const { messages } = await decodeBatches([{ ...bytes, baseOffset: offset, endOffset: offset + 3 }], offset)
          expect(messages.map((message) => message.offset)).toEqual([0, 1, 2].map((i) => String(offset + i)))
        }
      }),
    )
  })
})
