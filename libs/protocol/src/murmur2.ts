const SEED = 0x9747b28c
const M = 0x5bd1e995

/** Up to this length writing ASCII character by character is faster than calling into Node. */
const MAX_ASCII_LOOP = 20
/** A UTF-16 code unit takes at most three bytes in UTF-8. */
const UTF8_BYTES = 3
/** Where the bytes of a string are put to be hashed; longer strings get a buffer of their own. */
const scratch = Buffer.alloc(1024)

/**
 * The hash by which Kafka's default partitioner spreads keys (`org.apache.kafka.common.utils.Utils.murmur2`): of the bytes,
 * or of the string's UTF-8 bytes. A signed 32-bit number.
 */
export function murmur2(key: Uint8Array | string): number {
  if (typeof key !== 'string') return hashBytes(key, key.length)
  if (key.length * UTF8_BYTES <= scratch.length) return hashBytes(scratch, encode(key))
  const bytes = Buffer.from(key)
  return hashBytes(bytes, bytes.length)
}

/** The partition of a key, as Kafka's default partitioner chooses it. `partitions` must be at least 1. */
export function partitionForKey(key: Uint8Array | string, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/**
 * The hash of kafkajs's LegacyPartitioner, for topics whose keys were spread by it: murmur2 multiplied in floating point
 * (which loses low bits) and run over one more, zero-padded word where the length is not a multiple of 4.
 */
export function legacyMurmur2(key: Uint8Array | string): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  const length = bytes.length
  let hash = SEED ^ length
  for (let at = 0; at < length; at += 4) {
    let word =
      byteAt(bytes, at) + (byteAt(bytes, at + 1) << 8) + (byteAt(bytes, at + 2) << 16) + (byteAt(bytes, at + 3) << 24)
    word *= M
    word ^= word >>> 24
    hash = (hash * M) ^ (word * M)
  }
  const tail = length & ~3
  const rest = length & 3
  if (rest === 3) hash ^= byteAt(bytes, tail + 2) << 16
  if (rest >= 2) hash ^= byteAt(bytes, tail + 1) << 8
  if (rest >= 1) hash = (hash ^ byteAt(bytes, tail)) * M
  hash ^= hash >>> 13
  hash *= M
  return hash ^ (hash >>> 15)
}

function hashBytes(bytes: Uint8Array, length: number): number {
  const tail = length & ~3
  let hash = SEED ^ length
  for (let at = 0; at < tail; at += 4) {
    hash = mix(
      hash,
      byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24),
    )
  }
  const rest = length & 3
  if (rest === 3) hash ^= byteAt(bytes, tail + 2) << 16
  if (rest >= 2) hash ^= byteAt(bytes, tail + 1) << 8
  if (rest >= 1) hash = Math.imul(hash ^ byteAt(bytes, tail), M)
  return finish(hash)
}

/** Writes a string into the scratch buffer and returns its length in bytes. */
function encode(text: string): number {
  const length = text.length
  if (length > MAX_ASCII_LOOP) return scratch.write(text)
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0x7f) return scratch.write(text)
    scratch[at] = code
  }
  return length
}

function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, M)
  return Math.imul(hash, M) ^ Math.imul(scrambled ^ (scrambled >>> 24), M)
}

function finish(hash: number): number {
  const scrambled = Math.imul(hash ^ (hash >>> 13), M)
  return scrambled ^ (scrambled >>> 15)
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}
