import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaError } from '@rivulet/protocol'
import type { FetchRequest, FetchResult, LogReader } from '@rivulet/storage'
import { type KafkaJSError, KafkaJSNonRetriableError } from '../errors.js'
import type { RetrySettings } from '../retry.js'
import type { Logger } from '../types.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { BufferBudget } from './buffer-budget.js'
import type { FetchEvents } from './fetch-events.js'
import { isTopicGone, type Positions } from './positions.js'
import { RetryState } from './retry-state.js'
import type { SubscriptionState } from './subscription-state.js'

/** Silent partitions are not checked more often than this, however short the waits are, ms. */
const MIN_CHECK_INTERVAL_MS = 1000

export interface LaneOptions {
  readonly name: string
  readonly reader: Pick<LogReader, 'lane' | 'fetch' | 'wait' | 'interrupt'>
  readonly subscription: SubscriptionState
  readonly budget: BufferBudget
  readonly positions: Positions
  readonly maxBytesPerPartition: number
  readonly minBytes: number
  readonly maxWaitTimeInMs: number
  readonly retry: RetrySettings
  readonly events: FetchEvents
  readonly logger: Logger
  /** There is something to hand out. */
  readonly onRecords: () => void
  /** The partition's log does not exist. */
  readonly onTopicGone: (partition: AssignedPartition) => void
  readonly onCrash: (error: KafkaJSError) => void
}

interface Asked {
  readonly assigned: AssignedPartition
  readonly generation: number
  readonly request: FetchRequest
}

/**
 * Fetches the partitions of one lane, one call at a time: rounds over all that have room while any of them is behind, a
 * blocking wait when none is. Whoever makes a partition ready calls `wake`.
 */
export class LaneFetcher {
  private stopped = false
  /** Something has changed since the loop last looked. */
  private woken = false
  /** What the wait under way covers. */
  private waitingFor: readonly Asked[] | null = null
  /** The partitions that had no room when the loop last looked. */
  private leftOut: readonly AssignedPartition[] = []
  private endIdle: (() => void) | null = null
  private turn = 0
  /** The last call was a wait: what it woke is fetched alone, the others were at their end a moment ago. */
  private afterWait = false
  private readonly gathered = { bytes: 0, since: 0 }
  private readonly abort = new AbortController()
  private readonly failures: RetryState
  /** Settles when the loop has ended. */
  ended: Promise<void> = Promise.resolve()

  constructor(private readonly options: LaneOptions) {
    this.failures = new RetryState(options.retry)
  }

  /** Once: begins the loop. */
  start(): void {
    this.ended = this.run()
  }

  /** A partition of the lane may be ready that was not before: a wait under way does not cover it. */
  wake(): void {
    this.woken = true
    if (this.waitingFor !== null) this.options.reader.interrupt(this.options.name)
    this.endIdle?.()
  }

  /** A partition has given room free, or must be fetched again: ends a wait that does not cover what is ready now. */
  drained(partition: AssignedPartition): void {
    const { log } = partition
    const isOwn = log !== null && this.options.reader.lane(log) === this.options.name
    if (
      (isOwn && !this.covers(partition) && this.wantsAttention(partition)) ||
      this.leftOut.some((p) => this.isReady(p))
    ) {
      this.wake()
    }
  }

  private wantsAttention(partition: AssignedPartition): boolean {
    return partition.start !== null || partition.needsValidation || partition.draining || this.isReady(partition)
  }

  private covers(partition: AssignedPartition): boolean {
    // Looked through once a batch: a map would have to be made for each wait.
    const item = this.waitingFor?.find(({ assigned }) => assigned === partition)
    return (
      item !== undefined && item.generation === partition.generation && item.request.offset === partition.fetchOffset
    )
  }

