import { damaged, tooLarge } from './compression-type.js'

/**
 * The ZSTD frame; numbers are little-endian:
 *
 *     magic          uint32 0xFD2FB528
 *     descriptor     bits 6-7 length of the content size, 5 single segment, 2 checksum, 0-1 length of the dictionary id
 *     window         uint8, unless single segment
 *     dictionary id  0, 1, 2 or 4 bytes
 *     content size   0 (1 if single segment), 2 (less 256), 4 or 8 bytes
 *     blocks, each:  3 bytes: bit 0 last, bits 1-2 type (0 raw, 1 one byte repeated, 2 compressed), the others size; data
 *     checksum       uint32, if its flag is set
 *
 * A frame with a magic of 0x184D2A50 to 0x184D2A5F is skipped: uint32 size, data.
 */
const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a5
const SINGLE_SEGMENT = 0x20
const CHECKSUM = 0x04
const MAX_BLOCK = 128 * 1024
const RAW = 0
const REPEATED = 1
const COMPRESSED = 2

export interface ZstdFrame {
  readonly start: number
  readonly end: number
  /** What to allocate for it: its content size if it tells it, else an upper bound that is not above `maxBytes`. */
  readonly capacity: number
}

/**
 * Walks the frames before they are decompressed.
 *
 * @throws KafkaError CORRUPT_MESSAGE where their structure is wrong, MESSAGE_TOO_LARGE if they say that more than `maxBytes`
 *   will come out
 */
export function zstdFrames(bytes: Buffer, maxBytes: number): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  let declared = 0
  let at = 0
  while (at < bytes.length) {
    if (readUInt(bytes, at, 4) >>> 4 === SKIPPABLE) {
      at += 8 + readUInt(bytes, at + 4, 4)
      if (at > bytes.length) throw damaged('zstd', 'a skippable frame ends behind them')
      continue
    }
    const header = readHeader(bytes, at)
    const blocks = walkBlocks(bytes, header.end)
    const end = blocks.end + (header.hasChecksum ? 4 : 0)
    if (end > bytes.length) throw damaged('zstd', 'the frame ends before its checksum')
    declared += header.contentSize ?? 0
    if (declared > maxBytes) throw tooLarge('zstd', maxBytes)
    frames.push({ start: at, end, capacity: header.contentSize ?? Math.min(blocks.maxSize, maxBytes) })
    at = end
  }
  if (frames.length === 0) throw damaged('zstd', 'there is no ZSTD frame')
  return frames
}

interface FrameHeader {
  readonly end: number
  readonly contentSize: number | null
  readonly hasChecksum: boolean
}

function readHeader(bytes: Buffer, start: number): FrameHeader {
  if (readUInt(bytes, start, 4) !== MAGIC) throw damaged('zstd', 'they do not begin as a ZSTD frame does')
  const descriptor = readUInt(bytes, start + 4, 1)
  const isSingleSegment = (descriptor & SINGLE_SEGMENT) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const sizeAt = start + 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes
  const contentSize = sizeBytes === 0 ? null : readUInt(bytes, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  return { end: sizeAt + sizeBytes, contentSize, hasChecksum: (descriptor & CHECKSUM) !== 0 }
}

function walkBlocks(bytes: Buffer, start: number): { end: number; maxSize: number } {
  let maxSize = 0
  let at = start
  for (;;) {
    const header = readUInt(bytes, at, 3)
    const type = (header >> 1) & 3
    const size = header >> 3
    if (type > COMPRESSED || size > MAX_BLOCK)
      throw damaged('zstd', `a block has the type ${type} and the size ${size}`)
    at += 3 + (type === REPEATED ? 1 : size)
    maxSize += type === RAW || type === REPEATED ? size : MAX_BLOCK
    if (at > bytes.length) throw damaged('zstd', 'a block ends behind them')
    if (header & 1) return { end: at, maxSize }
  }
}

function readUInt(bytes: Buffer, at: number, length: number): number {
  if (at + length > bytes.length) throw damaged('zstd', 'they end within a frame')
  return length === 8
    ? bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000
    : bytes.readUIntLE(at, length)
}
