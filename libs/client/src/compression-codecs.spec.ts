import { afterEach, describe, expect, it } from '@jest/globals'
import { CompressionType, RecordBatch, RecordBatchBuilder } from '@rivulet/protocol'
import kafkajs from 'kafkajs'
import { codecs, type CompressionCodec, CompressionCodecs } from './compression-codecs.js'
import { CompressionTypes } from './types.js'

const original = { ...CompressionCodecs }
const types = [CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD] as const
const records = Buffer.from('a record and a record and a record')
const reverse = (buffer: Buffer): Buffer => Buffer.from(buffer.toReversed())

const isCodec = (value: unknown): value is CompressionCodec =>
  typeof value === 'object' && value !== null && 'compress' in value && 'decompress' in value

afterEach(() => {
  Object.assign(CompressionCodecs, original)
})

describe('CompressionCodecs', () => {
  it.each(types)('has a codec for type %s, in the shape that kafkajs calls', async (type) => {
    const codec = CompressionCodecs[type]()
    const compressed = await codec.compress({ buffer: records })
    expect(compressed.equals(records)).toBe(false)
    expect(await codec.decompress(compressed)).toEqual(records)
    expect(await codecs[type].decompress(compressed, 1000)).toEqual(records)
  })

  it("reads what kafkajs's own gzip codec has written, and the other way round", async () => {
    const made: unknown = kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP]()
    if (!isCodec(made)) throw new TypeError('kafkajs gave no codec')
    const theirs = made
    const ours = CompressionCodecs[CompressionTypes.GZIP]()
    expect(await ours.decompress(await theirs.compress({ buffer: records }))).toEqual(records)
    expect(await theirs.decompress(await ours.compress({ buffer: records }))).toEqual(records)
  })

  it('gives way to a codec that a program sets, in both directions', async () => {
    CompressionCodecs[CompressionTypes.Snappy] = () => ({
      compress: async (encoder) => reverse(encoder.buffer),
      decompress: (buffer) => reverse(buffer),
    })
    const builder = new RecordBatchBuilder()
    builder.append('key', 'value', undefined, 1000)
    const build = { producerId: -1, producerEpoch: -1, baseSequence: -1, compression: CompressionType.Snappy }
    const batch = RecordBatch.read(await builder.build({ ...build, codec: codecs[CompressionTypes.Snappy] }))
    const read = await batch.records({ codecs })
    expect(read.count).toBe(1)
    expect(await codecs[CompressionTypes.Snappy].compress(records)).toEqual(reverse(records))
  })

  it('keeps to the bound of a decompressed batch with a codec of a program', async () => {
    CompressionCodecs[CompressionTypes.LZ4] = () => ({ compress: (e) => e.buffer, decompress: (b) => b })
    await expect(codecs[CompressionTypes.LZ4].decompress(records, 3)).rejects.toMatchObject({ retriable: false })
  })

  it('says so when a codec gives something else than bytes', async () => {
    const broken: unknown = { compress: () => 'text', decompress: () => undefined }
    Object.assign(CompressionCodecs, { [CompressionTypes.ZSTD]: () => broken })
    await expect(codecs[CompressionTypes.ZSTD].compress(records)).rejects.toThrow(
      'compress() of CompressionCodecs[4] gave no Buffer but string',
    )
  })
})
