import { codecs as builtIn } from '@rivulet/protocol'
import type { Codec, Codecs } from '@rivulet/protocol'
import { KafkaJSNonRetriableError } from './errors.js'
import { CompressionTypes } from './types.js'

/** The types that have a codec: all but None. */
type Compressed = Exclude<CompressionTypes, 0>

/** A codec as kafkajs's users write it: the records to compress are in `encoder.buffer`. */
export interface CompressionCodec {
  compress(encoder: { buffer: Buffer }): Buffer | Promise<Buffer>
  decompress(buffer: Buffer): Buffer | Promise<Buffer>
}

export type CompressionCodecFactory = () => CompressionCodec

/** The most that a built-in codec gives when it is called outside of this client. */
const UNBOUNDED = 2 ** 31 - 1

const standard = (codec: Codec): CompressionCodecFactory => {
  const codecOfKafkaJS: CompressionCodec = {
    compress: (encoder) => codec.compress(encoder.buffer),
    decompress: (buffer) => codec.decompress(buffer, UNBOUNDED),
  }
  return () => codecOfKafkaJS
}

const STANDARD: Readonly<Record<Compressed, CompressionCodecFactory>> = {
  [CompressionTypes.GZIP]: standard(builtIn[1]),
  [CompressionTypes.Snappy]: standard(builtIn[2]),
  [CompressionTypes.LZ4]: standard(builtIn[3]),
  [CompressionTypes.ZSTD]: standard(builtIn[4]),
}

/**
 * The codecs by compression type, for all producers and consumers of the process. All are built in; another one takes
 * its place by assignment, as in kafkajs: `CompressionCodecs[CompressionTypes.Snappy] = () => ({ compress, decompress })`.
 */
export const CompressionCodecs: Record<Compressed, CompressionCodecFactory> = { ...STANDARD }

const adapted = new WeakMap<CompressionCodecFactory, Codec>()

function adapt(type: Compressed, factory: CompressionCodecFactory): Codec {
  let codec = adapted.get(factory)
  if (codec === undefined) {
    const own = factory()
    codec = {
      compress: async (records) => checkBuffer(type, 'compress', await own.compress({ buffer: records })),
      decompress: async (compressed, maxBytes) => {
        const records = checkBuffer(type, 'decompress', await own.decompress(compressed))
        if (records.length > maxBytes) {
          throw new KafkaJSNonRetriableError(
            `A batch decompresses to ${records.length} bytes, more than the ${maxBytes} allowed`,
          )
        }
        return records
      },
    }
    adapted.set(factory, codec)
  }
  return codec
}

function checkBuffer(type: Compressed, method: string, result: unknown): Buffer {
  if (Buffer.isBuffer(result)) return result
  if (result instanceof Uint8Array) return Buffer.from(result.buffer, result.byteOffset, result.byteLength)
  throw new KafkaJSNonRetriableError(`${method}() of CompressionCodecs[${type}] gave no Buffer but ${typeof result}`)
}

/** The codec in force for a type: the built-in one unless CompressionCodecs was given another. */
function current(type: Compressed): Codec {
  const factory = CompressionCodecs[type]
  return factory === STANDARD[type] ? builtIn[type] : adapt(type, factory)
}

const live = (type: Compressed): Codec => ({
  compress: (records) => current(type).compress(records),
  decompress: (compressed, maxBytes) => current(type).decompress(compressed, maxBytes),
})

/** What producers and consumers compress and decompress with: always what CompressionCodecs says at that moment. */
export const codecs: Codecs = {
  [CompressionTypes.GZIP]: live(CompressionTypes.GZIP),
  [CompressionTypes.Snappy]: live(CompressionTypes.Snappy),
  [CompressionTypes.LZ4]: live(CompressionTypes.LZ4),
  [CompressionTypes.ZSTD]: live(CompressionTypes.ZSTD),
}
