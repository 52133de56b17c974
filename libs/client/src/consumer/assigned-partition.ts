import type { AutoOffsetReset } from '../types.js'
import type { LeaderEpoch, Partition, SeenEpoch } from '@rivulet/storage'
import type { BufferBudget } from './buffer-budget.js'
import type { StartOffset } from './offset-reset.js'
import { PartitionBuffer } from './partition-buffer.js'

/** Epochs remembered for validation; a log that had more failovers is validated by its latest ones. */
const MAX_SEEN_EPOCHS = 32

/**
 * One assigned partition: where its application is, where fetching is, and what lies between. The state changes in one
 * place each:
 *
 *     start ──(bounds looked up)──▶ position ──(resolve)──▶ position …          seek, reset: back to start
 *                                   fetchOffset ──(fetched)──▶ fetchOffset …    rewind: back to what was resolved
 *
 * `generation` is raised by whatever makes work under way pointless (seek, rewind, revocation, a new log): the result of
 * a fetch, or a handler's resolve, counts only when the generation is still the one it began with.
 */
export class AssignedPartition {
  generation = 0
  /** The partition's log; null until the topic was looked up, and while there is none of that name. */
  log: Partition | null = null
  /** The topic has been missing since the partition was assigned, or was deleted: its next log is read from the start. */
  missing = false
  /** The topic id under which the log was found not to exist, whatever the registry's cache still says. */
  goneTopicId: string | null = null
  /** Where to start, until that was turned into a position; null when the position is known. */
  start: StartOffset | null
  /** The next offset that the application has not resolved. */
  position = -1
  /** Whether the application has resolved anything: what `uncommittedOffsets()` reports. */
  resolved = false
  /** The next offset to fetch: `position`, and beyond it what is buffered and in hand. */
  fetchOffset = -1
  /** Where the handler's batch ends, while it has one in hand; -1: none. */
  inHandEnd = -1
  /** The storage's hint for the next fetch. */
  segment: number | null = null
  /** Whether there may be something to fetch without waiting for it. */
  behind = true
  logEndOffset = 0
  /** The leader epochs up to `fetchOffset` and where each began, oldest first. */
  epochs: SeenEpoch[] = []
  /** The position must be checked against the log's history before anything further is fetched or handed out. */
  needsValidation = false
  /** The epoch of a batch that came next when the position was found valid: that batch may be taken. */
  admittedEpoch: LeaderEpoch | null = null
  /** The epoch of a batch that waits for the position to be validated. */
  suspectEpoch: LeaderEpoch | null = null
  /** The log has let go of what follows what is buffered: that is handed out before the reset policy decides. */
  draining = false
  /** When the position was last known to be in the log, on performance.now()'s clock. */
  confirmedAt = 0
  buffer: PartitionBuffer

  constructor(
    readonly topic: string,
    readonly partition: number,
    start: StartOffset,
    readonly policy: AutoOffsetReset,
    private readonly budget: BufferBudget,
  ) {
    this.start = start
    this.buffer = new PartitionBuffer(budget)
  }

  get hasPosition(): boolean {
    return this.start === null && this.log !== null
  }

  /** Whether there is a log, but no position in it that can be relied upon. */
  get isUnsettled(): boolean {
    return this.log !== null && (this.start !== null || this.needsValidation)
  }

  /** How far records have been handed to the application; a batch in hand counts as handed out whole. */
  get handedOut(): number {
    return Math.max(this.position, this.inHandEnd)
  }

  /** Starts somewhere else, and makes whatever is under way for the old place pointless. */
  startFrom(start: StartOffset): void {
    this.generation++
    this.start = start
    this.inHandEnd = -1
    this.needsValidation = false
    this.suspectEpoch = null
    this.admittedEpoch = null
    this.draining = false
    this.resolved = false
    this.segment = null
    this.buffer.clear()
  }

  /** The start has become a position; `epochs` is the log's own history up to it. */
  positionAt(offset: number, epochs: readonly SeenEpoch[]): void {
    this.start = null
    this.position = offset
    this.fetchOffset = offset
    this.segment = null
    this.behind = true
    this.confirmedAt = performance.now()
    this.epochs = epochs.filter((epoch) => epoch.startOffset <= offset).slice(-MAX_SEEN_EPOCHS)
  }

  /** Another log, or none. */
  setLog(log: Partition | null): void {
    this.log = log
    this.segment = null
  }

  /** Gives up what was fetched beyond `offset`, to fetch it again. */
  rewindTo(offset: number): void {
    this.generation++
    this.inHandEnd = -1
    this.refetchFrom(offset)
  }

  /** Gives up what is buffered and not handed out; a batch in hand goes on. */
  discardBuffered(): void {
    this.refetchFrom(this.handedOut)
  }

  private refetchFrom(offset: number): void {
    this.fetchOffset = offset
    this.segment = null
    this.behind = true
    this.draining = false
    this.epochs = this.epochs.filter((epoch) => epoch.startOffset <= offset)
    this.buffer.clear()
  }

  /** The application is done with everything below `offset`. */
  resolve(offset: number): void {
    this.position = offset
    this.resolved = true
  }

  /**
   * Leaves what is under way to itself and goes back to what was resolved. A handler that is stuck keeps the old buffer,
   * and its bytes stay accounted for until it ends.
   */
  abandonWork(): void {
    this.generation++
    this.inHandEnd = -1
    this.buffer.clear()
    this.buffer = new PartitionBuffer(this.budget)
    if (this.start === null) this.rewindTo(this.position)
  }

  /** Whether a batch of that epoch may follow what was fetched so far without asking. */
  admits(epoch: LeaderEpoch): boolean {
    const last = this.epochs.at(-1)
    if (last === undefined || sameEpoch(last, epoch)) return true
    return this.admittedEpoch !== null && sameEpoch(this.admittedEpoch, epoch)
  }

  /** The log has another history from that offset on. */
  forgetEpochsFrom(offset: number): void {
    this.epochs = this.epochs.filter((epoch) => epoch.startOffset < offset)
  }

  sawEpoch(epoch: LeaderEpoch, baseOffset: number): void {
    const last = this.epochs.at(-1)
    if (last !== undefined && sameEpoch(last, epoch)) return
    this.admittedEpoch = null
    this.epochs.push({ number: epoch.number, replicationId: epoch.replicationId, startOffset: baseOffset })
    if (this.epochs.length > MAX_SEEN_EPOCHS) this.epochs.shift()
  }
}

function sameEpoch(a: LeaderEpoch, b: LeaderEpoch): boolean {
  return a.number === b.number && a.replicationId === b.replicationId
}
