import type { TopicConfig } from '@rivulet/protocol'
import type { Partition } from '@rivulet/storage'

import { Fifo } from './fifo.js'
import type { ProducerBatch } from './producer-batch.js'
import type { ProducerIdentity } from './producer-identity.js'

/** Partitions whose appends can share a call. */
export class Lane {
  readonly key: string
  /** Partitions with something to send and nothing under way, in the order in which they became so. */
  readonly ready = new Fifo<PartitionQueue>()
  /** Calls under way. */
  calls = 0

  constructor(key: string) {
    this.key = key
  }
}

/** What the queues of one topic share. */
export interface TopicState {
  readonly id: string
  config: TopicConfig
  /** The log has answered that the topic of this id is gone: it is never sent to again. */
  gone: boolean
}

/**
 * The batches of one partition, in the order in which they will be stored. At most one is `current`: that alone is what
 * keeps the order when something has to be sent again.
 */
export class PartitionQueue {
  readonly partition: Partition
  readonly topic: TopicState
  readonly lane: Lane
  readonly identity: ProducerIdentity
  /** Takes messages; behind all others. */
  open: ProducerBatch | null = null
  /** Full, or closed by one of another compression or acks. */
  readonly closed = new Fifo<ProducerBatch>()
  /** Being built, sent, or waiting to be sent again. */
  current: ProducerBatch | null = null
  /** It stands in its lane's ready list. */
  listed = false
  /** It stands in the list of those that wait for lingerMs. */
  lingering = false
  /** How much was there when the last batch was taken, in bytes: what gathers in one round trip, more or less. */
  gathered = 0

  constructor(partition: Partition, topic: TopicState, lane: Lane, identity: ProducerIdentity) {
    this.partition = partition
    this.topic = topic
    this.lane = lane
    this.identity = identity
  }

  closeOpen(): void {
    if (this.open === null) return
    this.closed.push(this.open)
    this.open = null
  }

  /** The next batch to send becomes the current one. */
  advance(): ProducerBatch | null {
    this.gathered = this.open?.byteLength ?? 0
    if (this.closed.length > 0) this.gathered = this.batches().reduce((sum, { byteLength }) => sum + byteLength, 0)
    const next = this.closed.shift() ?? this.open
    if (next === this.open) this.open = null
    this.current = next
    return next
  }

  /** Takes out what still waits and was begun until then (ms since 1970). */
  takeBegunUntil(time: number): ProducerBatch[] {
    const taken: ProducerBatch[] = []
    for (let next = this.closed.peek(); next !== undefined && next.createdAt <= time; next = this.closed.peek()) {
      taken.push(next)
      this.closed.shift()
    }
    if (this.open !== null && this.closed.length === 0 && this.open.createdAt <= time) {
      taken.push(this.open)
      this.open = null
    }
    return taken
  }

  /** All batches, in order. */
  batches(): ProducerBatch[] {
    const all = this.closed.drain()
    for (const batch of all) this.closed.push(batch)
    if (this.current !== null) all.unshift(this.current)
    if (this.open !== null) all.push(this.open)
    return all
  }
}
