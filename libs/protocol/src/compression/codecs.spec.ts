import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compressSync } from 'snappy'
import { codecs } from './codecs.js'
import { type Codec, CompressionType } from './compression-type.js'
import { wasmZstd } from './zstd.js'

const MIB = 1024 * 1024
const all: [string, Codec][] = [
  ['gzip', codecs[CompressionType.Gzip]],
  ['snappy', codecs[CompressionType.Snappy]],
  ['lz4', codecs[CompressionType.LZ4]],
  ['zstd', codecs[CompressionType.ZSTD]],
  ['zstd without the help of Node', wasmZstd()],
]

describe.each(all)('%s', (_, codec) => {
  it.each([0, 1, 100, 32 * 1024, 32 * 1024 + 1, 100_000, 3 * MIB])(
    'gives %d bytes back, easy and hard ones',
    async (size) => {
      for (const bytes of [randomBytes(size), Buffer.alloc(size, 'some text that repeats itself ')]) {
        const compressed = await codec.compress(bytes)
        expect(bytes.equals(await codec.decompress(compressed, size))).toBe(true)
      }
    },
  )

  it('gives any bytes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (array) => {
        const bytes = Buffer.from(array)
        expect(bytes.equals(await codec.decompress(await codec.compress(bytes), bytes.length))).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it.each([2, 1000, 100_000, 5 * MIB])('stops with MESSAGE_TOO_LARGE one byte before the end of %d', async (size) => {
    for (const bytes of [randomBytes(size), Buffer.alloc(size)]) {
      const compressed = await codec.compress(bytes)
      await expect(attempt(() => codec.decompress(compressed, size - 1))).rejects.toMatchObject({
        type: 'MESSAGE_TOO_LARGE',
      })
    }
  })

  it('does not decompress a bomb', async () => {
    const bomb = await codec.compress(Buffer.alloc(40 * MIB))
    const before = process.memoryUsage.rss()
    await expect(attempt(() => codec.decompress(bomb, MIB))).rejects.toMatchObject({
      type: 'MESSAGE_TOO_LARGE',
      message: expect.stringContaining('maxDecompressedBytes (1048576)'),
    })
    expect(process.memoryUsage.rss() - before).toBeLessThan(20 * MIB)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('this is not compressed at all, by nobody')],
    ['ones', Buffer.alloc(100, 0xff)],
  ])('says of %s that it is damaged', async (__, bytes) => {
    await expect(attempt(() => codec.decompress(bytes, MIB))).rejects.toMatchObject({ type: 'CORRUPT_MESSAGE' })
  })

  it('says of bytes that were cut that they are damaged', async () => {
    const compressed = await codec.compress(Buffer.from(JSON.stringify(Array.from({ length: 500 }, (__, i) => i * i))))
    for (let length = 0; length < compressed.length; length += 13) {
      await expect(attempt(() => codec.decompress(compressed.subarray(0, length), MIB))).rejects.toMatchObject({
        type: 'CORRUPT_MESSAGE',
      })
    }
  })
})

describe('gzip', () => {
  it('reads members one after the other, as Java does', async () => {
    const two = Buffer.concat([gzipSync('one '), gzipSync('two')])
    expect(String(await codecs[CompressionType.Gzip].decompress(two, 7))).toBe('one two')
    await expect(attempt(() => codecs[CompressionType.Gzip].decompress(two, 6))).rejects.toMatchObject({
      type: 'MESSAGE_TOO_LARGE',
    })
  })
})

describe('snappy', () => {
  const snappy = codecs[CompressionType.Snappy]

  it('writes the frame of snappy-java, in blocks of 32 KiB', async () => {
    const compressed = await snappy.compress(Buffer.alloc(70_000))
    expect(compressed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
    const sizes: number[] = []
    for (let at = 16; at < compressed.length; at += 4 + compressed.readInt32BE(at))
      sizes.push(compressed.readInt32BE(at))
    expect(sizes).toHaveLength(3)
  })

  it('reads a raw block without the frame, as other clients send it', async () => {
    const bytes = Buffer.from('raw and not framed '.repeat(500))
    const raw = compressSync(bytes)
    expect(bytes.equals(await snappy.decompress(raw, bytes.length))).toBe(true)
    await expect(attempt(() => snappy.decompress(raw, bytes.length - 1))).rejects.toMatchObject({
      type: 'MESSAGE_TOO_LARGE',
    })
  })

  it('does not believe a block that says 4 GiB', async () => {
    const block = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00])
    await expect(attempt(() => snappy.decompress(block, 64 * MIB))).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' })
  })
})

describe('lz4', () => {
  const lz4 = codecs[CompressionType.LZ4]

  it('writes the frame that Kafka takes: version 1, independent blocks', async () => {
    const compressed = await lz4.compress(Buffer.alloc(1000, 'text'))
    expect(compressed.readUInt32LE(0)).toBe(0x184d2204)
    expect((compressed[4] ?? 0) >> 5).toBe(0b011)
  })

  it('measures blocks where their lengths alone would say too much', async () => {
    // 100 bytes that could be blocks of 4 MiB, against a bound far below that.
    const bytes = Buffer.concat([Buffer.alloc(300_000, 'easy'), randomBytes(2000)])
    const compressed = await lz4.compress(bytes)
    expect(compressed.length * 255).toBeGreaterThan(bytes.length)
    expect(bytes.equals(await lz4.decompress(compressed, bytes.length))).toBe(true)
  })
})

describe('zstd', () => {
  const zstds = all.filter(([name]) => name.startsWith('zstd'))

  it.each(zstds)('reads frames without a content size, which Java writes: %s', async (_, codec) => {
    const bytes = await codec.decompress(framesOfRepeatedBytes(3), MIB)
    expect(bytes.equals(Buffer.alloc(3 * 128 * 1024, 'A'))).toBe(true)
    await expect(attempt(() => codec.decompress(framesOfRepeatedBytes(9), MIB))).rejects.toMatchObject({
      type: 'MESSAGE_TOO_LARGE',
    })
    expect(await codec.decompress(framesOfRepeatedBytes(8), MIB)).toHaveLength(MIB)
  })

  it.each(zstds)('does not believe a frame that says 2^60 bytes: %s', async (_, codec) => {
    const frame = Buffer.from('28b52ffde000000000000000100100000041', 'hex')
    await expect(attempt(() => codec.decompress(frame, 64 * MIB))).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' })
  })
})

/** A ZSTD frame without a content size: blocks of 128 KiB, each one byte repeated. */
function framesOfRepeatedBytes(blocks: number): Buffer {
  const parts = [Buffer.from('28b52ffd0058', 'hex')]
  for (let i = 0; i < blocks; i++) {
    const block = Buffer.alloc(4, 'A')
    block.writeUIntLE((i === blocks - 1 ? 1 : 0) | (1 << 1) | ((128 * 1024) << 3), 0, 3)
    parts.push(block)
  }
  return Buffer.concat(parts)
}

/** Errors thrown at once and later alike. */
async function attempt(work: () => unknown): Promise<unknown> {
  return work()
}
