import { damaged, tooLarge } from './compression-type.js'

/**
 * The LZ4 frame; numbers are little-endian:
 *
 *     0  magic          0x184D2204
 *     4  flags          bits 6-7 version (01), 5 independent blocks, 4 block checksums, 3 content size, 2 content checksum,
 *                       0 dictionary id
 *     5  block sizes    bits 4-6: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB at most
 *     6  content size   uint64, if its flag is set; then the dictionary id, uint32, if its flag is set
 *        header checksum uint8
 *        blocks, each: size uint32 (highest bit: not compressed), data, checksum uint32 if its flag is set
 *        end mark       uint32 0
 *        content checksum uint32, if its flag is set
 */
const MAGIC = 0x184d2204
const VERSION = 0x40
const VERSION_MASK = 0xc0
const BLOCK_CHECKSUMS = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const DICTIONARY = 0x01
const UNCOMPRESSED = 0x8000_0000
/** Each byte of a compressed block can stand for 255 bytes at most. */
const MAX_RATIO = 255

/**
 * Walks a frame before it is decompressed: MESSAGE_TOO_LARGE if more than `maxBytes` would come out, CORRUPT_MESSAGE where its
 * structure is wrong.
 *
 * @returns where the frame ends
 */
export function checkFrameSize(frame: Buffer, maxBytes: number): number {
  const header = readHeader(frame)
  // Most batches are far below the bound, which their blocks' lengths tell already.
  const estimate = walkBlocks(frame, header, (at, end) => Math.min(header.maxBlock, (end - at) * MAX_RATIO))
  if (estimate.size > maxBytes) {
    const measured = walkBlocks(frame, header, (at, end) => uncompressedSize(frame, at, end))
    if (measured.size > maxBytes) throw tooLarge('lz4', maxBytes)
  }
  const end = estimate.end + (header.flags & CONTENT_CHECKSUM ? 4 : 0)
  if (end > frame.length) throw damaged('lz4', 'the frame ends before its checksum')
  return end
}

interface FrameHeader {
  readonly flags: number
  readonly maxBlock: number
  readonly end: number
}

function readHeader(frame: Buffer): FrameHeader {
  if (frame.length < 7 || frame.readUInt32LE(0) !== MAGIC)
    throw damaged('lz4', 'they do not begin as an LZ4 frame does')
  const flags = frame.readUInt8(4)
  if ((flags & VERSION_MASK) !== VERSION) throw damaged('lz4', `the frame's flags are 0x${flags.toString(16)}`)
  if (flags & DICTIONARY) throw damaged('lz4', 'the frame wants a dictionary, which Kafka does not use')
  const blockSizeCode = (frame.readUInt8(5) >> 4) & 7
  if (blockSizeCode < 4) throw damaged('lz4', `the frame's block size has the unknown code ${blockSizeCode}`)
  return { flags, maxBlock: 1 << (8 + 2 * blockSizeCode), end: flags & CONTENT_SIZE ? 15 : 7 }
}

function walkBlocks(
  frame: Buffer,
  header: FrameHeader,
  sizeOfBlock: (at: number, end: number) => number,
): { size: number; end: number } {
  const checksumBytes = header.flags & BLOCK_CHECKSUMS ? 4 : 0
  let size = 0
  let at = header.end
  for (;;) {
    if (at + 4 > frame.length) throw damaged('lz4', 'the frame has no end mark')
    const word = frame.readUInt32LE(at)
    at += 4
    if (word === 0) return { size, end: at }
    const length = word & ~UNCOMPRESSED
    const end = at + length
    if (end + checksumBytes > frame.length) throw damaged('lz4', `a block has the length ${length}`)
    size += word >= UNCOMPRESSED ? length : sizeOfBlock(at, end)
    at = end + checksumBytes
  }
}

/**
 * A compressed block is a list of sequences: a token (high 4 bits: literals, low 4 bits: match length - 4; 15 is continued in
 * further bytes until one is not 255), the literals, and an offset of two bytes for the match; the last has no match.
 */
function uncompressedSize(frame: Buffer, start: number, end: number): number {
  let size = 0
  let at = start
  while (at < end) {
    const token = frame.readUInt8(at++)
    let literals = token >> 4
    if (literals === 15) {
      let more = 255
      while (more === 255 && at < end) literals += more = frame.readUInt8(at++)
    }
    at += literals
    size += literals
    if (at >= end) break
    at += 2
    let match = (token & 15) + 4
    if (match === 19) {
      let more = 255
      while (more === 255 && at < end) match += more = frame.readUInt8(at++)
    }
    size += match
  }
  if (at > end) throw damaged('lz4', 'a block ends within a sequence')
  return size
}
