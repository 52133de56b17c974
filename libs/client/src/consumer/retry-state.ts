import { firstRetryTime, nextRetryTime, type RetrySettings } from '../retry.js'

/** Where a row of failures stands: how often it was tried again, and how long the next wait is. A success starts anew. */
export class RetryState {
  /** Tries after the first one. */
  count = 0
  /** The wait before the next try, in ms. */
  time: number

  constructor(private readonly settings: RetrySettings) {
    this.time = firstRetryTime(settings)
  }

  get exhausted(): boolean {
    return this.count >= this.settings.retries
  }

  /** Counts a failure and answers how long to wait before the next try, in ms. */
  next(): number {
    const wait = this.time
    this.count++
    this.time = nextRetryTime(this.settings, wait)
    return wait
  }

  succeeded(): void {
    if (this.count === 0) return
    this.count = 0
    this.time = firstRetryTime(this.settings)
  }
}
