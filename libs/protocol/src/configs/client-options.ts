import { isNamespace } from '../names.js'
import { group, option, optional } from './option.js'
import {
  boolean,
  booleanOrObject,
  fn,
  integer,
  milliseconds,
  number,
  object,
  oneOf,
  text,
  textsOrFunction,
  unsupported,
} from './value-types.js'

/** How often and at what distance something retriable is tried again. */
export const retryOptions = {
  initialRetryTime: option(number({ min: 0 }), 300, {
    unit: 'ms',
    mirrors: 'retry.backoff.ms',
    doc: 'The pause before the first retry.',
  }),
  maxRetryTime: option(number({ min: 0, infinite: true }), 30_000, {
    unit: 'ms',
    mirrors: 'retry.backoff.max.ms',
    doc: 'The longest pause between two retries.',
  }),
  factor: option(number({ min: 0, max: 1 }), 0.2, {
    mirrors: 'kafkajs',
    doc: 'By what part each pause is varied at random, so that clients do not retry in step.',
  }),
  multiplier: option(number({ min: 1 }), 2, { mirrors: 'kafkajs', doc: 'By what each pause is longer than the last.' }),
  retries: option(number({ min: 0, infinite: true }), 5, {
    mirrors: 'retries',
    doc: 'How often a call is tried again before it fails.',
  }),
  restartOnFailure: optional(fn('a function of the error that gives a promise of true or false'), {
    mirrors: 'kafkajs',
    doc: 'Asked when a consumer has failed for good: whether it starts again. By default it does after retriable errors.',
  }),
} as const

/** Logging in to Redis. */
export const saslOptions = {
  mechanism: option(
    text("'plain'", (value) => value.toLowerCase() === 'plain'),
    'plain',
    { mirrors: 'sasl.mechanism', doc: 'Redis knows user names and passwords only.' },
  ),
  username: optional(text(), { mirrors: 'sasl.jaas.config', doc: 'The Redis ACL user.' }),
  password: optional(text(), { mirrors: 'sasl.jaas.config', doc: "The user's password.", secret: true }),
} as const

const namespaceRule = "1 to 64 of the characters a-z, A-Z, 0-9, '.', '_' and '-'"

/** The options of `new Kafka(…)`. */
export const clientOptions = {
  brokers: optional(textsOrFunction("a list such as ['127.0.0.1:6379'], or a function that gives one"), {
    mirrors: 'bootstrap.servers',
    doc:
      'Where Redis is: each entry host:port, or a redis://, rediss:// or unix: URL. Several are nodes of one Cluster, of ' +
      'which any will do. One of brokers and redis is needed.',
  }),
  redis: optional(object("ioredis's options, a Cluster or Sentinel description, or a connected ioredis instance"), {
    doc: 'Where Redis is, in terms of ioredis; instead of brokers.',
  }),
  namespace: option(text(namespaceRule, isNamespace), 'rivulet', {
    doc: 'The prefix of all keys. Clients of one namespace share topics and groups, as clients of one Kafka cluster do.',
  }),
  shards: option(integer({ min: 1, max: 16_384 }), 12, {
    doc: 'Over how many hash tags partitions are spread. It counts only for the client that makes the namespace.',
  }),
  clientId: option(text(), 'rivulet', {
    mirrors: 'client.id',
    doc: 'The name under which the client is seen in logs and in the CLIENT LIST of Redis.',
  }),
  ssl: optional(booleanOrObject("true, false or options of Node's tls.connect"), {
    mirrors: 'security.protocol',
    doc: 'TLS to Redis.',
  }),
  sasl: optional(group('an object with mechanism, username and password', saslOptions), {
    mirrors: 'sasl.*',
    secret: true,
    doc: 'Logging in to Redis as an ACL user.',
  }),
  connectionTimeout: option(milliseconds({ min: 1 }), 1000, {
    unit: 'ms',
    mirrors: 'socket.connection.setup.timeout.ms',
    doc: 'How long making a connection may take.',
  }),
  authenticationTimeout: option(milliseconds({ min: 1 }), 10_000, {
    unit: 'ms',
    mirrors: 'kafkajs',
    noEffect: 'logging in is part of making a connection, which connectionTimeout limits',
    doc: 'How long logging in may take.',
  }),
  reauthenticationThreshold: option(milliseconds(), 10_000, {
    unit: 'ms',
    mirrors: 'kafkajs',
    noEffect: 'a Redis login does not expire',
    doc: 'How long before a login expires it is renewed.',
  }),
  requestTimeout: option(milliseconds({ min: 1 }), 30_000, {
    unit: 'ms',
    mirrors: 'request.timeout.ms',
    doc: 'How long an answer may take before the request fails with REQUEST_TIMED_OUT.',
  }),
  enforceRequestTimeout: option(boolean, true, {
    mirrors: 'kafkajs',
    noEffect: 'every request has a deadline',
    doc: 'Whether requestTimeout counts.',
  }),
  retry: optional(group('an object of retry options', retryOptions), {
    doc: 'How retriable errors are retried: see the retry options.',
  }),
  logLevel: option(oneOf([0, 1, 2, 4, 5]), 4, {
    mirrors: 'kafkajs',
    doc: 'What is logged: 0 nothing, 1 errors, 2 warnings too, 4 information too, 5 everything.',
  }),
  logCreator: optional(fn('a function of the log level that gives a function of log entries'), {
    mirrors: 'kafkajs',
    doc: 'Where log entries go. By default they are written to the console, one line of JSON each.',
  }),
  socketFactory: optional(unsupported('connections are made by ioredis; give it its options by `redis`'), {
    mirrors: 'kafkajs',
    doc: 'Refused: connections are made by ioredis, whose options can be given by redis.',
  }),
} as const

/** The options of `kafka.admin(…)`. */
export const adminOptions = {
  retry: optional(group('an object of retry options', retryOptions), {
    doc: "How retriable errors are retried; what is left out is as the client's.",
  }),
} as const
