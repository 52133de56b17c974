import { Fifo } from './fifo.js'

/** Something that waits for memory. */
export interface MemoryWaiter {
  /** Called when there is memory, in the order of the waiting. */
  admit(): void
  /** Called when there was none for too long. */
  expire(): void
}

interface Waiting {
  readonly waiter: MemoryWaiter
  readonly deadline: number
}

/**
 * Counts the bytes of the messages that are accepted and not yet stored. Beyond the limit newcomers wait, first come,
 * first served. What is let in takes all that it needs, so that a send may exceed the limit, but only one at a time.
 */
export class BufferMemory {
  readonly #limit: number
  readonly #maxBlockMs: number
  readonly #waiting = new Fifo<Waiting>()
  #used = 0
  #timer: NodeJS.Timeout | undefined
  #admitting = false

  constructor(limit: number, maxBlockMs: number) {
    this.#limit = limit
    this.#maxBlockMs = maxBlockMs
  }

  get used(): number {
    return this.#used
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Whether a newcomer is let in without waiting. */
  get available(): boolean {
    return this.#used < this.#limit && this.#waiting.length === 0
  }

  take(bytes: number): void {
    this.#used += bytes
  }

  /** Gives bytes back and lets waiters in. */
  release(bytes: number): void {
    this.#used -= bytes
    if (this.#waiting.length > 0) this.#admit()
  }

  wait(waiter: MemoryWaiter): void {
    this.#waiting.push({ waiter, deadline: Date.now() + this.#maxBlockMs })
    this.#timer ??= setTimeout(this.#expire, this.#maxBlockMs)
  }

  /** Ends every wait by expiry. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const { waiter } of this.#waiting.drain()) waiter.expire()
  }

  #admit(): void {
    // Admitting may release: a send that fails at once, for example.
    if (this.#admitting) return
    this.#admitting = true
    while (this.#used < this.#limit) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      next.waiter.admit()
    }
    this.#admitting = false
    if (this.#waiting.length === 0) {
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  readonly #expire = (): void => {
    this.#timer = undefined
    const now = Date.now()
    for (let head = this.#waiting.peek(); head !== undefined; head = this.#waiting.peek()) {
      if (head.deadline > now) {
        this.#timer = setTimeout(this.#expire, head.deadline - now)
        return
      }
      this.#waiting.shift()
      head.waiter.expire()
    }
  }
}
