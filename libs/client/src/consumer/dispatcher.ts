import { type KafkaJSError, KafkaJSProtocolError } from '../errors.js'
import type { RetrySettings } from '../retry.js'
import type { AssignedPartition } from './assigned-partition.js'
import { BatchProcessor, type BatchProcessorOptions } from './batch-processor.js'
import { RetryState } from './retry-state.js'
import { Termination } from './termination.js'
import type { WorkInHand } from './work-in-hand.js'

/** What a handler gets, and throws back, where the group has moved on without it. */
const GROUP_MOVED_ON: ReadonlySet<string> = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
])

export interface DispatcherOptions extends BatchProcessorOptions {
  /** How many partitions are worked on at a time. */
  readonly partitionsConsumedConcurrently: number
  readonly retry: RetrySettings
  /** The partition has room for more, or must be fetched anew. */
  readonly onDrained: (partition: AssignedPartition) => void
  /** A handler's error that trying again has not cured, or cannot. */
  readonly onCrash: (error: KafkaJSError) => void
}

/**
 * Hands buffered records to the application's handlers: a partition at a time in each of a number of workers, partitions
 * in turn. An error is retried where it happened: other partitions go on.
 */
export class Dispatcher {
  private readonly processor: BatchProcessor
  private readonly busy = new Map<AssignedPartition, Termination>()
  private readonly failures = new WeakMap<
    AssignedPartition,
    { readonly retry: RetryState; readonly position: number }
  >()
  private readonly waiting = new Map<AssignedPartition, NodeJS.Timeout>()
  private running = true
  private turn = 0

  constructor(private readonly options: DispatcherOptions) {
    this.processor = new BatchProcessor(options)
  }

  /** What handlers have in hand at the moment. */
  get works(): ReadonlySet<WorkInHand> {
    return this.processor.works
  }

  /** Something may be there to work on. */
  notify(): void {
    while (this.running && this.busy.size < this.options.partitionsConsumedConcurrently) {
      const partition = this.nextReady()
      if (partition === undefined) return
      const ended = new Termination()
      this.busy.set(partition, ended)
      void this.work(partition, ended)
    }
  }

  /** Resolves when the handler has ended its current message or batch of the partition, and what came of it is committed. */
  async handled(partition: AssignedPartition): Promise<void> {
    await this.busy.get(partition)?.promise
  }

  /** No handler is called any more; resolves when those that run have ended their message or batch. */
  async stop(): Promise<void> {
    this.running = false
    this.processor.stop()
    for (const timer of this.waiting.values()) clearTimeout(timer)
    this.waiting.clear()
    await Promise.all([...this.busy.values()].map(({ promise }) => promise))
  }

  private nextReady(): AssignedPartition | undefined {
    if (!this.options.hooks.mayWork) return undefined
    const { partitions } = this.options.subscription
    for (let i = 0; i < partitions.length; i++) {
      const index = (this.turn + i) % partitions.length
      const partition = partitions[index]
      if (partition === undefined || !this.isReady(partition)) continue
      this.turn = index + 1
      return partition
    }
    return undefined
  }

  private isReady(partition: AssignedPartition): boolean {
    return (
      !partition.buffer.isEmpty &&
      !partition.needsValidation &&
      !partition.revoking &&
      !this.busy.has(partition) &&
      !this.waiting.has(partition) &&
      !this.options.subscription.isPaused(partition)
    )
  }

  private async work(partition: AssignedPartition, ended: Termination): Promise<void> {
    try {
      await this.processor.process(partition)
      this.failures.delete(partition)
    } catch (error) {
      this.failed(partition, error)
    } finally {
      this.busy.delete(partition)
      ended.resolve()
      this.options.onDrained(partition)
      this.notify()
    }
  }

  private failed(partition: AssignedPartition, thrown: unknown): void {
    const { logger, onCrash } = this.options
    const { topic, partition: number } = partition
    // What fails of a partition that is another member's by now is that one's to do.
    if (!this.running || partition.revoking || partition.gone) return
    const after = this.failureOf(partition).failed(asRetriable(thrown))
    if (after.kind === 'give-up') return onCrash(after.error)
    logger.debug('Error while processing a partition, trying again…', {
      topic,
      partition: number,
      error: after.error.message,
      retryTime: after.wait,
    })
    const timer = setTimeout(() => {
      this.waiting.delete(partition)
      this.notify()
    }, after.wait)
    this.waiting.set(partition, timer)
  }

  /** Failures further on are other failures: only a position that does not move uses up the tries. */
  private failureOf(partition: AssignedPartition): RetryState {
    const { position } = partition
    const before = this.failures.get(partition)
    if (before?.position === position) return before.retry
    const retry = new RetryState(this.options.retry)
    this.failures.set(partition, { retry, position })
    return retry
  }
}

/** kafkajs joins anew where the group has moved on: here only what it happened to is done again. */
function asRetriable(thrown: unknown): unknown {
  if (!(thrown instanceof KafkaJSProtocolError) || !GROUP_MOVED_ON.has(thrown.type)) return thrown
  return new KafkaJSProtocolError(thrown, { retriable: true, cause: thrown })
}
