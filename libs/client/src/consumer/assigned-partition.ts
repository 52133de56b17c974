import type { AutoOffsetReset } from '../types.js'
import type { LeaderEpoch, Partition, SeenEpoch } from '@rivulet/storage'
import type { BufferBudget } from './buffer-budget.js'
import type { StartOffset } from './offset-reset.js'
import { PartitionBuffer } from './partition-buffer.js'
import type { WorkInHand } from './work-in-hand.js'

/** What a group's partition is committed under. */
export interface Ownership {
  readonly topicId: string
  /** The number under which the group gave it: see OwnedPartition. */
  readonly grant: number
}

/** Where an assigned partition is from. */
export interface AssignedPartitionParts {
  readonly topic: string
  readonly partition: number
  readonly start: StartOffset
  readonly policy: AutoOffsetReset
  /** null: assigned by the application, without a group. */
  readonly ownership: Ownership | null
  readonly budget: BufferBudget
  /** Holds the partition while something is resolved that is not committed. */
  readonly uncommitted: Set<AssignedPartition>
}

/** Epochs remembered for validation; a log that had more failovers is validated by its latest ones. */
const MAX_SEEN_EPOCHS = 32

/**
 * One assigned partition: where its application is, where fetching is, and what lies between. The state changes in one
 * place each:
 *
 *     start ──(bounds looked up)──▶ position ──(resolve)──▶ position …          seek, reset: back to start
 *                                   fetchOffset ──(fetched)──▶ fetchOffset …    rewind: back to what was resolved
 *
 * `generation` is raised by whatever makes work under way pointless (seek, rewind, loss, a new log): the result of a fetch,
 * or a handler's resolve, counts only when the generation is still the one it began with. A partition that is `revoking`
 * is on its way to another member: nothing of it is handed out any more, but what its handler has in hand still counts.
 */
export class AssignedPartition {
  readonly topic: string
  readonly partition: number
  readonly policy: AutoOffsetReset
  readonly ownership: Ownership | null
  generation = 0
  revoking = false
  /** It is not this consumer's any more. */
  gone = false
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
  /** What is committed, as far as this consumer knows; without a commit, where it began. */
  committedOffset = -1
  /** Where it starts is to be committed, as soon as that is known: the application has sought the log's start or end. */
  commitsStart = false
  /** The reset policy has put it where it began: nothing is committed that says so. */
  private beganByPolicy = false
  /** The next offset to fetch: `position`, and beyond it what is buffered and in hand. */
  fetchOffset = -1
  /** Where the handler's batch ends, while it has one in hand; -1: none. */
  inHandEnd = -1
  /** What the handler has in hand. */
  work: WorkInHand | null = null
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
  private readonly budget: BufferBudget
  private readonly uncommitted: Set<AssignedPartition>
  /** Whether `uncommitted` holds this partition: a set is slow to ask for every message. */
  private isUncommitted = false

  constructor({ topic, partition, start, policy, ownership, budget, uncommitted }: AssignedPartitionParts) {
    this.topic = topic
    this.partition = partition
    this.start = start
    this.policy = policy
    this.ownership = ownership
    this.budget = budget
    this.uncommitted = uncommitted
    this.buffer = new PartitionBuffer(budget)
  }

  get hasPosition(): boolean {
    return this.start === null && this.log !== null
  }

  /** Whether there is a log, but no position in it that can be relied upon. */
  get isUnsettled(): boolean {
    return this.log !== null && (this.start !== null || this.needsValidation)
  }

  /** A group gives the partition of one topic: when a topic of that name is made again, its partitions are other ones. */
  mayRead({ topicId }: Partition): boolean {
    return this.ownership === null || this.ownership.topicId === topicId
  }

  /** How far records have been handed to the application; a batch in hand counts as handed out whole. */
  get handedOut(): number {
    return Math.max(this.position, this.inHandEnd)
  }

  /** Starts somewhere else, and makes whatever is under way for the old place pointless. */
  startFrom(start: StartOffset): void {
    this.generation++
    this.start = start
    this.commitsStart = false
    this.inHandEnd = -1
    this.needsValidation = false
    this.suspectEpoch = null
    this.admittedEpoch = null
    this.draining = false
    this.forgetUncommitted()
    this.segment = null
    this.buffer.clear()
  }

  /** The start has become a position; `epochs` is the log's own history up to it. */
  positionAt(offset: number, epochs: readonly SeenEpoch[]): void {
    this.beganByPolicy = this.start?.kind === 'reset'
    this.start = null
    this.position = offset
    this.committedOffset = this.commitsStart ? -1 : offset
    if (this.commitsStart) this.resolve(offset)
    this.commitsStart = false
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
    if (this.isUncommitted) return
    this.isUncommitted = true
    this.uncommitted.add(this)
  }

  /** That offset is stored. */
  committed(offset: number): void {
    this.committedOffset = offset
    if (this.position === offset) this.forgetUncommitted()
  }

  private forgetUncommitted(): void {
    this.isUncommitted = false
    this.uncommitted.delete(this)
  }

  /**
   * Its position is to be committed even if nothing was resolved: by policy another member would begin at a later end of
   * the log, and what came in between would be nobody's.
   */
  leavePosition(): void {
    if (!this.beganByPolicy || this.position !== this.committedOffset) return
    this.committedOffset = -1
    this.resolve(this.position)
  }

  /** It is to go to another member: nothing further is handed out, what is in hand may end and counts. */
  revoke(): void {
    if (this.revoking) return
    this.revoking = true
    this.buffer.clear()
    this.work?.abort()
  }

  /** It is not this consumer's any more: nothing that happens to it counts. */
  drop(): void {
    this.gone = true
    this.generation++
    this.buffer.clear()
    this.forgetUncommitted()
    this.work?.abort()
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

  /** The leader epoch of the last record below `offset`, as far as it was read; null: unknown. */
  epochBelow(offset: number): SeenEpoch | null {
    if (this.start !== null || offset > this.fetchOffset) return null
    return this.epochs.findLast(({ startOffset }) => startOffset < offset) ?? null
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