  stop(): void {
    this.stopped = true
    this.abort.abort()
    this.wake()
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      this.woken = false
      try {
        await this.step()
        this.failures.succeeded()
      } catch (error) {
        await this.failed(error)
      }
    }
  }

  private async step(): Promise<void> {
    const { reader, subscription, positions, name } = this.options
    const own = subscription.partitions.filter(({ log }) => log !== null && reader.lane(log) === name)
    const wanted = own.filter((partition) => !subscription.isPaused(partition) && !partition.revoking)
    if (await positions.settle(wanted)) this.options.onRecords()
    // A check may have led to a new start, and a seek may have come meanwhile.
    if (this.stopped || wanted.some((partition) => partition.isUnsettled)) return
    const ready: AssignedPartition[] = []
    const leftOut: AssignedPartition[] = []
    for (const partition of own) (this.isReady(partition) ? ready : leftOut).push(partition)
    // Whatever happens while they are left out, a wait will not tell: when they are back they are fetched first.
    for (const partition of leftOut) partition.behind = true
    this.leftOut = leftOut
    const behind = ready.filter((partition) => partition.behind)
    if (behind.length > 0) await this.fetch(this.afterWait ? behind : ready)
    // What changed while positions were looked up is not in the list: look again before anything blocks.
    else if (this.woken) return
    else if (ready.length > 0) await this.wait(ready)
    else await this.untilWoken()
  }

  private isReady(partition: AssignedPartition): boolean {
    return (
      partition.hasPosition &&
      !partition.needsValidation &&
      !partition.draining &&
      !partition.revoking &&
      !this.options.subscription.isPaused(partition) &&
      partition.buffer.hasRoom(this.options.maxBytesPerPartition)
    )
  }

  private async fetch(partitions: readonly AssignedPartition[]): Promise<void> {
    const { reader, budget } = this.options
    this.afterWait = false
    // Each in turn is the first, so that a budget which runs out in mid-list does not always run out for the same ones.
    const from = this.turn++ % partitions.length
    const asked = [...partitions.slice(from), ...partitions.slice(0, from)].map((partition) => this.ask(partition))
    const maxBytes = Math.max(1, budget.available)
    budget.reserve(maxBytes)
    let results: FetchResult[]
    try {
      results = await this.options.events.observe(() =>
        reader.fetch(
          asked.map(({ request }) => request),
          maxBytes,
        ),
      )
    } finally {
      budget.release(maxBytes)
    }
    if (this.stopped) return
    this.take(asked, results)
    this.deliver()
  }

  private async wait(partitions: readonly AssignedPartition[]): Promise<void> {
    const { reader, maxWaitTimeInMs } = this.options
    const asked = partitions.map((partition) => this.ask(partition))
    const timeout = this.gathered.bytes > 0 ? this.remainingGather() : maxWaitTimeInMs
    this.waitingFor = asked
    let results: FetchResult[]
    try {
      results = await this.options.events.observe(() =>
        reader.wait(
          asked.map(({ request }) => request),
          Math.max(1, timeout),
        ),
      )
    } finally {
      this.waitingFor = null
    }
    if (this.stopped) return
    this.afterWait = results.length > 0
    this.take(asked, results)
    this.deliver()
    // XREAD cannot see that its position is from a tail that was lost and written anew: whatever has been silent for as
    // long as a wait may last is checked.
    const silentSince = performance.now() - Math.max(maxWaitTimeInMs * 0.9, MIN_CHECK_INTERVAL_MS)
    for (const { assigned, generation } of asked) {
      if (assigned.generation === generation && assigned.confirmedAt <= silentSince) assigned.needsValidation = true
    }
  }

  private ask(assigned: AssignedPartition): Asked {
    const { log, fetchOffset: offset, segment, generation, buffer } = assigned
    if (log === null) throw new KafkaJSNonRetriableError(`${assigned.topic}-${assigned.partition} has no log to fetch`)
    const maxBytes = Math.max(1, this.options.maxBytesPerPartition - buffer.bytes)
    return { assigned, generation, request: { partition: log, offset, maxBytes, segment } }
  }

  /** Takes over what is still wanted: a seek, a pause or a new assignment may have overtaken the fetch. */
  private take(asked: readonly Asked[], results: readonly FetchResult[]): void {
    let failure: KafkaError | null = null
    let at = 0
    for (const result of results) {
      // They come in the order of the requests.
      while (at < asked.length && asked[at]?.request.partition !== result.partition) at++
      const item = asked[at]
      if (item === undefined || !this.isWanted(item)) continue
      if (result.error !== null) failure = this.refused(item.assigned, result.error) ?? failure
      else this.accept(item.assigned, result)
    }
    if (failure !== null) throw failure
  }

  private isWanted({ assigned, generation, request }: Asked): boolean {
    return (
      assigned.generation === generation &&
      assigned.fetchOffset === request.offset &&
      assigned.log === request.partition &&
      !assigned.needsValidation &&
      !assigned.revoking &&
      !this.options.subscription.isPaused(assigned)
    )
  }

  private accept(assigned: AssignedPartition, result: FetchResult): void {
    const fromWait = result.logStartOffset < 0
    assigned.behind = result.more
    assigned.segment = result.segment
    assigned.logEndOffset = fromWait ? Math.max(assigned.logEndOffset, result.logEndOffset) : result.logEndOffset
    if (!fromWait && (assigned.fetchOffset < result.logStartOffset || assigned.fetchOffset > result.logEndOffset)) {
      assigned.needsValidation = true
      return
    }
    for (const batch of result.batches) {
      if (batch.endOffset <= assigned.fetchOffset) continue
      if (fromWait && batch.baseOffset > assigned.fetchOffset) {
        // Either compaction left a gap, or the log start has passed the position: a fetch tells which.
        assigned.behind = true
        return
      }
      if (!assigned.admits(batch.leaderEpoch)) {
        assigned.suspectEpoch = batch.leaderEpoch
        assigned.needsValidation = true
        assigned.behind = true
        return
      }
      assigned.confirmedAt = performance.now()
      assigned.sawEpoch(batch.leaderEpoch, batch.baseOffset)
      assigned.buffer.push(batch)
      assigned.fetchOffset = batch.endOffset
      if (this.gathered.bytes === 0) this.gathered.since = performance.now()
      this.gathered.bytes += batch.bytes.length
    }
  }

  /** What a partition's error means; an error that concerns the connection is handed back. */
  private refused(assigned: AssignedPartition, error: KafkaError): KafkaError | null {
    if (error.type === 'OFFSET_OUT_OF_RANGE') {
      assigned.needsValidation = true
      return null
    }
    if (isTopicGone(error)) {
      this.options.onTopicGone(assigned)
      return null
    }
    assigned.behind = true
    return error
  }

  /** Hands out what has come: when minBytes have, or maxWaitTimeInMs is over, or when there is no room for more. */
  private deliver(noMoreComes = false): void {
    const { minBytes, onRecords } = this.options
    const { bytes } = this.gathered
    if (bytes === 0 || (bytes < minBytes && !noMoreComes && this.remainingGather() > 0)) return
    this.gathered.bytes = 0
    // At the tail what came is handed out first. Behind it the next request goes first: it is on its way while handlers
    // take their time.
    if (this.afterWait) onRecords()
    else process.nextTick(onRecords)
  }

  private remainingGather(): number {
    return this.gathered.since + this.options.maxWaitTimeInMs - performance.now()
  }

  private async untilWoken(): Promise<void> {
    this.deliver(true)
    // A handler that was called just now may have sought or resumed.
    if (this.woken) return
    await new Promise<void>((resolve) => {
      this.endIdle = resolve
    })
    this.endIdle = null
  }

  private async failed(thrown: unknown): Promise<void> {
    if (this.stopped) return
    const { logger, onCrash, subscription, reader, name } = this.options
    const after = this.failures.failed(thrown)
    if (after.kind === 'give-up') {
      onCrash(after.error)
      return this.untilStopped()
    }
    logger.warn('Fetching has failed, trying again', {
      error: after.error.message,
      lane: name,
      retryCount: this.failures.count,
      retryTime: after.wait,
    })
    for (const partition of subscription.partitions) {
      if (partition.log !== null && reader.lane(partition.log) === name) partition.behind = true
    }
    await sleep(after.wait, undefined, { signal: this.abort.signal }).catch(() => undefined)
  }

  private untilStopped(): Promise<void> {
    const { signal } = this.abort
    return new Promise((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}
