import type {
  IHeaders,
  Logger,
  Offsets,
  PartitionMetadata,
  RetryOptions,
  TopicOffsets,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
  TopicPartitions,
} from './common.js'
import type { GroupDescription } from './admin.js'
import type {
  ConsumerEventPayloads,
  ConsumerEvents,
  InstrumentationEvent,
  RemoveInstrumentationEventListener,
} from './events.js'

export interface ConsumerConfig {
  groupId: string
  /** How the partitions of the group are shared out, the preferred way first (`PartitionAssigners.uniform`). */
  partitionAssigners?: PartitionAssigner[]
  /** The age at which topic metadata is read again, in ms (300000). */
  metadataMaxAge?: number
  /** How long a member may be silent before its partitions are given away, in ms (30000). */
  sessionTimeout?: number
  /** How long a member may take to let go of partitions that are to go to others, in ms (60000). */
  rebalanceTimeout?: number
  /** How often a member shows that it is alive, in ms (3000). */
  heartbeatInterval?: number
  /**
   * Rivulet only: a name that stays the same over restarts. A member that comes back under it within sessionTimeout has its
   * partitions again, and nobody else notices. Kafka: group.instance.id
   */
  groupInstanceId?: string
  /**
   * Rivulet only: how long a handler may go without progress (a message or an offset resolved, heartbeat called), in ms
   * (300000); after that the consumer leaves the group and crashes with KafkaJSMaxPollIntervalExceeded. Kafka:
   * max.poll.interval.ms
   */
  maxPollIntervalMs?: number
  /** The most bytes of one partition in one fetch (1 MiB). */
  maxBytesPerPartition?: number
  minBytes?: number
  /** The most bytes of one fetch (10 MiB). */
  maxBytes?: number
  /** The longest wait of one fetch, in ms (5000). */
  maxWaitTimeInMs?: number
  retry?: RetryOptions & { restartOnFailure?: (err: Error) => Promise<boolean> }
  allowAutoTopicCreation?: boolean
  maxInFlightRequests?: number
  readUncommitted?: boolean
  rackId?: string
  /**
   * Rivulet only: where reading starts without a committed offset, or when it is out of range ('latest'); `fromBeginning`
   * goes before it. Kafka: auto.offset.reset
   */
  autoOffsetReset?: AutoOffsetReset
  /**
   * Rivulet only: the group has given partitions to this consumer. Awaited before any of their records is handed out; a
   * `seek` in it decides where they start. An error crashes the consumer.
   */
  onPartitionsAssigned?: PartitionsListener
  /**
   * Rivulet only: partitions go to other members, or the consumer stops. Called when their handlers have ended and what
   * was done is committed, and awaited before they are let go of, for up to rebalanceTimeout; offsets can still be
   * committed in it. An error crashes the consumer.
   */
  onPartitionsRevoked?: PartitionsListener
  /**
   * Rivulet only: partitions are gone without warning, because the session was over: others may work on them already.
   * Left out: `onPartitionsRevoked` is called. An error crashes the consumer.
   */
  onPartitionsLost?: PartitionsListener
}

/** Told of partitions that come or go, by topic. */
export type PartitionsListener = (partitions: TopicPartitions[]) => void | Promise<void>

/**
 * Where a partition starts that has no position of its own, or whose position is no longer in the log.
 *
 * - `'earliest'`: the first record that is still there
 * - `'latest'`: only records written from now on
 * - `'none'`: nothing is guessed, the consumer fails with `KafkaJSOffsetOutOfRange`
 * - `{ timestamp }`: the first record with this timestamp (milliseconds since 1970) or a later one; the end of the log
 *   where there is none
 *
 * Mirrors Kafka's `auto.offset.reset` (`{ timestamp }` is its `by_duration`, with the instant spelt out).
 */
export type AutoOffsetReset = 'earliest' | 'latest' | 'none' | { readonly timestamp: number }

/** Of a consumer without a group, which reads what it is assigned. */
export type AssignedConsumerConfig = Omit<ConsumerConfig, 'groupId'>

/** The cluster, as far as an assigner may look at it. */
export type Cluster = {
  findTopicPartitionMetadata(topic: string): PartitionMetadata[]
}

