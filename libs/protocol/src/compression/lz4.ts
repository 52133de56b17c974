import type * as Lz4Library from 'lz4-napi'
import { type Codec, damaged, tooLarge } from './compression-type.js'
import { lazyLibrary } from './lazy-library.js'
import { checkFrameSize } from './lz4-frame.js'

const withLibrary = lazyLibrary('LZ4 compression', 'lz4-napi', async () => (await import('lz4-napi')).default)

type Library = Pick<typeof Lz4Library, 'compressFrameSync' | 'decompressFrameSync'>

/** Kafka's LZ4: one frame with independent blocks, which is how the library writes it. */
export const lz4: Codec = {
  compress: (records) => withLibrary((library) => library.compressFrameSync(records)),
  decompress: (compressed, maxBytes) => withLibrary((library) => decompressFrame(library, compressed, maxBytes)),
}

function decompressFrame(library: Library, compressed: Buffer, maxBytes: number): Buffer {
  // The library knows no bound.
  const frame = compressed.subarray(0, checkFrameSize(compressed, maxBytes))
  let bytes: Buffer
  try {
    bytes = library.decompressFrameSync(frame)
  } catch (cause) {
    throw damaged('lz4', cause)
  }
  if (bytes.length > maxBytes) throw tooLarge('lz4', maxBytes)
  return bytes
}
