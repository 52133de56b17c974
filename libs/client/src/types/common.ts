// Plain objects, as kafkajs's are at run time (a TypeScript enum would have reverse entries); their literal types go
// both ways with kafkajs's enums.

/** How much is logged: everything up to this level. */
export const logLevel = { NOTHING: 0, ERROR: 1, WARN: 2, INFO: 4, DEBUG: 5 } as const
export type logLevel = (typeof logLevel)[keyof typeof logLevel]

/** How a producer compresses its batches; the numbers are those of the record batch's attributes. */
export const CompressionTypes = { None: 0, GZIP: 1, Snappy: 2, LZ4: 3, ZSTD: 4 } as const
export type CompressionTypes = (typeof CompressionTypes)[keyof typeof CompressionTypes]

export interface LoggerEntryContent {
  /** ISO 8601. */
  readonly timestamp: string
  readonly message: string
  [key: string]: unknown
}

/** What a log function gets. */
export interface LogEntry {
  /** The component: 'Producer', 'Consumer', 'Admin' …; empty for the client's own logger. */
  namespace: string
  level: logLevel
  /** The level's name. */
  label: string
  log: LoggerEntryContent
}

/** Makes the function that gets every log entry; called once, with the level. */
export type logCreator = (logLevel: logLevel) => (entry: LogEntry) => void

export type Logger = {
  info: (message: string, extra?: object) => void
  error: (message: string, extra?: object) => void
  warn: (message: string, extra?: object) => void
  debug: (message: string, extra?: object) => void
  /** A logger for a component, with a level of its own if one is given. */
  namespace: (namespace: string, logLevel?: logLevel) => Logger
  /** Sets the level of the client's loggers (but of those that have their own). */
  setLogLevel: (logLevel: logLevel) => void
}

/** How failed operations are tried again. */
export interface RetryOptions {
  /** The longest wait between two tries, in ms (30000). */
  maxRetryTime?: number
  /** The first wait, in ms (300). */
  initialRetryTime?: number
  /** The randomness of a wait, as a part of it (0.2). */
  factor?: number
  /** What a wait is multiplied by for the next one (2). */
  multiplier?: number
  /** How many times it is tried again (5). */
  retries?: number
  /** Consumers: whether to start again after a failure that can be tried again. */
  restartOnFailure?: (e: Error) => Promise<boolean>
}

export interface IHeaders {
  [key: string]: Buffer | string | (Buffer | string)[] | undefined
}

/** A partition and an offset in it, in decimal. */
export interface PartitionOffset {
  partition: number
  offset: string
}

export type SeekEntry = PartitionOffset

export interface TopicOffsets {
  topic: string
  partitions: PartitionOffset[]
}

export interface Offsets {
  topics: TopicOffsets[]
}

export type TopicPartitions = { topic: string; partitions: number[] }

export type TopicPartition = { topic: string; partition: number }

export type TopicPartitionOffset = TopicPartition & { offset: string }

export type TopicPartitionOffsetAndMetadata = TopicPartitionOffset & { metadata?: string | null }

export type PartitionMetadata = {
  partitionErrorCode: number
  partitionId: number
  /** The node that holds the partition, as describeCluster numbers it. */
  leader: number
  replicas: number[]
  isr: number[]
  offlineReplicas?: number[]
}

export type ValueOf<T> = T[keyof T]
