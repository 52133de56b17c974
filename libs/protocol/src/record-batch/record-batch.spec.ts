import { describe, expect, it } from '@jest/globals'
import { CompressionType } from '../compression/compression-type.js'
import { KafkaError } from '../errors.js'
import { RecordBatchBuilder } from './record-batch-builder.js'
import { RecordBatch } from './record-batch.js'

describe('RecordBatch.read', () => {
  it('finds one batch after the other in a buffer', () => {
    const bytes = Buffer.concat([Buffer.from('before'), threeRecords(), threeRecords(), Buffer.from('after')])
    const first = RecordBatch.read(bytes, 6)
    const second = RecordBatch.read(bytes, 6 + first.byteLength)
    first.verifyCrc()
    second.verifyCrc()
    expect([first.count, second.count]).toEqual([3, 3])
    expect(6 + first.byteLength + second.byteLength + 5).toBe(bytes.length)
  })

  it('shows the attributes that transactions, log append time and compaction need', () => {
    const attributes = 0x08 | 0x10 | 0x20 | 0x40
    expect(RecordBatch.read(changed((bytes) => bytes.writeInt16BE(attributes, 21)))).toMatchObject({
      timestampType: 'LogAppendTime',
      isTransactional: true,
      isControl: true,
      compression: CompressionType.None,
    })
  })

  it('takes a batch that compaction left with gaps, or empty', () => {
    expect(RecordBatch.read(changed((bytes) => bytes.writeInt32BE(100, 23)))).toMatchObject({
      lastOffsetDelta: 100,
      count: 3,
    })
    const empty = Buffer.from(threeRecords().subarray(0, 61))
    empty.writeInt32BE(49, 8)
    empty.writeInt32BE(0, 57)
    expect(RecordBatch.read(empty).records()).toMatchObject({ count: 0, byteLength: 0 })
    empty.writeInt16BE(CompressionType.ZSTD, 21)
    expect(RecordBatch.read(empty).records()).toMatchObject({ count: 0 })
  })

  it.each<[string, string, (bytes: Buffer) => unknown]>([
    ['no room for a header', 'CORRUPT_MESSAGE', (bytes) => RecordBatch.read(bytes.subarray(0, 60))],
    ['a start behind the end', 'CORRUPT_MESSAGE', (bytes) => RecordBatch.read(bytes, bytes.length + 1)],
    ['a length beyond the buffer', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(bytes.length - 11, 8)],
    ['a length below the header', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(48, 8)],
    ['a negative length', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(-1, 8)],
    ['the largest length', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(0x7fffffff, 8)],
    ['message format 0', 'UNSUPPORTED_FOR_MESSAGE_FORMAT', (bytes) => bytes.writeInt8(0, 16)],
    ['message format 1', 'UNSUPPORTED_FOR_MESSAGE_FORMAT', (bytes) => bytes.writeInt8(1, 16)],
    ['message format 3', 'UNSUPPORTED_VERSION', (bytes) => bytes.writeInt8(3, 16)],
    ['message format -1', 'UNSUPPORTED_VERSION', (bytes) => bytes.writeInt8(-1, 16)],
    ['attribute bit 7', 'UNSUPPORTED_VERSION', (bytes) => bytes.writeInt16BE(0x80, 21)],
    ['attribute bit 15', 'UNSUPPORTED_VERSION', (bytes) => bytes.writeInt16BE(-0x8000, 21)],
    ['compression type 5', 'UNSUPPORTED_COMPRESSION_TYPE', (bytes) => bytes.writeInt16BE(5, 21)],
    ['a negative count', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(-1, 57)],
    ['more records than offsets', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(1, 23)],
    ['a negative last offset delta', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(-1, 23)],
    ['a timestamp beyond the safe integers', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(0x7fffffff, 27)],
    ['a producer id beyond the safe integers', 'CORRUPT_MESSAGE', (bytes) => bytes.writeInt32BE(-0x80000000, 43)],
    [
      'more records than its bytes can hold',
      'CORRUPT_MESSAGE',
      (bytes) => {
        bytes.writeInt32BE(0x7ffffffe, 23)
        bytes.writeInt32BE(0x7fffffff, 57)
      },
    ],
  ])('refuses %s', (_, type, damage) => {
    const bytes = Buffer.from(threeRecords())
    const attempt = (): unknown => {
      damage(bytes)
      return RecordBatch.read(bytes)
    }
    expect(attempt).toThrow(expect.objectContaining({ name: 'KafkaError', type }))
  })
})

describe('verifyCrc', () => {
  it('finds any changed byte from the checksum on, and none before', () => {
    const bytes = Buffer.from(threeRecords())
    const batch = RecordBatch.read(bytes)
    const found: number[] = []
    for (let at = 0; at < bytes.length; at++) {
      const before = bytes[at] ?? 0
      bytes[at] = before ^ 0x40
      try {
        batch.verifyCrc()
      } catch (error) {
        if (!(error instanceof KafkaError) || error.type !== 'CORRUPT_MESSAGE') throw error
        found.push(at)
      }
      bytes[at] = before
    }
    expect(found).toEqual(Array.from({ length: bytes.length - 17 }, (_, i) => 17 + i))
  })
})

function threeRecords(): Buffer {
  const builder = new RecordBatchBuilder()
  builder.append('a', 'one', undefined, 1000)
  builder.append('b', 'two', { h: 'x' }, 1001)
  builder.append(null, null, undefined, 999)
  const built = builder.build({ producerId: 5, producerEpoch: 0, baseSequence: 0 })
  if (built instanceof Promise) throw new Error('an uncompressed batch is built at once')
  return built
}

function changed(change: (bytes: Buffer) => unknown): Buffer {
  const bytes = Buffer.from(threeRecords())
  change(bytes)
  return bytes
}
