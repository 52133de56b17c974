import type { AutoOffsetReset } from '../types.js'
import { AssignedPartition } from './assigned-partition.js'
import type { BufferBudget } from './buffer-budget.js'
import type { StartOffset } from './offset-reset.js'
import { type PauseRequest, PausedPartitions } from './paused-partitions.js'

export interface Assignment {
  readonly topic: string
  readonly partition: number
  /** Absent: a partition that stays goes on where it is, a new one starts by the policy. */
  readonly start?: StartOffset
  readonly policy: AutoOffsetReset
}

export interface TopicOffsetsOf {
  topic: string
  partitions: { partition: number; offset: string }[]
}

/**
 * What a consumer reads: its partitions, what is paused, and seeks for partitions that are not assigned yet. Pure: who
 * changes it tells the fetcher and the dispatcher.
 */
export class SubscriptionState {
  private readonly byTopic = new Map<string, Map<number, AssignedPartition>>()
  private readonly pendingSeeks = new Map<string, Map<number, StartOffset>>()
  private readonly pauses = new PausedPartitions()
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
      if (!wanted.has(keyOf(partition.topic, partition.partition))) this.drop(partition)
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
  revoke(partitions: readonly { readonly topic: string; readonly partition: number }[]): void {
    for (const { topic, partition } of partitions) {
      const assigned = this.get(topic, partition)
      if (assigned !== undefined) this.drop(assigned)
    }
    this.relist()
  }

  /** The last seek wins. One for a partition that is not assigned waits until it is. */
  seek(topic: string, partition: number, start: StartOffset): void {
    const assigned = this.get(topic, partition)
    if (assigned !== undefined) {
      assigned.startFrom(start)
      return
    }
    let ofTopic = this.pendingSeeks.get(topic)
    if (ofTopic === undefined) this.pendingSeeks.set(topic, (ofTopic = new Map<number, StartOffset>()))
    ofTopic.set(partition, start)
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

  /** The next offset of every partition of which something was resolved, in the shape of kafkajs's `OffsetsByTopicPartition`. */
  resolvedOffsets(): TopicOffsetsOf[] {
    const topics: TopicOffsetsOf[] = []
    for (const [topic, partitions] of this.byTopic) {
      const resolved = [...partitions.values()].filter((partition) => partition.resolved)
      if (resolved.length === 0) continue
      topics.push({
        topic,
        partitions: resolved.map(({ partition, position }) => ({ partition, offset: String(position) })),
      })
    }
    return topics
  }

  /** A run has ended: whatever is in hand or buffered belongs to it, positions and pauses stay. */
  abandonWork(): void {
    for (const partition of this.list) partition.abandonWork()
  }

  private add({ topic, partition, start, policy }: Assignment): void {
    const assigned = this.get(topic, partition)
    if (assigned !== undefined) {
      if (start !== undefined) assigned.startFrom(start)
      return
    }
    const seek = this.pendingSeeks.get(topic)?.get(partition)
    this.pendingSeeks.get(topic)?.delete(partition)
    let ofTopic = this.byTopic.get(topic)
    if (ofTopic === undefined) this.byTopic.set(topic, (ofTopic = new Map<number, AssignedPartition>()))
    ofTopic.set(
      partition,
      new AssignedPartition(topic, partition, start ?? seek ?? { kind: 'reset' }, policy, this.budget),
    )
  }

  private drop(partition: AssignedPartition): void {
    partition.generation++
    partition.buffer.clear()
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
