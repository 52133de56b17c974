import { setImmediate as nextTurn } from 'node:timers/promises'
import { KafkaError } from '@rivulet/protocol'
import type { StoredBatch } from '@rivulet/storage'
import {
  isRetriable,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  toError,
  toKafkaJSError,
} from '../errors.js'
import type { EachBatchHandler, EachMessageHandler, Logger, Offsets, OffsetsByTopicPartition } from '../types.js'
import type { AssignedPartition } from './assigned-partition.js'
import { Batch } from './batch.js'
import type { ConsumerInstrumentation } from './consumer-events.js'
import { decodeBatches, type DecodedBatches } from './decode-batches.js'
import { parseOffset } from './offset-reset.js'
import type { RetrySettings } from '../retry.js'
import { RetryState } from './retry-state.js'
import type { SubscriptionState } from './subscription-state.js'

/** For this long handlers run on without a turn of the event loop, ms. */
const SLICE_MS = 10
/** Looking at the clock costs; it is looked at once in so many messages. */
const MESSAGES_PER_CLOCK = 32

/** What a group does as records are worked on. Nothing to do is undefined, so that it costs no promise a message. */
export interface WorkHooks {
  heartbeat(): Promise<void>
  /** A message has been resolved. */
  afterMessage(): Promise<void> | undefined
  /** A batch has ended, well or not: what is resolved is to be committed. */
  afterBatch(): Promise<void> | undefined
  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>
  uncommittedOffsets(): OffsetsByTopicPartition
}

export interface DispatcherOptions {
  readonly subscription: SubscriptionState
  readonly eachMessage?: EachMessageHandler | undefined
  readonly eachBatch?: EachBatchHandler | undefined
  readonly eachBatchAutoResolve: boolean
  /** How many partitions are worked on at a time. */
  readonly partitionsConsumedConcurrently: number
  /** The most encoded bytes of one batch; one record batch may exceed it. */
  readonly maxBytesPerPartition: number
  readonly retry: RetrySettings
  readonly hooks: WorkHooks
  readonly instrumentation: ConsumerInstrumentation
  readonly logger: Logger
  /** Pauses and resumes on behalf of a handler: others must hear of it, too. */
  readonly pause: (topic: string, partition: number) => void
  readonly resume: (topic: string, partition: number) => void
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
  private readonly busy = new Set<AssignedPartition>()
  private readonly failures = new WeakMap<AssignedPartition, { readonly retry: RetryState; position: number }>()
  private readonly waiting = new Map<AssignedPartition, NodeJS.Timeout>()
  private running = true
  private turn = 0
  private sliceStart = performance.now()
  private resolveIdle: () => void = () => undefined
  private readonly idle = new Promise<void>((resolve) => {
    this.resolveIdle = resolve
  })

  constructor(private readonly options: DispatcherOptions) {}

  /** Something may be there to work on. */
  notify(): void {
    while (this.running && this.busy.size < this.options.partitionsConsumedConcurrently) {
      const partition = this.nextReady()
      if (partition === undefined) return
      this.busy.add(partition)
      void this.work(partition)
    }
  }

  /** No handler is called any more; resolves when those that run have ended their message or batch. */
  stop(): Promise<void> {
    this.running = false
    for (const timer of this.waiting.values()) clearTimeout(timer)
    this.waiting.clear()
    if (this.busy.size === 0) this.resolveIdle()
    return this.idle
  }

