import { KafkaError } from '../errors.js'

/**
 * Kafka's varints: protobuf's zigzag encoding. `n` becomes `2n`, or `-2n - 1` if negative, in groups of 7 bits, the lowest
 * first; the high bit of a byte says that another follows. An int32 takes 1 to 5 bytes, an int64 1 to 10.
 */
export function sizeOfVarint(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x200000 ? 3 : zigzag < 0x10000000 ? 4 : 5
}

/** Writes an int32 and returns where it ends. */
export function writeVarint(buffer: Uint8Array, position: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  while (zigzag > 0x7f) {
    buffer[position++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  buffer[position++] = zigzag
  return position
}

/** Writes a safe integer as an int64 and returns where it ends. */
export function writeVarlong(buffer: Uint8Array, position: number, value: number): number {
  if ((value | 0) === value) return writeVarint(buffer, position, value)
  let zigzag = BigInt(value) << 1n
  if (value < 0) zigzag = ~zigzag
  while (zigzag > 0x7fn) {
    buffer[position++] = Number(zigzag & 0x7fn) | 0x80
    zigzag >>= 7n
  }
  buffer[position++] = Number(zigzag)
  return position
}

/**
 * Where the last readVarint or readVarlong stopped. A second result without an object for it: valid until the next call,
 * and possibly beyond the end of the buffer (bytes there count as zero), which the caller must check.
 */
export let varintEnd = 0

/** Reads an int32; CORRUPT_MESSAGE if it is longer than 5 bytes. */
export function readVarint(buffer: Uint8Array, position: number): number {
  let byte = buffer[position] ?? 0
  let zigzag = byte & 0x7f
  let shift = 7
  while (byte > 0x7f) {
    if (shift > 28) throw new KafkaError('CORRUPT_MESSAGE', 'A varint in the record batch is longer than 5 bytes')
    byte = buffer[++position] ?? 0
    zigzag |= (byte & 0x7f) << shift
    shift += 7
  }
  varintEnd = position + 1
  return (zigzag >>> 1) ^ -(zigzag & 1)
}

/** Reads an int64; CORRUPT_MESSAGE if it is longer than 10 bytes or no safe integer. */
export function readVarlong(buffer: Uint8Array, position: number): number {
  const isShort =
    (buffer[position] ?? 0) < 0x80 ||
    (buffer[position + 1] ?? 0) < 0x80 ||
    (buffer[position + 2] ?? 0) < 0x80 ||
    (buffer[position + 3] ?? 0) < 0x80
  return isShort ? readVarint(buffer, position) : readLongVarlong(buffer, position)
}

function readLongVarlong(buffer: Uint8Array, position: number): number {
  let zigzag = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = buffer[position++] ?? 0
    zigzag |= BigInt(byte & 0x7f) << shift
    if (byte > 0x7f) continue
    varintEnd = position
    const unsigned = BigInt.asUintN(64, zigzag)
    const value = Number((unsigned >> 1n) ^ -(unsigned & 1n))
    if (Number.isSafeInteger(value)) return value
    throw new KafkaError('CORRUPT_MESSAGE', `The record batch holds the number ${value}, beyond the safe integers`)
  }
  throw new KafkaError('CORRUPT_MESSAGE', 'A varlong in the record batch is longer than 10 bytes')
}
