/**
 * The bytes that all partitions of a consumer hold together: fetched and not decoded, decoded and not handled, and what
 * fetches under way may still bring. Kafka's `fetch.max.bytes` bounds one answer; this bounds them all.
 */
export class BufferBudget {
  private usedBytes = 0
  private reservedBytes = 0

  constructor(readonly maxBytes: number) {}

  get used(): number {
    return this.usedBytes
  }

  /** What a fetch may ask for now; 0 or less when nothing is left. */
  get available(): number {
    return this.maxBytes - this.usedBytes - this.reservedBytes
  }

  /** A positive number takes, a negative one gives back. */
  account(bytes: number): void {
    this.usedBytes += bytes
  }

  /** Sets bytes aside for a fetch that is under way, so that another lane does not count on them too. */
  reserve(bytes: number): void {
    this.reservedBytes += bytes
  }

  release(bytes: number): void {
    this.reservedBytes -= bytes
  }
}
