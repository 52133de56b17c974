import type * as SnappyLibrary from 'snappy'
import { type Codec, damaged, tooLarge } from './compression-type.js'
import { lazyLibrary } from './lazy-library.js'

/**
 * Kafka's Snappy is the stream of the Java library snappy-java (xerial):
 *
 *     0  magic              0x82 'SNAPPY' 0x00
 *     8  version            int32  1
 *    12  compatible version int32  1
 *    16  blocks, each: length int32, and one raw Snappy block of at most 32 KiB uncompressed
 *
 * A raw Snappy block begins with its uncompressed size, an unsigned varint. Other clients (and kafkajs's plug-in once) send a
 * raw block without the frame: it is read too.
 */
const FRAME_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const FRAME_HEADER = Buffer.concat([FRAME_MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])])
const BLOCK_BYTES = 32 * 1024
const LENGTH_BYTES = 4

const withLibrary = lazyLibrary('Snappy compression', 'snappy', async () => (await import('snappy')).default)

export const snappy: Codec = {
  compress: (records) => withLibrary((library) => compressFramed(library, records)),
  decompress: (compressed, maxBytes) =>
    withLibrary((library) =>
      compressed.subarray(0, FRAME_MAGIC.length).equals(FRAME_MAGIC)
        ? decompressFramed(library, compressed, maxBytes)
        : decompressBlock(library, compressed, maxBytes, maxBytes),
    ),
}

type Library = Pick<typeof SnappyLibrary, 'compressSync' | 'uncompressSync'>

function compressFramed(library: Library, records: Buffer): Buffer {
  const parts: Buffer[] = [FRAME_HEADER]
  for (let at = 0; at < records.length; at += BLOCK_BYTES) {
    const block = library.compressSync(records.subarray(at, at + BLOCK_BYTES))
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

function decompressFramed(library: Library, compressed: Buffer, maxBytes: number): Buffer {
  if (compressed.length < FRAME_HEADER.length) throw damaged('snappy', 'they end within the header of the frame')
  const blocks: Buffer[] = []
  let size = 0
  let at = FRAME_HEADER.length
  while (at < compressed.length) {
    const start = at + LENGTH_BYTES
    const length = start <= compressed.length ? compressed.readInt32BE(at) : -1
    if (length <= 0 || length > compressed.length - start) throw damaged('snappy', `a block's length is ${length}`)
    at = start + length
    const block = decompressBlock(library, compressed.subarray(start, at), maxBytes - size, maxBytes)
    size += block.length
    blocks.push(block)
  }
  const [only] = blocks
  return blocks.length === 1 && only !== undefined ? only : Buffer.concat(blocks, size)
}

/** @param maxBytes the bound of the whole batch, for the error */
function decompressBlock(library: Library, block: Buffer, room: number, maxBytes: number): Buffer {
  // The library allocates what the block says: judge that first.
  const size = uncompressedSize(block)
  if (size > room) throw tooLarge('snappy', maxBytes)
  let bytes: string | Buffer
  try {
    bytes = library.uncompressSync(block)
  } catch (cause) {
    throw damaged('snappy', cause)
  }
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes
}

function uncompressedSize(block: Buffer): number {
  let size = 0
  for (let i = 0; i < 5; i++) {
    const byte = block[i]
    if (byte === undefined) break
    size += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return size
  }
  throw damaged('snappy', 'a block does not begin with its size')
}
