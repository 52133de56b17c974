import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { COMPRESSION_NAMES } from '../compression/compression-type.js'
import { KafkaError } from '../errors.js'
import { RecordBatchBuilder } from './record-batch-builder.js'
import { RecordBatch } from './record-batch.js'

// Whatever the bytes are, reading them gives records within the bounds or a typed error, and soon.
const MAX_DECOMPRESSED = 256 * 1024
const TYPES = [
  'CORRUPT_MESSAGE',
  'MESSAGE_TOO_LARGE',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_COMPRESSION_TYPE',
]

const anyMutations = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 })
/** The places of int32 fields and of the first records, where a huge number hurts most. */
const anyHugeNumber = fc.tuple(
  fc.nat(120),
  fc.constantFrom(0x7fffffff, -1, -0x80000000, 0x7ffffff0, 0x10000000, 0x00ffffff, 0x0fffffff),
)

describe.each(COMPRESSION_NAMES)('a hostile batch (%s)', (name) => {
  const compression = COMPRESSION_NAMES.indexOf(name)

  it('with random changes gives records or a typed error', async () => {
    const sound = await soundBatch(compression)
    await fc.assert(
      fc.asyncProperty(anyMutations, async (mutations) => {
        const bytes = Buffer.from(sound)
        for (const [at, value] of mutations) bytes[at % bytes.length] = value
        await readHostile(bytes)
      }),
      { numRuns: 300 },
    )
  })

  it('with random changes to its records only gives records or a typed error', async () => {
    const sound = await soundBatch(compression)
    await fc.assert(
      fc.asyncProperty(anyMutations, async (mutations) => {
        const bytes = Buffer.from(sound)
        for (const [at, value] of mutations) bytes[61 + (at % (bytes.length - 61))] = value
        await readHostile(bytes)
      }),
      { numRuns: 300 },
    )
  })

  it('with huge lengths and counts gives records or a typed error', async () => {
    const sound = await soundBatch(compression)
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyHugeNumber, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (numbers, isLittle) => {
          const bytes = Buffer.from(sound)
          for (const [at, value] of numbers) {
            if (isLittle) bytes.writeInt32LE(value, at)
            else bytes.writeInt32BE(value, at)
          }
          await readHostile(bytes)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('cut anywhere gives a typed error', async () => {
    const sound = await soundBatch(compression)
    for (let length = 0; length < sound.length; length += length < 70 ? 1 : 7) {
      const bytes = Buffer.from(sound.subarray(0, length))
      expect(await readHostile(bytes)).toBe('CORRUPT_MESSAGE')
      // Cut, but with a length that fits: now the records are what is wrong.
      if (length < 61) continue
      bytes.writeInt32BE(length - 12, 8)
      expect(await readHostile(bytes)).not.toBe('records')
    }
  })
})

describe('hostile bytes', () => {
  it('of any kind give a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(await readHostile(Buffer.from(bytes))).not.toBe('records')
      }),
    )
  })
})

async function soundBatch(compression: number): Promise<Buffer> {
  const builder = new RecordBatchBuilder()
  for (let i = 0; i < 12; i++)
    builder.append(`key ${i}`, `value ${i * i} `.repeat(i), { trace: `t${i}`, n: null }, 1000 + i)
  const bytes = await builder.build({ producerId: 1, producerEpoch: 1, baseSequence: 1, compression })
  expect(await readHostile(bytes)).toBe('records')
  return bytes
}

/** 'records' or the type of the error; anything else fails the test. */
async function readHostile(bytes: Buffer): Promise<string> {
  try {
    const batch = RecordBatch.read(bytes)
    const records = await batch.records({ maxDecompressedBytes: MAX_DECOMPRESSED })
    if (batch.compression !== 0 && records.byteLength > MAX_DECOMPRESSED)
      throw new Error('more than the bound came out')
    const { length } = records.toArray()
    if (length !== batch.count) throw new Error(`${length} records of ${batch.count} were read`)
    return 'records'
  } catch (error) {
    if (error instanceof KafkaError && TYPES.includes(error.type)) return error.type
    throw error
  }
}
