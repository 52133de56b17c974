import { promisify, types } from 'node:util'
import zlib from 'node:zlib'
import { type Codec, damaged, tooLarge } from './compression-type.js'

/** From here on the thread pool does it: handing it over costs 0.3 ms (measured), below that is most of the work. */
const COMPRESS_IN_POOL_FROM = 64 * 1024
const DECOMPRESS_IN_POOL_FROM = 64 * 1024

const gzipInPool = promisify(zlib.gzip)
const gunzipInPool: (bytes: Buffer, options: zlib.ZlibOptions) => Promise<Buffer> = promisify(zlib.gunzip)

export const gzip: Codec = {
  compress(records) {
    return records.length < COMPRESS_IN_POOL_FROM ? zlib.gzipSync(records) : gzipInPool(records)
  },
  decompress(compressed, maxBytes) {
    const options = { maxOutputLength: Math.max(maxBytes, 1) }
    if (compressed.length >= DECOMPRESS_IN_POOL_FROM) {
      return gunzipInPool(compressed, options).catch((cause: unknown) => {
        throw gzipError(cause, maxBytes)
      })
    }
    try {
      return zlib.gunzipSync(compressed, options)
    } catch (cause) {
      throw gzipError(cause, maxBytes)
    }
  },
}

function gzipError(cause: unknown, maxBytes: number): Error {
  return isOutputBound(cause) ? tooLarge('gzip', maxBytes, cause) : damaged('gzip', cause)
}

/** Whether zlib stopped because of maxOutputLength. */
export function isOutputBound(error: unknown): boolean {
  return types.isNativeError(error) && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
