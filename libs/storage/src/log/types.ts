import type { KafkaError, TopicConfig } from '@rivulet/protocol'

/** Names one partition's log: a topic's id, not only its name, so that a topic made again is another one. */
export interface Partition {
  readonly topic: string
  /** The topic's id: 22 characters of base64url. */
  readonly topicId: string
  readonly partition: number
  /** The shard that the partition lives in, as the topic's registry entry says. */
  readonly shard: number
}

/**
 * A leader epoch: a number that grows each time another history of the data may have begun (a restart, a failover),
 * and the first 8 hexadecimal digits of the replication id that it was seen under. Two primaries can both invent the
 * same number; the pair tells them apart.
 */
export interface LeaderEpoch {
  readonly number: number
  readonly replicationId: string
}

export interface AppendRequest {
  readonly partition: Partition
  readonly config: TopicConfig
  /** One record batch, version 2, as its producer made it. */
  readonly batch: Buffer
}

export type AppendResult =
  | {
      readonly error: null
      readonly baseOffset: number
      /** The time that the log gave the batch, in ms; -1 where the topic keeps the producer's timestamps. */
      readonly logAppendTime: number
      readonly logStartOffset: number
      /** The batch was there already: these are the first append's offsets. */
      readonly duplicate: boolean
    }
  | { readonly error: KafkaError }

/** Appends batches, over a connection of its own. */
export interface Appender {
  /** Appends of one lane can share one call: all of them on one server, those of one shard in a Cluster. */
  lane(partition: Partition): string
  /**
   * Appends batches of one lane, at most one a partition. Never rejects: each batch has a result of its own. Rolled
   * segments, new leader epochs and the memory ceiling are dealt with inside; a retriable error leaves it unknown
   * whether the batch is there, and the same batch may be appended again (its sequence number keeps it single).
   */
  append(requests: readonly AppendRequest[]): Promise<AppendResult[]>
  close(): Promise<void>
}

export interface FetchRequest {
  readonly partition: Partition
  /** The first offset wanted. */
  readonly offset: number
  /** Stop after this many bytes of this partition. */
  readonly maxBytes: number
  /** The segment that the last result named; null: look it up. */
  readonly segment: number | null
}

export interface StoredBatch {
  /** The batch as its producer made it: the offsets in its header are not the log's. */
  readonly bytes: Buffer
  readonly baseOffset: number
  /** The offset after the batch's last record. */
  readonly endOffset: number
  readonly leaderEpoch: LeaderEpoch
  /** The time that stands for every record's timestamp, in ms; -1: the records' own count. */
  readonly appendTime: number
}

export interface FetchResult {
  readonly partition: Partition
  /** OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_ID (the topic was deleted), UNSUPPORTED_VERSION, …; null: none. */
  readonly error: KafkaError | null
  /** -1 where it was not asked for: a wait answers with records alone. */
  readonly logStartOffset: number
  /** From a wait: the end of what came, which the log may have outgrown. */
  readonly logEndOffset: number
  readonly batches: readonly StoredBatch[]
  /** To be named in the next request. */
  readonly segment: number | null
  /**
   * There may be more to fetch at once: a bound or the end of a segment was reached, not the end of the log.
   */
  readonly more: boolean
}

/** A position checked against the log's history. */
export type Validation =
  /** `end`: where the log ended then, and in which segment; absent: that was not looked at. */
  | { readonly kind: 'valid'; readonly end?: { readonly offset: number; readonly segment: number } }
  | { readonly kind: 'out-of-range'; readonly logStartOffset: number; readonly logEndOffset: number }
  /** The position is from a tail that was lost: the log and what was read part at `divergence`. */
  | { readonly kind: 'truncated'; readonly divergence: number }

/** Where a reader saw a leader epoch begin. */
export interface SeenEpoch extends LeaderEpoch {
  readonly startOffset: number
}

/** Reads batches, over connections of its own. Results come in the order of the requests. */
export interface LogReader {
  /** Requests of one lane can share one call. */
  lane(partition: Partition): string
  /**
   * What is there from each request's offset on; never blocks. The first batch of a partition comes whole even where
   * it exceeds the bounds; after a bound is reached nothing further comes.
   */
  fetch(requests: readonly FetchRequest[], maxBytes: number): Promise<FetchResult[]>
  /**
   * Blocks until some partition has a record at or after its request's offset: at most one batch a partition.
   * Answers [] after `timeoutMs`, or when it was interrupted. One wait a lane at a time.
   */
  wait(requests: readonly FetchRequest[], timeoutMs: number): Promise<FetchResult[]>
  /** Ends the lane's wait early, if there is one. */
  interrupt(lane: string): void
  /**
   * Checks a position against the log as it is now (Kafka's KIP-320). `epochs` are the leader epochs that the reader
   * has seen in this log, oldest first; empty: only the range is checked. `next` is the epoch of a batch that was read
   * at the position and waits for the verdict: a server that does not know it yet cannot judge.
   * Throws KafkaError UNKNOWN_LEADER_EPOCH, which is retriable, where that is so.
   */
  validate(
    partition: Partition,
    offset: number,
    epochs: readonly SeenEpoch[],
    next?: LeaderEpoch | null,
  ): Promise<Validation>
  /** Calls the listener after a connection was lost and made again: the log may be another server's now. */
  onReconnect(listener: () => void): () => void
  close(): Promise<void>
}

export interface Segment {
  readonly number: number
  readonly baseOffset: number
  /** The offset after the segment's last record. */
  readonly endOffset: number
  readonly bytes: number
  /** Of its records, in ms; -1: it has none. */
  readonly maxTimestamp: number
  readonly active: boolean
}

export interface PartitionDescription {
  readonly partition: Partition
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Bytes of the record batches held. */
  readonly size: number
  /** Largest timestamp ever appended, in ms; -1: none. */
  readonly maxTimestamp: number
  readonly leaderEpoch: LeaderEpoch
  /** Oldest first; the last one is active. */
  readonly segments: readonly Segment[]
  /** The leader epochs and where each began, oldest first. */
  readonly epochs: readonly SeenEpoch[]
  /** The replication id of the server that answered; null where it may not be asked. */
  readonly replicationId: string | null
}
