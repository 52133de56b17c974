import type { KafkaError } from '@rivulet/protocol'

import { expiryError } from './batch-failure.js'
import type { PartitionQueue } from './partition-queue.js'
import { BatchState, type ProducerBatch } from './producer-batch.js'

export interface DeadlineParts {
  readonly deliveryTimeoutMs: number
  readonly queues: ReadonlySet<PartitionQueue>
  /** A batch that was its partition's current one has been answered, and is over. */
  readonly done: (batch: ProducerBatch) => void
  /** A batch that still waited has been answered, and is in no queue any more. */
  readonly dropped: (batch: ProducerBatch) => void
}

/** Fails the batches that are not stored deliveryTimeoutMs after they were begun: one timer for all. */
export class DeliveryDeadlines {
  readonly #parts: DeadlineParts
  #timer: NodeJS.Timeout | undefined

  constructor(parts: DeadlineParts) {
    this.#parts = parts
  }

  /** A batch was begun: from now on its deadline runs. */
  begun(): void {
    this.#timer ??= setTimeout(this.#sweep, this.#parts.deliveryTimeoutMs)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  readonly #sweep = (): void => {
    this.#timer = undefined
    const { deliveryTimeoutMs, queues } = this.#parts
    const now = Date.now()
    let oldest = Infinity
    for (const queue of queues) {
      this.#expire(queue, now - deliveryTimeoutMs)
      oldest = Math.min(oldest, oldestOf(queue))
    }
    if (oldest === Infinity) return
    this.#timer = setTimeout(this.#sweep, Math.max(oldest + deliveryTimeoutMs - now, 1))
  }

  #expire(queue: PartitionQueue, begunUntil: number): void {
    const { current } = queue
    // What still waits does so because of the current batch.
    const cause = current?.lastError ?? null
    if (current !== null && !current.settled && current.createdAt <= begunUntil) {
      clearTimeout(current.timer)
      this.#reject(current, cause)
      // What its codec or the log has in hand stays the current one until it comes back: the order depends on it.
      const isBusy = current.state === BatchState.Building || current.state === BatchState.InFlight
      if (!isBusy) this.#parts.done(current)
    }
    for (const batch of queue.takeBegunUntil(begunUntil)) {
      this.#reject(batch, cause)
      this.#parts.dropped(batch)
    }
  }

  #reject(batch: ProducerBatch, cause: KafkaError | null): void {
    batch.reject(expiryError(batch, cause, this.#parts.deliveryTimeoutMs))
  }
}

/** When the queue's oldest batch that still has a deadline was begun. */
function oldestOf(queue: PartitionQueue): number {
  const { current } = queue
  if (current !== null && !current.settled) return current.createdAt
  return queue.closed.peek()?.createdAt ?? queue.open?.createdAt ?? Infinity
}
