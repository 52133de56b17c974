import { type Codecs, type CompressionType, KafkaError, patchProducer } from '@rivulet/protocol'
import type { Appender, AppendResult, Partition } from '@rivulet/storage'

import { type KafkaJSError, toKafkaJSError } from '../errors.js'
import type { Logger } from '../types.js'
import { expiryError, failureOf, goneError } from './batch-failure.js'
import { type Outcome, outcomeOf } from './batch-outcome.js'
import type { BufferMemory } from './buffer-memory.js'
import { LingerList } from './linger-list.js'
import { Lane, type PartitionQueue } from './partition-queue.js'
import { BatchState, type ProducerBatch, type StoredAt } from './producer-batch.js'
import type { ProducerSettings } from './producer-settings.js'

/** One call carries at most so many batches, and goes out once it has so many bytes. */
const MAX_BATCHES = 128
const TARGET_BYTES = 1024 * 1024

/** One append call, for those who watch. */
export interface AppendCall {
  readonly lane: Lane
  readonly bytes: number
  /** When the first of its batches was begun, and when it was sent, in ms since 1970. */
  readonly createdAt: number
  readonly sentAt: number
}

/** Told of calls; may be slow to make its payloads, so it is asked first. */
export interface CallObserver {
  sent(call: AppendCall): void
  answered(call: AppendCall, results: readonly AppendResult[]): void
}

export interface SenderParts {
  readonly appender: Appender
  readonly settings: ProducerSettings
  readonly memory: BufferMemory
  readonly codecs: Codecs
  readonly logger: Logger
  readonly observer: CallObserver
  /** The log has answered that the topic of that id is gone. */
  readonly topicGone: (partition: Partition) => void
  /** The last pending batch is over. */
  readonly idle: () => void
}

/**
 * Sends batches, at most one a partition at a time, and deals with what the log answers.
 *
 * A batch's way: it is opened and filled by the accumulator (Waiting); when its partition has nothing under way it becomes
 * the partition's current one, is stamped with producer id, epoch and sequence number and compressed (Building, Ready),
 * and goes out in a call with those of other partitions (InFlight). A failure that can be retried leaves it the current
 * one (BackingOff, Ready, InFlight again), with the same bytes: the log knows it by its sequence number. Everything is
 * done per batch; only answering goes through the sends.
 */
export class Sender {
  readonly #parts: SenderParts
  readonly #lanes = new Map<string, Lane>()
  readonly #queues = new Set<PartitionQueue>()
  readonly #lingering: LingerList
  #deadlineTimer: NodeJS.Timeout | undefined
  #scheduled = false
  #flushing = false
  #closed = false
  /** Batches opened and not let go of. */
  #batches = 0

  constructor(parts: SenderParts) {
    this.#parts = parts
    this.#lingering = new LingerList(parts.settings.lingerMs, (queue) => this.#next(queue))
  }

  lane(partition: Partition): Lane {
    const key = this.#parts.appender.lane(partition)
    let lane = this.#lanes.get(key)
    if (lane === undefined) this.#lanes.set(key, (lane = new Lane(key)))
    return lane
  }

  /** A queue that batches may come from. */
  register(queue: PartitionQueue): void {
    this.#queues.add(queue)
  }

  /** A batch was begun: from now on its deadline runs. */
  opened(): void {
    this.#batches++
    this.#deadlineTimer ??= setTimeout(this.#sweep, this.#parts.settings.deliveryTimeoutMs)
  }

  /** Something was put into the queue. */
  filled(queue: PartitionQueue): void {
    this.#next(queue)
  }

  /** Batches that are not over. */
  get pending(): number {
    return this.#batches
  }

