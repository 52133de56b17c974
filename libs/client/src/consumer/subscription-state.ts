import type { AutoOffsetReset, TopicOffsets } from '../types.js'
import { AssignedPartition, type Ownership } from './assigned-partition.js'
import type { BufferBudget } from './buffer-budget.js'
import type { StartOffset } from './offset-reset.js'
import { type PauseRequest, PausedPartitions } from './paused-partitions.js'

export interface Assignment {
  readonly topic: string
  readonly partition: number
  /** Absent: a partition that stays goes on where it is, a new one starts by the policy. */
  readonly start?: StartOffset
  readonly policy: AutoOffsetReset
  /** Absent: the application assigns it, without a group. */
  readonly ownership?: Ownership
}

/**
 * What a consumer reads: its partitions, what is paused, and seeks for partitions that are not assigned yet. Pure: who
 * changes it tells the fetcher and the dispatcher.
 */
export class SubscriptionState {
  /** The partitions of which something is resolved that is not committed. */
  readonly uncommitted = new Set<AssignedPartition>()
  private readonly byTopic = new Map<string, Map<number, AssignedPartition>>()
  private readonly pendingSeeks = new Map<string, Map<number, StartOffset>>()
  private pauses = new PausedPartitions()
  private list: readonly AssignedPartition[] = []

  constructor(private readonly budget: BufferBudget) {}

  /** All assigned partitions, in the order of their assignment. */
  get partitions(): readonly AssignedPartition[] {
    return this.list
  }

  get(topic: string, partition: number): AssignedPartition | undefined {
    return this.byTopic.get(topic)?.get(partition)
  }

  isCurrent(partition: AssignedPartition): boolean {
    return this.get(partition.topic, partition.partition) === partition
  }

  /** Replaces the assignment. Partitions that stay keep position and buffer, unless a start is given. */
  replace(assignments: readonly Assignment[]): void {
    const wanted = new Map<string, Assignment>()
    for (const assignment of assignments) wanted.set(keyOf(assignment.topic, assignment.partition), assignment)
    for (const partition of this.list) {
      if (!wanted.has(keyOf(partition.topic, partition.partition))) this.remove(partition)
    }
    for (const assignment of wanted.values()) this.add(assignment)
    this.relist()
  }

  /** Adds partitions to the assignment; the way a group gives them, a few at a time. */
  assign(assignments: readonly Assignment[]): void {
    for (const assignment of assignments) this.add(assignment)
    this.relist()
  }

  /** Takes partitions away; what their handlers still resolve no longer counts. */
  drop(partitions: readonly AssignedPartition[]): void {
    for (const partition of partitions) this.remove(partition)
    this.relist()
  }

  /** Takes all partitions away. A pause outlives that, as it does a rebalance; `forgetPauses` ends them all, too. */
  clear({ forgetPauses }: { readonly forgetPauses: boolean }): void {
    this.drop(this.list)
    if (!forgetPauses) return
    this.pauses = new PausedPartitions()
    this.pendingSeeks.clear()
  }

  /** The last seek wins. One for a partition that is not assigned (any more) waits until it is. */
  seek(topic: string, partition: number, start: StartOffset): void {
    const assigned = this.get(topic, partition)
    if (assigned !== undefined && !assigned.revoking) {
      assigned.startFrom(start)
      return
    }
    let ofTopic = this.pendingSeeks.get(topic)
    if (ofTopic === undefined) this.pendingSeeks.set(topic, (ofTopic = new Map<number, StartOffset>()))
    ofTopic.set(partition, start)
  }

  /** The seek that waits for the partition; it waits no longer. */
  takeSeek(topic: string, partition: number): StartOffset | undefined {
    const ofTopic = this.pendingSeeks.get(topic)
    const seek = ofTopic?.get(partition)
    ofTopic?.delete(partition)
    return seek
  }

  /** Paused partitions give up what is buffered: it would hold memory that the others need, for who knows how long. */
  pause(requests: readonly PauseRequest[]): void {
    this.pauses.pause(requests)
    for (const partition of this.list) {
      if (partition.hasPosition && this.isPaused(partition) && !partition.buffer.isEmpty) {
        partition.discardBuffered()
      }
    }
  }

  resume(requests: readonly PauseRequest[]): void {
    this.pauses.resume(requests)
  }

  isPaused(partition: { readonly topic: string; readonly partition: number }): boolean {
    return this.pauses.has(partition.topic, partition.partition)
  }

  /** The assigned partitions that are paused, by topic. */
  paused(): { topic: string; partitions: number[] }[] {
    const paused: { topic: string; partitions: number[] }[] = []
    for (const [topic, partitions] of this.byTopic) {
      const numbers = [...partitions.keys()].filter((partition) => this.pauses.has(topic, partition))
      if (numbers.length > 0) paused.push({ topic, partitions: numbers.sort((a, b) => a - b) })
    }
    return paused
  }

  /** What is resolved and not committed, in the shape of kafkajs's `OffsetsByTopicPartition`. */
  uncommittedOffsets(): TopicOffsets[] {
    const byTopic = new Map<string, TopicOffsets>()
    for (const { topic, partition, position, committedOffset } of this.uncommitted) {
      if (position === committedOffset) continue
      let ofTopic = byTopic.get(topic)
      if (ofTopic === undefined) byTopic.set(topic, (ofTopic = { topic, partitions: [] }))
      ofTopic.partitions.push({ partition, offset: String(position) })
    }
    return [...byTopic.values()]
  }

  /** A run has ended: whatever is in hand or buffered belongs to it, positions and pauses stay. */
  abandonWork(): void {
    for (const partition of this.list) partition.abandonWork()
  }

  private add({ topic, partition, start, policy, ownership }: Assignment): void {
    const assigned = this.get(topic, partition)
    if (assigned !== undefined && (ownership === undefined || ownership.grant === assigned.ownership?.grant)) {
      if (start !== undefined) assigned.startFrom(start)
      return
    }
    // Given anew, while a handler of the time before has not ended yet: that one counts no longer.
    assigned?.drop()
    let ofTopic = this.byTopic.get(topic)
    if (ofTopic === undefined) this.byTopic.set(topic, (ofTopic = new Map<number, AssignedPartition>()))
    ofTopic.set(
      partition,
      new AssignedPartition({
        topic,
        partition,
        start: start ?? this.takeSeek(topic, partition) ?? { kind: 'reset' },
        policy,
        ownership: ownership ?? null,
        budget: this.budget,
        uncommitted: this.uncommitted,
      }),
    )
  }

  private remove(partition: AssignedPartition): void {
    partition.drop()
    if (!this.isCurrent(partition)) return
    const ofTopic = this.byTopic.get(partition.topic)
    ofTopic?.delete(partition.partition)
    if (ofTopic?.size === 0) this.byTopic.delete(partition.topic)
  }

  private relist(): void {
    this.list = [...this.byTopic.values()].flatMap((partitions) => [...partitions.values()])
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
