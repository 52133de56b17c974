import type { StoredBatch } from '@rivulet/storage'
import type { BufferBudget } from './buffer-budget.js'

/**
 * What one partition has fetched and not handled yet: encoded batches in order, and the size of what its handler has in
 * hand. Bounded by the fetcher, which asks {@link hasRoom} before it fetches.
 */
export class PartitionBuffer {
  private batches: StoredBatch[] = []
  private head = 0
  private queuedBytes = 0
  private bytesInHand = 0
  private full = false

  constructor(private readonly budget: BufferBudget) {}

  get isEmpty(): boolean {
    return this.head === this.batches.length
  }

  /** Encoded bytes that wait, and what the handler works on. */
  get bytes(): number {
    return this.queuedBytes + this.bytesInHand
  }

  push(batch: StoredBatch): void {
    this.batches.push(batch)
    this.queuedBytes += batch.bytes.length
    this.budget.account(batch.bytes.length)
  }

  peek(): StoredBatch | undefined {
    return this.batches[this.head]
  }

  /** The next batch; from here on its bytes count as in hand. */
  take(): StoredBatch | undefined {
    const batch = this.batches[this.head]
    if (batch === undefined) return undefined
    this.head++
    if (this.head === this.batches.length) {
      this.batches = []
      this.head = 0
    } else if (this.head >= 64) {
      this.batches = this.batches.slice(this.head)
      this.head = 0
    }
    this.queuedBytes -= batch.bytes.length
    this.bytesInHand += batch.bytes.length
    return batch
  }

  /** More bytes in hand than were taken: batches that were compressed. */
  addInHand(bytes: number): void {
    this.bytesInHand += bytes
    this.budget.account(bytes)
  }

  /** A handler is done with bytes that it had in hand. */
  releaseInHand(bytes: number): void {
    this.bytesInHand -= bytes
    this.budget.account(-bytes)
  }

  /** Forgets what waits; what the handler has in hand stays accounted for until it is done. */
  clear(): void {
    this.budget.account(-this.queuedBytes)
    this.batches = []
    this.head = 0
    this.queuedBytes = 0
    this.full = false
  }

  /**
   * Whether to fetch more. A buffer that was full is fetched for again only when half of it is free, so that a slow
   * handler costs one fetch for many batches. An empty partition always has room for a batch, whatever the others hold:
   * partitions with slow handlers can use up the budget of all, but not stop the rest.
   */
  hasRoom(maxBytes: number): boolean {
    if (this.bytes === 0) {
      this.full = false
      return true
    }
    if (this.full) this.full = this.bytes > maxBytes / 2
    else this.full = this.bytes >= maxBytes
    return !this.full && this.budget.available > 0
  }
}
