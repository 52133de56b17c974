import { retryOptions } from './client-options.js'
import { group, option, optional } from './option.js'
import { boolean, fn, integer, milliseconds, nullable, text } from './value-types.js'

const maxInt = 2 ** 31 - 1

/** The options of `kafka.producer(…)`. */
export const producerOptions = {
  createPartitioner: optional(fn('a function that gives a partitioner'), {
    mirrors: 'partitioner.class',
    doc: "Chooses each message's partition. By default the message's own, else murmur2 of its key, else round robin.",
  }),
  retry: optional(group('an object of retry options', retryOptions), {
    doc: "How retriable errors are retried; what is left out is as the client's.",
  }),
  metadataMaxAge: option(milliseconds({ min: 1 }), 300_000, {
    unit: 'ms',
    mirrors: 'metadata.max.age.ms',
    noEffect: 'all of a client share their metadata, and read it again after five minutes',
    doc: "After how long a topic's metadata is read again at the latest. Changes by other clients are noticed at once.",
  }),
  allowAutoTopicCreation: option(boolean, true, {
    mirrors: 'kafkajs',
    doc: 'Whether sending to an unknown topic creates it, if the namespace has auto.create.topics.enable.',
  }),
  idempotent: option(boolean, false, {
    mirrors: 'enable.idempotence',
    doc: 'Whether sends must be free of duplicates: acks other than -1 are then refused.',
  }),
  transactionalId: optional(
    text('a text that is not empty', (value) => value !== ''),
    {
      mirrors: 'transactional.id',
      noEffect: 'transactions are not there yet, and transaction() says so',
      doc: 'The name under which transactions outlive their producer.',
    },
  ),
  transactionTimeout: option(milliseconds({ min: 1 }), 60_000, {
    unit: 'ms',
    mirrors: 'transaction.timeout.ms',
    noEffect: 'transactions are not there yet',
    doc: 'How long a transaction may stay open.',
  }),
  maxInFlightRequests: option(integer({ min: 1 }), 5, {
    mirrors: 'max.in.flight.requests.per.connection',
    doc: 'How many appends may be unanswered on one connection. The order within a partition holds whatever it is.',
  }),
  lingerMs: option(milliseconds(), 0, {
    unit: 'ms',
    mirrors: 'linger.ms',
    doc:
      'How long a record waits for others to share its batch. At 0, records gather only while an earlier batch of their ' +
      'partition is on its way.',
  }),
  batchSize: option(integer({ min: 1, max: maxInt }), 262_144, {
    unit: 'bytes',
    mirrors: 'batch.size',
    doc: 'The size, before compression, at which a batch is closed. A larger record makes a batch of its own.',
  }),
  maxRequestSize: option(nullable(integer({ min: 1, max: maxInt })), null, {
    unit: 'bytes',
    mirrors: 'max.request.size',
    doc:
      'The largest record, before compression, that is taken: MESSAGE_TOO_LARGE beyond it. As in kafkajs, and unlike in ' +
      "Kafka's own clients (1 MiB), the topic's max.message.bytes alone counts if it is left out.",
  }),
  bufferMemory: option(integer({ min: 1 }), 33_554_432, {
    unit: 'bytes',
    mirrors: 'buffer.memory',
    doc: 'How much may wait to be sent. When it is used up, send() waits for up to maxBlockMs.',
  }),
  maxBlockMs: option(milliseconds(), 60_000, {
    unit: 'ms',
    mirrors: 'max.block.ms',
    doc: 'How long send() waits for metadata and for room in the buffer: BUFFER_EXHAUSTED after it.',
  }),
  deliveryTimeoutMs: option(milliseconds({ min: 1 }), 120_000, {
    unit: 'ms',
    mirrors: 'delivery.timeout.ms',
    doc: 'How long a record may take from send() to its answer, retries included: REQUEST_TIMED_OUT after it.',
  }),
} as const
