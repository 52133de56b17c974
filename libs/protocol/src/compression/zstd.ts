import { promisify, types } from 'node:util'
import zlib from 'node:zlib'
import { type Codec, damaged, tooLarge } from './compression-type.js'
import { isOutputBound } from './gzip.js'
import { lazyLibrary } from './lazy-library.js'
import { zstdFrames } from './zstd-frame.js'

/** What Node 22.15 and later have; the types are those of an earlier Node. */
interface ZlibWithZstd {
  readonly constants: object
  readonly zstdCompressSync?: (bytes: Buffer) => Buffer
  readonly zstdDecompressSync?: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer
  readonly zstdCompress?: (bytes: Buffer, done: (error: Error | null, result: Buffer) => void) => void
  readonly zstdDecompress?: (
    bytes: Buffer,
    options: { maxOutputLength: number },
    done: (error: Error | null, result: Buffer) => void,
  ) => void
}

/** From here on the thread pool does it, where Node has it, as for gzip. */
const COMPRESS_IN_POOL_FROM = 64 * 1024
const DECOMPRESS_IN_POOL_FROM = 128 * 1024

/** Kafka's ZSTD: by Node itself from 22.15 on, before by the package '@bokuweb/zstd-wasm'. */
export const zstd: Codec = nodeZstd(zlib) ?? wasmZstd()

function nodeZstd({ zstdCompressSync, zstdDecompressSync, zstdCompress, zstdDecompress }: ZlibWithZstd): Codec | null {
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return null
  if (zstdCompress === undefined || zstdDecompress === undefined) return null
  const compressInPool = promisify(zstdCompress)
  const decompressInPool = promisify(zstdDecompress)
  return {
    compress: (records) =>
      records.length < COMPRESS_IN_POOL_FROM ? zstdCompressSync(records) : compressInPool(records),
    decompress(compressed, maxBytes) {
      zstdFrames(compressed, maxBytes)
      const options = { maxOutputLength: Math.max(maxBytes, 1) }
      if (compressed.length >= DECOMPRESS_IN_POOL_FROM) {
        return decompressInPool(compressed, options).catch((cause: unknown) => {
          throw zstdError(cause, maxBytes)
        })
      }
      try {
        return zstdDecompressSync(compressed, options)
      } catch (cause) {
        throw zstdError(cause, maxBytes)
      }
    },
  }
}

export function wasmZstd(): Codec {
  const withLibrary = lazyLibrary('ZSTD compression before Node 22.15', '@bokuweb/zstd-wasm', async () => {
    const { default: library } = await import('@bokuweb/zstd-wasm')
    await library.init()
    return library
  })
  return {
    compress: (records) => withLibrary((library) => bufferOf(library.compress(records))),
    decompress: (compressed, maxBytes) =>
      withLibrary((library) => {
        // Kafka's Java clients do not write the size into the frame; the library needs to know what to allocate.
        const parts = zstdFrames(compressed, maxBytes).map(({ start, end, capacity }) => {
          try {
            return bufferOf(library.decompress(compressed.subarray(start, end), { defaultHeapSize: capacity }))
          } catch (cause) {
            throw zstdError(cause, maxBytes)
          }
        })
        const [only] = parts
        return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
      }),
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The end of the library's message where the output does not fit: ZSTD_error_dstSize_tooSmall. */
const WASM_TOO_SMALL = ' -70'

function zstdError(cause: unknown, maxBytes: number): Error {
  const isTooSmall = types.isNativeError(cause) && cause.message.endsWith(WASM_TOO_SMALL)
  return isTooSmall || isOutputBound(cause) ? tooLarge('zstd', maxBytes, cause) : damaged('zstd', cause)
}
