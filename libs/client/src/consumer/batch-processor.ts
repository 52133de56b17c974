import { setImmediate as nextTurn } from 'node:timers/promises'
import { KafkaError } from '@rivulet/protocol'
import type { StoredBatch } from '@rivulet/storage'
import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError, toError, toKafkaJSError } from '../errors.js'
import type { EachBatchHandler, EachMessageHandler, Logger } from '../types.js'
import type { AssignedPartition } from './assigned-partition.js'
import { Batch } from './batch.js'
import type { ConsumerInstrumentation } from './consumer-events.js'
import { decodeBatches, type DecodedBatches } from './decode-batches.js'
import { parseOffset } from './offset-reset.js'
import { MessagePayload } from './payloads.js'
import type { SubscriptionState } from './subscription-state.js'
import type { WorkHooks } from './work-hooks.js'
import { WorkInHand } from './work-in-hand.js'

/** For this long handlers run on without a turn of the event loop, ms. */
const SLICE_MS = 10
/** Looking at the clock costs; quick messages are handed out so many at a time without looking … */
const MESSAGES_PER_LOOK = 32
/** … unless they took longer than this, ms. */
const SLOW_MS = 1

export interface BatchProcessorOptions {
  readonly subscription: SubscriptionState
  readonly eachMessage?: EachMessageHandler | undefined
  readonly eachBatch?: EachBatchHandler | undefined
  readonly eachBatchAutoResolve: boolean
  /** The most encoded bytes of one batch; one record batch may exceed it. */
  readonly maxBytesPerPartition: number
  readonly hooks: WorkHooks
  readonly instrumentation: ConsumerInstrumentation
  readonly logger: Logger
  /** Pauses and resumes on behalf of a handler: others must hear of it, too. */
  readonly pause: (topic: string, partition: number) => void
  readonly resume: (topic: string, partition: number) => void
}

/** Hands what is buffered of a partition to the application's handler, a batch at a time. */
export class BatchProcessor {
  private running = true
  private readonly inHand = new Set<WorkInHand>()
  private sliceStart = performance.now()
  private lookedAt = performance.now()
  private messagesToLook = 1

  constructor(private readonly options: BatchProcessorOptions) {}

  /** What handlers have in hand at the moment. */
  get works(): ReadonlySet<WorkInHand> {
    return this.inHand
  }

  /** No handler is called any more; those that run may finish the message or batch that they are at. */
  stop(): void {
    this.running = false
    for (const work of this.inHand) work.abort()
  }

  /** One batch of the partition. @throws what the handler throws, or what is wrong with the batch */
  async process(partition: AssignedPartition): Promise<void> {
    const { buffer, generation, position } = partition
    const batches = this.take(partition)
    let bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
    const takenEnd = partition.inHandEnd
    try {
      const decoding = decode(batches, partition, position)
      const decoded = decoding instanceof Promise ? await decoding : decoding
      buffer.addInHand(decoded.extraBytes)
      bytes += decoded.extraBytes
      const work = new WorkInHand(partition, generation)
      // While it was decompressed the application may have sought elsewhere, or stopped.
      if (work.isOver || !this.mayGoOn) return
      const batch = new Batch(partition.topic, partition.partition, partition.logEndOffset, decoded)
      if (batch.isEmptyIncludingFiltered()) partition.resolve(decoded.endOffset)
      else await this.handle(work, batch, decoded.endOffset)
    } finally {
      buffer.releaseInHand(bytes)
      if (partition.generation === generation) {
        partition.inHandEnd = -1
        if (partition.position !== takenEnd) partition.rewindTo(partition.position)
      }
    }
  }

