export type {
  Appender,
  AppendRequest,
  AppendResult,
  FetchRequest,
  FetchResult,
  LeaderEpoch,
  LogReader,
  Partition,
  PartitionDescription,
  SeenEpoch,
  Segment,
  StoredBatch,
  Validation,
} from './log/types.js'
export type { OffsetAndTimestamp } from './log/first-record.js'
export type { PartitionLog } from './log/partition-log.js'
export { Storage } from './storage.js'
export type { ClusterDescription, StorageOptions } from './storage.js'
export type { ClusterTarget, RedisTarget, StorageLogger } from './connection/redis-target.js'
export type { RetryOptions } from './connection/retry.js'
export type { ServerFacts, ServerInfo } from './connection/server-facts.js'
export { toKafkaError } from './connection/server-errors.js'
export type { NewTopic, TopicRegistry } from './registry/topic-registry.js'
export type { Topic } from './registry/topic-entry.js'
export type { TopicChange } from './registry/change-watcher.js'
