import { retryOptions } from './client-options.js'
import { group, option, optional } from './option.js'
import { boolean, fn, functions, integer, milliseconds, nullable, oneOf, text, type ValueType } from './value-types.js'

const maxInt = 2 ** 31 - 1

const named = oneOf(['latest', 'earliest', 'none'])

/** Where reading starts: at one of Kafka's places, or at a time. */
const offsetReset: ValueType<'latest' | 'earliest' | 'none' | { readonly timestamp: number }> = {
  ...named,
  expected: `${named.expected}, or { timestamp: milliseconds since 1970 }`,
  is: (value): value is 'latest' | 'earliest' | 'none' | { readonly timestamp: number } =>
    named.is(value) ||
    (typeof value === 'object' && value !== null && 'timestamp' in value && integer({ min: 0 }).is(value.timestamp)),
  toText: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
}

/** The options of `kafka.consumer(…)`. */
export const consumerOptions = {
  groupId: optional(
    text('a text of 1 to 255 characters', (value) => value.length > 0 && value.length <= 255),
    { mirrors: 'group.id', doc: 'The consumer group. Without one, partitions are read as `assign` names them.' },
  ),
  groupInstanceId: optional(
    text('a text of 1 to 255 characters', (value) => value.length > 0 && value.length <= 255),
    {
      mirrors: 'group.instance.id',
      doc:
        'A name that stays the same over restarts: a member that comes back under it within sessionTimeout has its ' +
        'partitions again, and nobody else notices.',
    },
  ),
  partitionAssigners: optional(functions('a list of functions that give an assigner'), {
    mirrors: 'partition.assignment.strategy',
    doc: 'How the partitions of a group are shared out, the preferred way first; PartitionAssigners.uniform if left out.',
  }),
  sessionTimeout: option(milliseconds({ min: 1 }), 30_000, {
    unit: 'ms',
    mirrors: 'session.timeout.ms',
    doc: 'How long a member may be silent before its partitions go to others.',
  }),
  rebalanceTimeout: option(milliseconds({ min: 1 }), 60_000, {
    unit: 'ms',
    mirrors: 'kafkajs',
    doc: 'How long a member may take to let go of partitions that are to go to others.',
  }),
  maxPollIntervalMs: option(milliseconds({ min: 1 }), 300_000, {
    unit: 'ms',
    mirrors: 'max.poll.interval.ms',
    doc:
      'How long a handler of a group may go without progress (a message or an offset resolved, heartbeat called) before ' +
      'the consumer leaves the group and crashes, so that others take over its partitions.',
  }),
  heartbeatInterval: option(milliseconds({ min: 1 }), 3000, {
    unit: 'ms',
    mirrors: 'heartbeat.interval.ms',
    doc: 'How often a member shows that it is alive.',
  }),
  metadataMaxAge: option(milliseconds({ min: 1 }), 300_000, {
    unit: 'ms',
    mirrors: 'metadata.max.age.ms',
    noEffect: 'all of a client share their metadata, and read it again after five minutes',
    doc: "After how long a topic's metadata is read again at the latest. Changes by other clients are noticed at once.",
  }),
  maxBytesPerPartition: option(integer({ min: 1, max: maxInt }), 1_048_576, {
    unit: 'bytes',
    mirrors: 'max.partition.fetch.bytes',
    doc: 'How much one fetch brings of a partition. A larger batch comes whole nevertheless.',
  }),
  minBytes: option(integer({ min: 0, max: maxInt }), 1, {
    unit: 'bytes',
    mirrors: 'fetch.min.bytes',
    doc: 'How much a fetch waits for, for up to maxWaitTimeInMs.',
  }),
  maxBytes: option(integer({ min: 1, max: maxInt }), 10_485_760, {
    unit: 'bytes',
    mirrors: 'fetch.max.bytes',
    doc: 'How much is held that was fetched and not yet handled, of all partitions together. A batch comes whole nevertheless.',
  }),
  maxWaitTimeInMs: option(milliseconds(), 5000, {
    unit: 'ms',
    mirrors: 'fetch.max.wait.ms',
    doc: 'How long a fetch waits at the end of the log.',
  }),
  autoOffsetReset: option(offsetReset, 'latest', {
    mirrors: 'auto.offset.reset',
    doc:
      'Where reading starts when there is no committed offset or it is out of range: at the end, at the start, with an ' +
      "error, or at the first record of that time or later. subscribe's fromBeginning goes before it.",
  }),
  retry: optional(group('an object of retry options', retryOptions), {
    doc: "How retriable errors are retried; what is left out is as the client's.",
  }),
  allowAutoTopicCreation: option(boolean, true, {
    mirrors: 'allow.auto.create.topics',
    doc: 'Whether subscribing to an unknown topic creates it, if the namespace has auto.create.topics.enable.',
  }),
  maxInFlightRequests: option(nullable(integer({ min: 1 })), null, {
    mirrors: 'kafkajs',
    noEffect: 'a connection of a consumer has one fetch on its way at a time',
    doc: 'How many requests may be unanswered on one connection.',
  }),
  onPartitionsAssigned: optional(fn('a function of partitions'), {
    doc: 'Called and awaited before the first record of partitions that the group has given is handed out.',
  }),
  onPartitionsRevoked: optional(fn('a function of partitions'), {
    doc:
      'Called and awaited before partitions go to other members, when handlers have ended and offsets are committed; ' +
      'within rebalanceTimeout.',
  }),
  onPartitionsLost: optional(fn('a function of partitions'), {
    doc:
      'Called when partitions are gone without warning (the session was over): others may work on them already. ' +
      'onPartitionsRevoked if left out.',
  }),
  readUncommitted: option(boolean, false, {
    mirrors: 'isolation.level',
    noEffect: 'transactions are not there yet',
    doc: 'Whether records of open and aborted transactions are read.',
  }),
  rackId: option(text(), '', {
    mirrors: 'client.rack',
    noEffect: 'fetches go to the primary',
    doc: 'Where the consumer is, so that it can fetch from a replica nearby.',
  }),
} as const

/** The options of `consumer.run(…)`. */
export const runOptions = {
  eachMessage: optional(fn('a function of a message'), { mirrors: 'kafkajs', doc: 'Called for every message.' }),
  eachBatch: optional(fn('a function of a batch'), { mirrors: 'kafkajs', doc: 'Called for every batch.' }),
  eachBatchAutoResolve: option(boolean, true, {
    mirrors: 'kafkajs',
    doc: 'Whether a batch counts as done as a whole when eachBatch has ended well.',
  }),
  partitionsConsumedConcurrently: option(integer({ min: 1 }), 1, {
    mirrors: 'kafkajs',
    doc: 'How many partitions are worked on at the same time. The order within each holds whatever it is.',
  }),
  autoCommit: option(boolean, true, {
    mirrors: 'enable.auto.commit',
    doc: 'Whether offsets are committed as messages are done.',
  }),
  autoCommitInterval: option(nullable(milliseconds({ min: 1 })), null, {
    unit: 'ms',
    mirrors: 'auto.commit.interval.ms',
    doc: 'After how long offsets are committed within a batch.',
  }),
  autoCommitThreshold: option(nullable(integer({ min: 1 })), null, {
    mirrors: 'kafkajs',
    doc: 'After how many messages offsets are committed within a batch.',
  }),
} as const
