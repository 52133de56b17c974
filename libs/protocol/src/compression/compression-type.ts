import { types } from 'node:util'
import { KafkaError } from '../errors.js'

/** How the records of a batch are compressed: the lowest three bits of its attributes. */
export enum CompressionType {
  None = 0,
  Gzip = 1,
  Snappy = 2,
  LZ4 = 3,
  ZSTD = 4,
}

/** Kafka's names, as in `compression.type`. */
export const COMPRESSION_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

type CompressedType = Exclude<CompressionType, CompressionType.None>

/**
 * Compresses and decompresses the records of a batch (everything after its header). Either may answer at once or with a
 * promise.
 */
export interface Codec {
  compress(records: Buffer): Buffer | Promise<Buffer>
  /**
   * @param maxBytes the most that may come out: a codec must stop there with MESSAGE_TOO_LARGE and must not allocate more
   *   because the input says so
   */
  decompress(compressed: Buffer, maxBytes: number): Buffer | Promise<Buffer>
}

export type Codecs = Readonly<Record<CompressedType, Codec>>

/** The error of records that decompress to more than was allowed. */
export function tooLarge(name: string, maxBytes: number, cause?: unknown): KafkaError {
  const message =
    `The records of the batch decompress (${name}) to more than maxDecompressedBytes (${maxBytes}): ` +
    'raise it if such batches are meant to be there'
  return new KafkaError('MESSAGE_TOO_LARGE', message, {
    maxDecompressedBytes: maxBytes,
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The error of compressed records that are damaged. `reason` may be what a library threw. */
export function damaged(name: string, reason: unknown): KafkaError {
  const text = types.isNativeError(reason) ? reason.message : String(reason)
  const options = typeof reason === 'string' ? {} : { cause: reason }
  return new KafkaError('CORRUPT_MESSAGE', `The ${name} compressed records of the batch are damaged: ${text}`, options)
}
