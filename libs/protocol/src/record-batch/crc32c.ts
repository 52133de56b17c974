import { createRequire } from 'node:module'

type NativeCrc32c = (bytes: Uint8Array, initial?: number) => number

/** Below this many bytes the call into native code costs more than the table look-ups (measured: even at 256). */
const NATIVE_FROM = 256

const TABLES = 8
const table = makeTable()
const nativeCrc32c = loadNative()

/** CRC-32C (Castagnoli) of `bytes` from `start` up to `end`, unsigned: the checksum of Kafka's record batches. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (nativeCrc32c === null || end - start < NATIVE_FROM) return portableCrc32c(bytes, start, end)
  return nativeCrc32c(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
}

/** The same without the native module: eight bytes a round by table look-up (slicing-by-8). */
export function portableCrc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    crc ^=
      byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)
    crc =
      entry(1792 + (crc & 0xff)) ^
      entry(1536 + ((crc >>> 8) & 0xff)) ^
      entry(1280 + ((crc >>> 16) & 0xff)) ^
      entry(1024 + (crc >>> 24)) ^
      entry(768 + byteAt(bytes, at + 4)) ^
      entry(512 + byteAt(bytes, at + 5)) ^
      entry(256 + byteAt(bytes, at + 6)) ^
      entry(byteAt(bytes, at + 7))
  }
  for (; at < end; at++) crc = entry((crc ^ byteAt(bytes, at)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}

function entry(index: number): number {
  return table[index] ?? 0
}

/** Table k, entry i: the CRC of byte i followed by k zero bytes. */
function makeTable(): Int32Array {
  const made = new Int32Array(TABLES * 256)
  for (let i = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
    made[i] = crc
  }
  for (let i = 256; i < made.length; i++) {
    const shorter = made[i - 256] ?? 0
    made[i] = (made[shorter & 0xff] ?? 0) ^ (shorter >>> 8)
  }
  return made
}

function loadNative(): NativeCrc32c | null {
  // No binary for this platform, or the package left out at install: the tables are about four times slower, and complete.
  try {
    const library: unknown = createRequire(import.meta.url)('@node-rs/crc32')
    return hasCrc32c(library) ? library.crc32c : null
  } catch {
    return null
  }
}

function hasCrc32c(library: unknown): library is { crc32c: NativeCrc32c } {
  return typeof library === 'object' && library !== null && 'crc32c' in library && typeof library.crc32c === 'function'
}
