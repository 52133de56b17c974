import { type ConfigOf, effective, ineffective, parseConfig } from './config.js'
import { boolean, integer, number, oneOf, text } from './value-types.js'

const maxInt = 2 ** 31 - 1
const noLimit = Number.MAX_SAFE_INTEGER

const week = 7 * 24 * 60 * 60 * 1000

const throttledReplicas = text(
  "a list of partition:broker pairs such as '0:1,1:2', or '*'",
  (value) => value === '*' || /^(\s*\d+:\d+\s*(,\s*\d+:\d+\s*)*)?$/.test(value),
)

/** The configs of a topic under Kafka's keys: type, default, meaning, and whether they do anything here. */
export const topicConfigs = {
  'cleanup.policy': effective(
    oneOf(['delete'], (value) =>
      typeof value === 'string' && value.includes('compact') ? 'compaction is not there yet' : undefined,
    ),
    { default: 'delete', doc: 'What happens to old segments: they are deleted as a whole.' },
  ),
  'retention.ms': effective(integer({ min: 0, also: -1 }), {
    default: week,
    unit: 'ms',
    doc: "How long a segment is kept after its newest record, by the records' timestamps. -1 keeps it for ever.",
  }),
  'retention.bytes': effective(integer({ min: 0, also: -1 }), {
    default: -1,
    unit: 'bytes',
    doc: 'How much of a partition is kept; beyond it the oldest segments go. -1 sets no limit.',
  }),
  'segment.bytes': effective(integer({ min: 1024, max: maxInt }), {
    default: 64 * 1024 * 1024,
    unit: 'bytes',
    doc:
      'How large a segment grows before the next one is begun. One segment is one Redis key: deleting, and moving between ' +
      "the nodes of a Cluster, happen a segment at a time, so stay near the default (Kafka's is 1 GiB, and at least 1 MiB).",
  }),
  'segment.ms': effective(integer({ min: 1 }), {
    default: week,
    unit: 'ms',
    doc: 'How old a segment grows before the next append begins a new one, so that retention can reach its records.',
  }),
  'max.message.bytes': effective(integer({ min: 0, max: 512 * 1024 * 1024 }), {
    default: 1_048_588,
    unit: 'bytes',
    doc:
      'The largest record batch that an append may bring, compressed, with its header: MESSAGE_TOO_LARGE beyond it. ' +
      'Redis takes no value above 512 MiB.',
  }),
  'message.timestamp.type': effective(oneOf(['CreateTime', 'LogAppendTime']), {
    default: 'CreateTime',
    doc: 'Which time a record has: the one that its producer gave, or that of the append by the clock of Redis.',
  }),
  'min.insync.replicas': ineffective(integer({ min: 1, max: maxInt }), {
    default: 1,
    doc: "How many copies, the primary's included, an append with acks=-1 needs. Appends do not wait for replicas yet.",
  }),
  'compression.type': effective(oneOf(['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd']), {
    default: 'producer',
    doc: 'How batches are compressed: as each producer chooses, or all in one way. Producers do the work.',
  }),
  'memory.policy': effective(oneOf(['refuse', 'delete-oldest']), {
    default: 'refuse',
    kafka: false,
    doc:
      'What happens to this topic when the namespace has reached its memory ceiling (max.bytes): appends are refused with ' +
      'NAMESPACE_FULL, which can be retried, or its oldest segments are deleted before their time.',
  }),

  'message.timestamp.before.max.ms': ineffective(integer({ min: 0 }), {
    default: noLimit,
    unit: 'ms',
    doc: "How far before now a record's timestamp may lie.",
  }),
  'message.timestamp.after.max.ms': ineffective(integer({ min: 0 }), {
    default: 60 * 60 * 1000,
    unit: 'ms',
    doc: "How far after now a record's timestamp may lie.",
  }),
  'delete.retention.ms': ineffective(integer({ min: 0 }), {
    default: 24 * 60 * 60 * 1000,
    unit: 'ms',
    doc: 'How long compaction keeps tombstones.',
  }),
  'min.compaction.lag.ms': ineffective(integer({ min: 0 }), {
    default: 0,
    unit: 'ms',
    doc: 'How long a record is safe from compaction.',
  }),
  'max.compaction.lag.ms': ineffective(integer({ min: 1 }), {
    default: noLimit,
    unit: 'ms',
    doc: 'After how long a record must have been compacted.',
  }),
  'min.cleanable.dirty.ratio': ineffective(number({ min: 0, max: 1 }), {
    default: 0.5,
    doc: 'What part of a log must be uncompacted before it is compacted again.',
  }),
  'compression.gzip.level': ineffective(integer({ min: 1, max: 9, also: -1 }), {
    default: -1,
    doc: 'The level at which a broker compresses anew with gzip.',
  }),
  'compression.lz4.level': ineffective(integer({ min: 1, max: 17 }), {
    default: 9,
    doc: 'The level at which a broker compresses anew with lz4.',
  }),
  'compression.zstd.level': ineffective(integer({ min: -131_072, max: 22 }), {
    default: 3,
    doc: 'The level at which a broker compresses anew with zstd.',
  }),
  'file.delete.delay.ms': ineffective(integer({ min: 0 }), {
    default: 60_000,
    unit: 'ms',
    doc: 'How long a deleted file stays on disk.',
  }),
  'flush.messages': ineffective(integer({ min: 1 }), {
    default: noLimit,
    doc: "After how many messages the log is forced to disk. Redis's appendfsync decides that.",
  }),
  'flush.ms': ineffective(integer({ min: 0 }), {
    default: noLimit,
    unit: 'ms',
    doc: "After how long the log is forced to disk. Redis's appendfsync decides that.",
  }),
  'index.interval.bytes': ineffective(integer({ min: 0, max: maxInt }), {
    default: 4096,
    unit: 'bytes',
    doc: 'How dense the offset index is. A Redis stream is an index of itself.',
  }),
  'segment.index.bytes': ineffective(integer({ min: 4, max: maxInt }), {
    default: 10 * 1024 * 1024,
    unit: 'bytes',
    doc: 'How large the offset index may grow.',
  }),
  'segment.jitter.ms': ineffective(integer({ min: 0 }), {
    default: 0,
    unit: 'ms',
    doc: "By how much segment.ms is varied, so that segments don't all end at once.",
  }),
  preallocate: ineffective(boolean, { default: false, doc: "Whether a segment's file is made at full size." }),
  'unclean.leader.election.enable': ineffective(boolean, {
    default: false,
    doc: 'Whether a replica that was out of sync may become leader. Sentinel or Cluster decides that.',
  }),
  'leader.replication.throttled.replicas': ineffective(throttledReplicas, {
    default: '',
    doc: 'The replicas whose leaders send slowly.',
  }),
  'follower.replication.throttled.replicas': ineffective(throttledReplicas, {
    default: '',
    doc: 'The replicas that fetch slowly.',
  }),
  'remote.storage.enable': ineffective(
    oneOf(['false'], () => 'tiered storage is not there yet'),
    { default: 'false', doc: 'Whether old segments are moved to tiered storage, which is not there yet.' },
  ),
  'remote.log.copy.disable': ineffective(boolean, {
    default: false,
    doc: 'Whether no more segments are copied to tiered storage.',
  }),
  'remote.log.delete.on.disable': ineffective(boolean, {
    default: false,
    doc: 'Whether switching tiered storage off deletes what it holds.',
  }),
  'local.retention.ms': ineffective(integer({ min: -2 }), {
    default: -2,
    unit: 'ms',
    doc: 'How long segments stay local beside tiered storage; -2 is retention.ms.',
  }),
  'local.retention.bytes': ineffective(integer({ min: -2 }), {
    default: -2,
    unit: 'bytes',
    doc: 'How much stays local beside tiered storage; -2 is retention.bytes.',
  }),
} as const

/** A topic's configuration: the configs that do something, defaults filled in. */
export type TopicConfig = ConfigOf<typeof topicConfigs>

/**
 * Reads a topic's configs as Kafka's admin requests carry them (`{ 'retention.ms': '60000' }`), and fills in defaults.
 * Numbers above Number.MAX_SAFE_INTEGER, such as Kafka's Long.MAX_VALUE, become that.
 * @throws KafkaError INVALID_CONFIG, naming key and value
 */
export function parseTopicConfig(entries: Readonly<Record<string, string>>): TopicConfig {
  return parseConfig('topic', topicConfigs, entries)
}
