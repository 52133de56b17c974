import { viewOf } from './view.js'

const SLAB_BYTES = 128 * 1024
/** More than this is allocated for itself. */
const MAX_SHARE = SLAB_BYTES / 8

let slab: ArrayBufferLike | null = null
let used = 0

/**
 * Memory for a batch, with anything in it. An allocation of its own costs about a microsecond, and again when it is
 * collected: with a thousand partitions, as much as encoding the few records that each of them gets. So small batches are
 * cut from common slabs. A slab is held for as long as one of its batches is, which is not long.
 */
export function allocateBatch(bytes: number): Buffer {
  if (bytes > MAX_SHARE) return Buffer.allocUnsafeSlow(bytes)
  if (slab === null || used + bytes > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES).buffer
    used = 0
  }
  const batch = viewOf(slab, used, bytes)
  used += bytes
  return batch
}