  private nextReady(): AssignedPartition | undefined {
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
      !this.busy.has(partition) &&
      !this.waiting.has(partition) &&
      !this.options.subscription.isPaused(partition)
    )
  }

  private async work(partition: AssignedPartition): Promise<void> {
    try {
      await this.process(partition)
      this.failures.delete(partition)
    } catch (error) {
      this.failed(partition, error)
    } finally {
      this.busy.delete(partition)
      this.options.onDrained(partition)
      if (this.running) this.notify()
      else if (this.busy.size === 0) this.resolveIdle()
    }
  }

  private async process(partition: AssignedPartition): Promise<void> {
    const { buffer, generation, position } = partition
    const batches = this.take(partition)
    let bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
    const takenEnd = partition.inHandEnd
    try {
      const decoded = await this.decode(batches, partition, position)
      buffer.addInHand(decoded.extraBytes)
      bytes += decoded.extraBytes
      const end = decoded.endOffset
      // While it was decompressed the application may have sought elsewhere, or stopped.
      if (partition.generation !== generation || !this.running) return
      const batch = new Batch(partition.topic, partition.partition, partition.logEndOffset, decoded)
      if (batch.isEmptyIncludingFiltered()) partition.resolve(end)
      else await this.handle(partition, generation, batch, end)
    } finally {
      buffer.releaseInHand(bytes)
      if (partition.generation === generation) {
        partition.inHandEnd = -1
        if (partition.position !== takenEnd) partition.rewindTo(partition.position)
      }
    }
  }

  /** As much as one batch may hold, at least one record batch. */
  private take(partition: AssignedPartition): StoredBatch[] {
    const { buffer } = partition
    const batches: StoredBatch[] = []
    let room = this.options.maxBytesPerPartition
    for (let next = buffer.peek(); next !== undefined; next = buffer.peek()) {
      if (batches.length > 0 && next.bytes.length > room) break
      room -= next.bytes.length
      partition.inHandEnd = next.endOffset
      buffer.take()
      batches.push(next)
    }
    return batches
  }

  /** A damaged batch says what is wrong with it, not where it is: that is added. */
  private async decode(
    batches: readonly StoredBatch[],
    { topic, partition }: AssignedPartition,
    position: number,
  ): Promise<DecodedBatches> {
    try {
      return await decodeBatches(batches, position)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const [from, to] = [batches[0]?.baseOffset, batches.at(-1)?.endOffset]
      const message = `${topic}-${partition}, batches from offset ${from} to ${to}: ${error.message}`
      throw toKafkaJSError(new KafkaError(error.type, message, { ...error.details, topic, partition, cause: error }))
    }
  }

  private async handle(partition: AssignedPartition, generation: number, batch: Batch, end: number): Promise<void> {
    const { instrumentation, hooks, eachMessage, eachBatch, logger } = this.options
    const { topic, partition: number } = partition
    const begun = Date.now()
    const payload = {
      topic,
      partition: number,
      highWatermark: batch.highWatermark,
      offsetLag: batch.offsetLag(),
      offsetLagLow: batch.offsetLagLow(),
      batchSize: batch.messages.length,
      firstOffset: batch.firstOffset() ?? '',
      lastOffset: batch.lastOffset(),
    }
    instrumentation.emit('consumer.start_batch_process', payload)
    try {
      if (batch.isEmpty()) partition.resolve(end)
      else if (eachMessage !== undefined) await this.runEachMessage(eachMessage, partition, generation, batch, end)
      else if (eachBatch !== undefined) await this.runEachBatch(eachBatch, partition, generation, batch, end)
    } catch (error) {
      if (!(error instanceof KafkaJSError)) {
        const e = toError(error)
        const method = eachMessage === undefined ? 'eachBatch' : 'eachMessage'
        const offset = eachMessage === undefined ? payload.firstOffset : String(partition.position)
        logger.error(`Error when calling ${method}`, {
          topic,
          partition: number,
          offset,
          stack: e.stack,
          error: e.message,
        })
      }
      await hooks.afterBatch()
      throw error
    }
    instrumentation.emit('consumer.end_batch_process', { ...payload, duration: Date.now() - begun })
    await hooks.afterBatch()
  }

  private async runEachMessage(
    eachMessage: EachMessageHandler,
    assigned: AssignedPartition,
    generation: number,
    { messages }: Batch,
    end: number,
  ): Promise<void> {
    const { hooks, subscription } = this.options
    const { topic, partition } = assigned
    const heartbeat = (): Promise<void> => hooks.heartbeat()
    const pause = this.pauseFunction(assigned)
    const last = messages.length - 1
    for (const [i, message] of messages.entries()) {
      if (!this.running || assigned.generation !== generation) return
      const result: unknown = eachMessage({ topic, partition, message, heartbeat, pause })
      if (isThenable(result)) await result
      // The handler may have sought elsewhere, or the partition may be another consumer's by now.
      if (assigned.generation !== generation) return
      assigned.resolve(i === last ? end : Number(message.offset) + 1)
      const pending = hooks.afterMessage()
      if (pending !== undefined) await pending
      if (subscription.isPaused(assigned)) return
      if (i % MESSAGES_PER_CLOCK === 0) await this.yieldIfDue()
    }
  }

  private async runEachBatch(
    eachBatch: EachBatchHandler,
    assigned: AssignedPartition,
    generation: number,
    batch: Batch,
    end: number,
  ): Promise<void> {
    const { hooks, eachBatchAutoResolve } = this.options
    const lastShown = batch.messages.at(-1)?.offset
    const isStale = (): boolean => assigned.generation !== generation
    await eachBatch({
      batch,
      resolveOffset: (offset) => {
        const parsed = parseOffset(offset)
        if (parsed === null) throw new KafkaJSNonRetriableError(`Invalid offset, expected a long received ${offset}`)
        if (isStale()) return
        // Control records after the last message are never shown, so nobody else could resolve them.
        assigned.resolve(String(parsed) === lastShown ? end : parsed + 1)
      },
      heartbeat: () => hooks.heartbeat(),
      pause: this.pauseFunction(assigned),
      commitOffsetsIfNecessary: (offsets) => hooks.commitOffsetsIfNecessary(offsets),
      uncommittedOffsets: () => hooks.uncommittedOffsets(),
      isRunning: () => this.running,
      isStale,
    })
    if (eachBatchAutoResolve && !isStale()) assigned.resolve(end)
    await this.yieldIfDue()
  }

  private pauseFunction({ topic, partition }: AssignedPartition): () => () => void {
    return () => {
      this.options.pause(topic, partition)
      return () => this.options.resume(topic, partition)
    }
  }

  /** Handlers that never wait for anything would keep sockets and timers from their turn. */
  private async yieldIfDue(): Promise<void> {
    if (performance.now() - this.sliceStart < SLICE_MS) return
    await nextTurn()
    this.sliceStart = performance.now()
  }

  private failed(partition: AssignedPartition, thrown: unknown): void {
    const { logger, onCrash, retry: policy } = this.options
    if (!this.running) return
    const error = toError(thrown)
    if (!isRetriable(error)) {
      onCrash(new KafkaJSNonRetriableError(error, { cause: error.cause ?? error }))
      return
    }
    // Failures further on are other failures: only a position that does not move uses up the tries.
    const before = this.failures.get(partition)
    const failure =
      before?.position === partition.position ? before : { retry: new RetryState(policy), position: partition.position }
    this.failures.set(partition, failure)
    const { retry } = failure
    if (retry.exhausted) {
      onCrash(new KafkaJSNumberOfRetriesExceeded(error, { retryCount: retry.count, retryTime: retry.time }))
      return
    }
    const wait = retry.next()
    logger.debug('Error while processing a partition, trying again…', {
      topic: partition.topic,
      partition: partition.partition,
      error: error.message,
      retryCount: retry.count,
      retryTime: wait,
    })
    const timer = setTimeout(() => {
      this.waiting.delete(partition)
      this.notify()
    }, wait)
    this.waiting.set(partition, timer)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
