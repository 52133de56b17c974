/**
 * What a batch takes in Redis. A stream entry of more than a few kilobytes is one allocation, and the sizes of jemalloc's
 * allocations go up in four steps from one power of two to the next: of what is allocated for a batch that is just above a
 * step, up to a fifth is waste; on average it is a twelfth.
 */

/** What the entry and the stream's node add to a batch: 48 to 56 bytes (measured with Redis 7.0 and 8.0). */
const ENTRY_BYTES = 56

/** Smaller batches are not worth it: the cost of one more outweighs what it saves. */
const MIN_BYTES = 32 * 1024

/** This part of an allocation may stay empty. */
const TOLERATED = 1 / 12

/** How many bytes may be added to a batch of that size until it needs a larger allocation. */
export function roomLeft(batchBytes: number): number {
  const needed = batchBytes + ENTRY_BYTES
  const step = stepOf(needed)
  return Math.ceil(needed / step) * step - needed
}

/**
 * Whether a batch is closed now although it could take more, because it fills its allocation and another piece like its
 * last one would not fit in.
 *
 * @param least below this size it takes more in any case, so that no load is cut into many batches
 */
export function isWellFilled(batchBytes: number, lastPieceBytes: number, least: number): boolean {
  if (batchBytes < MIN_BYTES || batchBytes < least) return false
  const room = roomLeft(batchBytes)
  return room < lastPieceBytes && room <= (batchBytes + ENTRY_BYTES + room) * TOLERATED
}

/** The distance between allocations of about that size. */
function stepOf(bytes: number): number {
  return 2 ** (29 - Math.clz32(bytes - 1))
}