export type Assignment = { [topic: string]: number[] }
export type GroupMember = { memberId: string; memberMetadata: Buffer }
export type GroupMemberAssignment = { memberId: string; memberAssignment: Buffer }
export type GroupState = { name: string; metadata: Buffer }

export type Assigner = {
  name: string
  version: number
  assign(group: { members: GroupMember[]; topics: string[] }): Promise<GroupMemberAssignment[]>
  protocol(subscription: { topics: string[] }): GroupState
}

export type PartitionAssigner = (config: { cluster: Cluster; groupId: string; logger: Logger }) => Assigner

interface MessageSetEntry {
  key: Buffer | null
  value: Buffer | null
  timestamp: string
  attributes: number
  offset: string
  size: number
  headers?: never
}

interface RecordBatchEntry {
  key: Buffer | null
  value: Buffer | null
  timestamp: string
  attributes: number
  offset: string
  headers: IHeaders
  size?: never
}

/** A message as a handler gets it. Rivulet's are always of the second kind. */
export type KafkaMessage = MessageSetEntry | RecordBatchEntry

export type Batch = {
  topic: string
  partition: number
  highWatermark: string
  messages: KafkaMessage[]
  isEmpty(): boolean
  firstOffset(): string | null
  lastOffset(): string
  offsetLag(): string
  offsetLagLow(): string
}

export interface OffsetsByTopicPartition {
  topics: TopicOffsets[]
}

export interface EachMessagePayload {
  topic: string
  partition: number
  message: KafkaMessage
  /**
   * Not needed to stay in the group; counts as progress (`maxPollIntervalMs`). Rejects with REBALANCE_IN_PROGRESS when the
   * partition was taken away.
   */
  heartbeat(): Promise<void>
  pause(): () => void
  /** Rivulet only: aborted when the partition is taken away or the consumer stops. */
  readonly signal: AbortSignal
}

export interface EachBatchPayload {
  batch: Batch
  resolveOffset(offset: string): void
  heartbeat(): Promise<void>
  pause(): () => void
  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>
  uncommittedOffsets(): OffsetsByTopicPartition
  isRunning(): boolean
  /** Whether there is no use in going on with the batch: the application has sought elsewhere, or the partition is taken away. */
  isStale(): boolean
  /** Rivulet only: aborted when the partition is taken away or the consumer stops. */
  readonly signal: AbortSignal
}

export type ConsumerEachMessagePayload = EachMessagePayload
export type ConsumerEachBatchPayload = EachBatchPayload

export type EachBatchHandler = (payload: EachBatchPayload) => Promise<void>
export type EachMessageHandler = (payload: EachMessagePayload) => Promise<void>

export type ConsumerRunConfig = {
  autoCommit?: boolean
  autoCommitInterval?: number | null
  autoCommitThreshold?: number | null
  eachBatchAutoResolve?: boolean
  partitionsConsumedConcurrently?: number
  eachBatch?: EachBatchHandler
  eachMessage?: EachMessageHandler
}

/** @deprecated use ConsumerSubscribeTopics */
export type ConsumerSubscribeTopic = { topic: string | RegExp; fromBeginning?: boolean }
export type ConsumerSubscribeTopics = { topics: (string | RegExp)[]; fromBeginning?: boolean }

export type Consumer = {
  connect(): Promise<void>
  disconnect(): Promise<void>
  subscribe(subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic): Promise<void>
  stop(): Promise<void>
  run(config?: ConsumerRunConfig): Promise<void>
  commitOffsets(topicPartitions: Array<TopicPartitionOffsetAndMetadata>): Promise<void>
  seek(topicPartitionOffset: TopicPartitionOffset): void
  describeGroup(): Promise<GroupDescription>
  pause(topics: Array<{ topic: string; partitions?: number[] }>): void
  paused(): TopicPartitions[]
  resume(topics: Array<{ topic: string; partitions?: number[] }>): void
  on<T extends keyof ConsumerEventPayloads>(
    eventName: T,
    listener: (event: InstrumentationEvent<ConsumerEventPayloads[T]>) => void,
  ): RemoveInstrumentationEventListener<T>
  logger(): Logger
  readonly events: ConsumerEvents
}