  /** Nothing lingers from now on. */
  flush(): void {
    this.#flushing = true
    for (const queue of this.#queues) this.#next(queue)
  }

  /** Fails everything that is left; what the log still answers is for nobody. */
  close(error: KafkaJSError): void {
    this.#closed = true
    this.#lingering.close()
    clearTimeout(this.#deadlineTimer)
    for (const queue of this.#queues) {
      for (const batch of queue.batches()) {
        clearTimeout(batch.timer)
        batch.reject(error)
      }
    }
    this.#queues.clear()
  }

  #list(queue: PartitionQueue): void {
    queue.listed = true
    queue.lane.ready.push(queue)
    this.#schedule()
  }

  /** Draining waits for the end of the running promise jobs: what they send shares the batches and the call. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(this.#drain)
  }

  readonly #drain = (): void => {
    this.#scheduled = false
    for (const lane of this.#lanes.values()) {
      while (lane.calls < this.#parts.settings.maxInFlightRequests && lane.ready.length > 0) this.#send(lane)
    }
  }

  #send(lane: Lane): void {
    const batches: ProducerBatch[] = []
    let bytes = 0
    while (batches.length < MAX_BATCHES && bytes < TARGET_BYTES) {
      const queue = lane.ready.shift()
      if (queue === undefined) break
      queue.listed = false
      const batch = this.#prepare(queue)
      if (batch?.bytes == null) continue
      batch.state = BatchState.InFlight
      batches.push(batch)
      bytes += batch.bytes.length
    }
    const [first] = batches
    if (first === undefined || this.#closed) return
    lane.calls++
    const call: AppendCall = { lane, bytes, createdAt: first.createdAt, sentAt: Date.now() }
    const requests = batches.map((batch) => ({
      partition: batch.queue.partition,
      config: batch.queue.topic.config,
      batch: batch.bytes ?? EMPTY,
    }))
    this.#parts.observer.sent(call)
    for (const batch of batches) if (batch.acks === 0) batch.resolve(null)
    this.#parts.appender.append(requests).then(
      (results) => this.#answered(call, batches, results),
      // It never rejects; if it does, nothing is known of the batches.
      (cause: unknown) => {
        const error = new KafkaError('UNKNOWN_SERVER_ERROR', `The appender failed: ${String(cause)}`, { cause })
        this.#answered(
          call,
          batches,
          batches.map(() => ({ error })),
        )
      },
    )
  }

  /** The queue's current batch with its bytes, ready to be sent; null if there is none, or not yet. */
  #prepare(queue: PartitionQueue): ProducerBatch | null {
    const batch = queue.current ?? queue.advance()
    if (batch === null || batch.state === BatchState.Ready) return batch
    if (batch.state !== BatchState.Waiting) return null
    if (queue.topic.gone) {
      this.#fail(batch, toKafkaJSError(goneError(queue.partition), queue.partition))
      return null
    }
    batch.state = BatchState.Building
    try {
      const built = this.#build(batch)
      if (Buffer.isBuffer(built)) return this.#built(batch, built) ? batch : null
      built.then(
        (bytes) => {
          if (this.#built(batch, bytes)) this.#list(queue)
        },
        (error: unknown) => this.#buildFailed(batch, error),
      )
      return null
    } catch (error) {
      this.#buildFailed(batch, error)
      return null
    }
  }

  #build(batch: ProducerBatch): Buffer | Promise<Buffer> {
    const { identity } = batch.queue
    batch.queue.lastSize = batch.byteLength
    const codec = this.#codec(batch.compression)
    // acks=0 carries no producer id: nobody reads a refusal, so a gap would go on unnoticed for ever.
    if (batch.acks === 0) return batch.build({ producerId: -1, producerEpoch: -1, baseSequence: -1, ...codec })
    batch.baseSequence = identity.nextSequence
    return batch.build({
      producerId: identity.producerId,
      producerEpoch: identity.epoch,
      baseSequence: batch.baseSequence,
      ...codec,
    })
  }

  #codec(compression: CompressionType): { codec?: Codecs[keyof Codecs] } {
    return compression === 0 ? {} : { codec: this.#parts.codecs[compression] }
  }

  #built(batch: ProducerBatch, bytes: Buffer): boolean {
    if (this.#closed) return false
    const { partition, topic } = batch.queue
    batch.bytes = bytes
    batch.state = BatchState.Ready
    if (batch.settled) {
      // It expired while its codec was at work.
      this.#done(batch)
      return false
    }
    const limit = topic.config.maxMessageBytes
    if (bytes.length <= limit) return true
    const message =
      `A batch of ${batch.count} records for ${partition.topic}-${partition.partition} takes ${bytes.length} bytes, ` +
      `more than the topic's max.message.bytes (${limit})`
    const error = new KafkaError('MESSAGE_TOO_LARGE', message, { size: bytes.length, limit })
    this.#fail(batch, toKafkaJSError(error, partition))
    return false
  }

