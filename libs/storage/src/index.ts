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
export { retryTime, type RetryOptions } from './connection/retry.js'
export type { ServerFacts, ServerInfo } from './connection/server-facts.js'
export { toKafkaError } from './connection/server-errors.js'
export type { NewTopic, TopicChange, TopicRegistry } from './registry/topic-registry.js'
export type { Topic } from './registry/topic-entry.js'

// For the rooms that keep something of their own in the same Redis, by scripts of their own: coordinator.
export type { CommandConnection, StorageBackend } from './backend.js'
export { type GroupKeys, type Keyspace, metaKeys } from './keys.js'
export { parseLeaderEpoch } from './log/stream-entry.js'
export { randomId } from './namespace/namespace.js'
export { shardOf } from './registry/topic-entry.js'
export { Reply } from './scripts/reply.js'
export { Script, type ScriptArgument, type ScriptSource } from './scripts/script.js'
