import { Fifo } from './fifo.js'
import type { PartitionQueue } from './partition-queue.js'
import type { ProducerBatch } from './producer-batch.js'

/** The partitions whose open batch waits for lingerMs, in the order of beginning to: one timer for all. */
export class LingerList {
  readonly #lingerMs: number
  readonly #over: (queue: PartitionQueue) => void
  readonly #queues = new Fifo<PartitionQueue>()
  #timer: NodeJS.Timeout | undefined

  /** @param over called when a partition's open batch has waited long enough */
  constructor(lingerMs: number, over: (queue: PartitionQueue) => void) {
    this.#lingerMs = lingerMs
    this.#over = over
  }

  /** Whether the batch has waited long enough. */
  isOver(batch: ProducerBatch): boolean {
    return this.#lingerMs === 0 || batch.createdAt + this.#lingerMs <= Date.now()
  }

  add(queue: PartitionQueue): void {
    if (queue.lingering) return
    queue.lingering = true
    this.#queues.push(queue)
    this.#timer ??= setTimeout(this.#expire, this.#lingerMs)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#queues.drain()
  }

  readonly #expire = (): void => {
    this.#timer = undefined
    const now = Date.now()
    for (let queue = this.#queues.peek(); queue !== undefined; queue = this.#queues.peek()) {
      const left = queue.open === null ? 0 : queue.open.createdAt + this.#lingerMs - now
      if (left > 0) {
        this.#timer = setTimeout(this.#expire, left)
        return
      }
      this.#queues.shift()
      queue.lingering = false
      this.#over(queue)
    }
  }
}
