import { type Codecs, KafkaError } from '@rivulet/protocol'
import type { Appender, AppendRequest, AppendResult, Partition } from '@rivulet/storage'

import { type KafkaJSError, toKafkaJSError } from '../errors.js'
import type { Logger } from '../types.js'
import { goneError, tooLargeError } from './batch-failure.js'
import { BatchRecovery } from './batch-recovery.js'
import type { BufferMemory } from './buffer-memory.js'
import type { AppendCall, CallObserver } from './call-events.js'
import { DeliveryDeadlines } from './delivery-deadlines.js'
import { LingerList } from './linger-list.js'
import { Lane, type PartitionQueue } from './partition-queue.js'
import { BatchState, type ProducerBatch, type StoredAt } from './producer-batch.js'
import type { ProducerSettings } from './producer-settings.js'

/** One call carries at most so many batches, and goes out once it has so many bytes. */
const MAX_BATCHES = 128
const TARGET_BYTES = 1024 * 1024

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
  readonly #deadlines: DeliveryDeadlines
  readonly #recovery: BatchRecovery
  #scheduled = false
  #flushing = false
  #closed = false
  #calls = 0
  /** Batches opened and not let go of. */
  #batches = 0

  constructor(parts: SenderParts) {
    this.#parts = parts
    const { settings, logger, topicGone } = parts
    const done = (batch: ProducerBatch): void => this.#done(batch)
    this.#lingering = new LingerList(settings.lingerMs, (queue) => this.#next(queue))
    this.#deadlines = new DeliveryDeadlines({
      deliveryTimeoutMs: settings.deliveryTimeoutMs,
      queues: this.#queues,
      done,
      dropped: (batch) => this.#release(batch),
    })
    this.#recovery = new BatchRecovery({ settings, logger, topicGone, resend: (batch) => this.#resend(batch), done })
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
    this.#deadlines.begun()
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
    this.#deadlines.close()
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
    const requests: AppendRequest[] = []
    let bytes = 0
    while (batches.length < MAX_BATCHES && bytes < TARGET_BYTES) {
      const queue = lane.ready.shift()
      if (queue === undefined) break
      queue.listed = false
      const batch = this.#prepare(queue)
      if (batch?.bytes == null) continue
      batch.state = BatchState.InFlight
      batches.push(batch)
      requests.push({ partition: queue.partition, config: queue.topic.config, batch: batch.bytes })
      bytes += batch.bytes.length
    }
    const [first] = batches
    if (first === undefined || this.#closed) return
    lane.calls++
    const { createdAt } = first
    const call: AppendCall = { correlationId: this.#calls++, lane, bytes, createdAt, sentAt: Date.now() }
    this.#parts.observer.sent(call)
    for (const batch of batches) if (batch.acks === 0) batch.resolve(null)
    this.#parts.appender.append(requests).then(
      (results) => this.#answered(call, batches, results),
      // It never rejects; if it does, nothing is known of the batches.
      (cause: unknown) => {
        const error = new KafkaError('UNKNOWN_SERVER_ERROR', `The appender failed: ${String(cause)}`, { cause })
        const results = batches.map(() => ({ error }))
        this.#answered(call, batches, results)
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
    const { codecs } = this.#parts
    // acks=0 carries no producer id: nobody reads a refusal, so a gap would go on unnoticed for ever.
    if (batch.acks === 0) return batch.build({ producerId: -1, producerEpoch: -1, baseSequence: -1 }, codecs)
    batch.baseSequence = identity.nextSequence
    const { producerId, epoch: producerEpoch } = identity
    return batch.build({ producerId, producerEpoch, baseSequence: batch.baseSequence }, codecs)
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
    if (bytes.length <= topic.config.maxMessageBytes) return true
    this.#fail(batch, toKafkaJSError(tooLargeError(batch, bytes.length), partition))
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
      else this.#recovery.failed(batch, result?.error ?? noResult())
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

  #resend(batch: ProducerBatch): void {
    batch.state = BatchState.Ready
    this.#list(batch.queue)
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
}

const noResult = (): KafkaError => new KafkaError('UNKNOWN_SERVER_ERROR', 'The appender gave no result')