  #buildFailed(batch: ProducerBatch, error: unknown): void {
    if (!this.#closed) this.#fail(batch, toKafkaJSError(error, batch.queue.partition))
  }

  #answered(call: AppendCall, batches: readonly ProducerBatch[], results: readonly AppendResult[]): void {
    call.lane.calls--
    if (this.#closed) return
    this.#parts.observer.answered(call, results)
    for (let i = 0; i < batches.length; i++) {
      const batch = batches[i]
      const result = results[i]
      if (batch === undefined) continue
      if (result?.error === null) this.#stored(batch, result)
      else this.#failed(batch, result?.error ?? new KafkaError('UNKNOWN_SERVER_ERROR', 'The appender gave no result'))
    }
    if (call.lane.ready.length > 0) this.#schedule()
  }

  #stored(batch: ProducerBatch, at: StoredAt): void {
    const { identity } = batch.queue
    if (batch.acks !== 0) identity.advance(batch.baseSequence, batch.count)
    batch.maybeStored = false
    this.#acknowledge(batch, at)
    this.#done(batch)
  }

  /**
   * The primary has the batch. Here, and nowhere else, acks=-1 will wait until the in-sync replicas have it, too, within
   * the send's `timeout`, while the partition's next batch is on its way; without replicas it is the same as acks=1.
   */
  #acknowledge(batch: ProducerBatch, at: StoredAt): void {
    batch.resolve(at)
  }

  #failed(batch: ProducerBatch, error: KafkaError): void {
    const { settings } = this.#parts
    const timeLeft = batch.createdAt + settings.deliveryTimeoutMs - Date.now()
    const { acks, retries, retryTime, maybeStored, restarted } = batch
    const outcome = outcomeOf({ error, acks, retries, retryTime, maybeStored, restarted, timeLeft }, settings.retry)
    batch.lastError = error
    batch.maybeStored = outcome.maybeStored
    // It expired while it was under way; with acks=0 it was answered when it was sent.
    if (batch.settled && outcome.kind !== 'topic-gone') {
      if (batch.acks === 0) this.#reportLost(batch, error)
      return this.#done(batch)
    }
    this.#act(batch, error, outcome)
  }

  #act(batch: ProducerBatch, error: KafkaError, outcome: Outcome): void {
    const { queue } = batch
    const { partition, identity } = queue
    const { logger, topicGone } = this.#parts
    const where = { topic: partition.topic, partition: partition.partition }
    switch (outcome.kind) {
      case 'retry':
        logger.debug(`Failed to send a batch: ${error.message}`, {
          ...where,
          retryCount: batch.retries,
          retryTime: outcome.delay,
        })
        if (outcome.counts) batch.retries++
        batch.retryTime = outcome.delay
        batch.state = BatchState.BackingOff
        batch.timer = setTimeout(() => this.#resend(batch), outcome.delay)
        return
      case 'restart':
        logger.warn(
          'The log has lost records that it had acknowledged (a failover or a restart without them?). ' +
            'The producer goes on under a new epoch',
          { ...where, producerId: identity.producerId, producerEpoch: identity.epoch, sequence: batch.baseSequence },
        )
        identity.raiseEpoch()
        batch.restarted = true
        return this.#restamp(batch)
      case 'renew':
        logger.warn('Another producer uses the same producer id. This one goes on with a new one', {
          ...where,
          producerId: identity.producerId,
        })
        identity.renew()
        return this.#restamp(batch)
      case 'topic-gone':
        queue.topic.gone = true
        topicGone(partition)
        return this.#fail(batch, toKafkaJSError(error, partition))
      case 'fail':
        return this.#fail(batch, failureOf(batch, error, outcome.reason, this.#parts.settings.deliveryTimeoutMs))
    }
  }

  #resend(batch: ProducerBatch): void {
    batch.timer = undefined
    batch.state = BatchState.Ready
    this.#list(batch.queue)
  }

  /** The same records as another producer state's next ones. */
  #restamp(batch: ProducerBatch): void {
    const { identity } = batch.queue
    batch.baseSequence = identity.nextSequence
    if (batch.bytes !== null) patchProducer(batch.bytes, identity.producerId, identity.epoch, batch.baseSequence)
    this.#resend(batch)
  }

  #reportLost(batch: ProducerBatch, error: KafkaError): void {
    const { topic, partition } = batch.queue.partition
    this.#parts.logger.warn(`A batch sent with acks=0 was not stored: ${error.message}`, {
      topic,
      partition,
      records: batch.count,
    })
  }

  #fail(batch: ProducerBatch, error: KafkaJSError): void {
    batch.reject(error)
    this.#done(batch)
  }

  /** The batch is over: stored, failed, or expired and come back. */
  #done(batch: ProducerBatch): void {
    const { queue } = batch
    // Whether the log has it will never be known. If it has not, the next batch would leave a gap, or be taken for this
    // one; and if it is still on its way, it must not arrive after the next one. A new epoch rules out all of that.
    if (batch.maybeStored) queue.identity.raiseEpoch()
    queue.current = null
    this.#release(batch)
    this.#next(queue)
  }

  #release(batch: ProducerBatch): void {
    // Letting others in first: with the last batch gone they count, or a flush would end too early.
    this.#parts.memory.release(batch.memory)
    if (--this.#batches === 0) this.#parts.idle()
  }

  /** What the queue has to do next. */
  #next(queue: PartitionQueue): void {
    if (queue.listed || queue.current !== null) return
    if (queue.closed.length > 0) return this.#list(queue)
    if (queue.open === null) {
      if (queue.topic.gone) this.#queues.delete(queue)
      return
    }
    if (this.#flushing || this.#lingering.isOver(queue.open)) this.#list(queue)
    else this.#lingering.add(queue)
  }

  /** Fails what is past its deadline. */
  readonly #sweep = (): void => {
    this.#deadlineTimer = undefined
    const { deliveryTimeoutMs } = this.#parts.settings
    const now = Date.now()
    let oldest = Infinity
    for (const queue of this.#queues) {
      this.#expire(queue, now - deliveryTimeoutMs)
      oldest = Math.min(oldest, oldestOf(queue))
    }
    if (oldest === Infinity) return
    this.#deadlineTimer = setTimeout(this.#sweep, Math.max(oldest + deliveryTimeoutMs - now, 1))
  }

  #expire(queue: PartitionQueue, begunUntil: number): void {
    const { current } = queue
    const cause = current?.lastError ?? null
    if (current !== null && !current.settled && current.createdAt <= begunUntil) {
      clearTimeout(current.timer)
      const error = this.#expiry(current, cause)
      // What its codec or the log has in hand stays the current one until it comes back: the order depends on it.
      if (current.state === BatchState.Building || current.state === BatchState.InFlight) current.reject(error)
      else this.#fail(current, error)
    }
    for (
      let next = queue.closed.peek();
      next !== undefined && next.createdAt <= begunUntil;
      next = queue.closed.peek()
    ) {
      queue.closed.shift()
      next.reject(this.#expiry(next, cause))
      this.#release(next)
    }
    const { open } = queue
    if (open !== null && queue.closed.length === 0 && open.createdAt <= begunUntil) {
      queue.open = null
      open.reject(this.#expiry(open, cause))
      this.#release(open)
    }
  }

  #expiry(batch: ProducerBatch, cause: KafkaError | null): KafkaJSError {
    return expiryError(batch, cause, this.#parts.settings.deliveryTimeoutMs)
  }
}

const EMPTY = Buffer.alloc(0)

/** When the queue's oldest batch that still has a deadline was begun. */
function oldestOf(queue: PartitionQueue): number {
  const { current } = queue
  if (current !== null && !current.settled) return current.createdAt
  return queue.closed.peek()?.createdAt ?? queue.open?.createdAt ?? Infinity
}