  private get mayGoOn(): boolean {
    return this.running && this.options.hooks.mayWork
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

  private async handle(work: WorkInHand, batch: Batch, end: number): Promise<void> {
    const { instrumentation, hooks } = this.options
    const { partition } = work
    const begun = Date.now()
    if (instrumentation.hasListeners('consumer.start_batch_process')) {
      instrumentation.emit('consumer.start_batch_process', describe(batch))
    }
    partition.work = work
    this.inHand.add(work)
    try {
      await this.callHandler(work, batch, end)
    } catch (error) {
      this.logFailure(work, batch, error)
      await hooks.afterBatch()
      throw error
    } finally {
      this.inHand.delete(work)
      if (partition.work === work) partition.work = null
    }
    if (instrumentation.hasListeners('consumer.end_batch_process')) {
      instrumentation.emit('consumer.end_batch_process', { ...describe(batch), duration: Date.now() - begun })
    }
    await hooks.afterBatch()
  }

  private async callHandler(work: WorkInHand, batch: Batch, end: number): Promise<void> {
    const { eachMessage, eachBatch } = this.options
    if (batch.isEmpty()) work.partition.resolve(end)
    else if (eachMessage !== undefined) await this.runEachMessage(eachMessage, work, batch, end)
    else if (eachBatch !== undefined) await this.runEachBatch(eachBatch, work, batch, end)
  }

  private logFailure({ partition, isOver }: WorkInHand, batch: Batch, thrown: unknown): void {
    // Whoever is told to end throws it back: that is no error of the handler's.
    if (thrown instanceof KafkaJSError || (isOver && isAbort(thrown))) return
    const { topic, partition: number, position } = partition
    const error = toError(thrown)
    const { stack } = error
    const [method, offset] =
      this.options.eachMessage === undefined ? ['eachBatch', batch.firstOffset()] : ['eachMessage', String(position)]
    this.options.logger.error(`Error when calling ${method}`, { topic, partition: number, offset, stack, error })
  }

  private async runEachMessage(
    eachMessage: EachMessageHandler,
    work: WorkInHand,
    { topic, partition, messages }: Batch,
    end: number,
  ): Promise<void> {
    const { hooks, subscription } = this.options
    const assigned = work.partition
    const heartbeat = this.heartbeatFunction(work)
    const pause = this.pauseFunction(assigned)
    const last = messages.length - 1
    for (const [i, message] of messages.entries()) {
      if (work.isOver) return
      const result: unknown = eachMessage(new MessagePayload(topic, partition, message, heartbeat, pause, work))
      if (isThenable(result)) await result
      // The handler may have sought elsewhere, or the partition may be another consumer's by now.
      if (!work.counts) return
      assigned.resolve(i === last ? end : Number(message.offset) + 1)
      const pending = hooks.afterMessage()
      if (pending !== undefined) await pending
      if (subscription.isPaused(assigned)) return
      if (--this.messagesToLook > 0) continue
      await this.lookAtClock()
      if (!this.mayGoOn) return
    }
  }

  private async runEachBatch(eachBatch: EachBatchHandler, work: WorkInHand, batch: Batch, end: number): Promise<void> {
    const { hooks, eachBatchAutoResolve } = this.options
    const assigned = work.partition
    const lastShown = batch.messages.at(-1)?.offset
    const tell = (isOver: boolean): boolean => {
      work.wasTold ||= isOver
      return isOver
    }
    await eachBatch({
      batch,
      resolveOffset: (offset) => {
        const parsed = parseOffset(offset)
        if (parsed === null) throw new KafkaJSNonRetriableError(`Invalid offset, expected a long received ${offset}`)
        work.signsOfLife++
        if (!work.counts) return
        // Control records after the last message are never shown, so nobody else could resolve them.
        assigned.resolve(String(parsed) === lastShown ? end : parsed + 1)
      },
      heartbeat: this.heartbeatFunction(work),
      pause: this.pauseFunction(assigned),
      commitOffsetsIfNecessary: (offsets) => hooks.commitOffsetsIfNecessary(offsets),
      uncommittedOffsets: () => hooks.uncommittedOffsets(),
      isRunning: () => !tell(!this.running),
      isStale: () => tell(!work.counts || assigned.revoking),
      get signal() {
        return work.signal
      },
    })
    // A handler that was told to end may have left off anywhere: only it knows how far it got.
    if (eachBatchAutoResolve && work.counts && !work.wasTold) assigned.resolve(end)
    await this.lookAtClock()
  }

  private heartbeatFunction(work: WorkInHand): () => Promise<void> {
    return async () => {
      work.signsOfLife++
      if (work.isTakenAway) {
        work.wasTold = true
        const { topic, partition } = work.partition
        const message = `${topic}-${partition} is being given to another member of the group`
        throw new KafkaJSProtocolError(new KafkaError('REBALANCE_IN_PROGRESS', message))
      }
      await this.options.hooks.heartbeat()
    }
  }

  private pauseFunction({ topic, partition }: AssignedPartition): () => () => void {
    return () => {
      this.options.pause(topic, partition)
      return () => this.options.resume(topic, partition)
    }
  }

  /** Handlers that never wait for anything would keep sockets and timers from their turn. */
  private async lookAtClock(): Promise<void> {
    const now = performance.now()
    this.messagesToLook = now - this.lookedAt > SLOW_MS ? 1 : MESSAGES_PER_LOOK
    this.lookedAt = now
    if (now - this.sliceStart < SLICE_MS) return
    await nextTurn()
    this.sliceStart = performance.now()
  }
}

/** A damaged batch says what is wrong with it, not where it is: that is added. */
function decode(
  batches: readonly StoredBatch[],
  { topic, partition }: AssignedPartition,
  position: number,
): DecodedBatches | Promise<DecodedBatches> {
  const failed = (error: unknown): never => {
    if (!(error instanceof KafkaError)) throw error
    const [from, to] = [batches[0]?.baseOffset, batches.at(-1)?.endOffset]
    const message = `${topic}-${partition}, batches from offset ${from} to ${to}: ${error.message}`
    throw toKafkaJSError(new KafkaError(error.type, message, { ...error.details, topic, partition, cause: error }))
  }
  try {
    const decoded = decodeBatches(batches, position)
    return decoded instanceof Promise ? decoded.catch(failed) : decoded
  } catch (error) {
    return failed(error)
  }
}

/** As events show it. */
function describe(batch: Batch) {
  return {
    topic: batch.topic,
    partition: batch.partition,
    highWatermark: batch.highWatermark,
    offsetLag: batch.offsetLag(),
    offsetLagLow: batch.offsetLagLow(),
    batchSize: batch.messages.length,
    firstOffset: batch.firstOffset() ?? '',
    lastOffset: batch.lastOffset(),
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}

function isAbort(thrown: unknown): boolean {
  return toError(thrown).name === 'AbortError'
}
