import { types } from 'node:util'
import { KafkaError } from '@rivulet/protocol'
import type { ErrorName } from '@rivulet/protocol'
import { show } from './show.js'

/** What every constructor of this file takes first: a message, or an error whose message (and type, code …) it takes over. */
export type ErrorOrMessage = Error | string

/** The protocol errors that kafkajs calls by the names that Kafka has given up since. */
const KAFKAJS_NAMES: Readonly<Partial<Record<ErrorName, string>>> = {
  UNKNOWN_SERVER_ERROR: 'UNKNOWN',
  NOT_LEADER_OR_FOLLOWER: 'NOT_LEADER_FOR_PARTITION',
  COORDINATOR_LOAD_IN_PROGRESS: 'GROUP_LOAD_IN_PROGRESS',
  COORDINATOR_NOT_AVAILABLE: 'GROUP_COORDINATOR_NOT_AVAILABLE',
  NOT_COORDINATOR: 'NOT_COORDINATOR_FOR_GROUP',
}

/** Errors of programming: trying again cannot help. */
const UNRECOVERABLE: ReadonlySet<string> = new Set(['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError'])

/** Errors of Node's own are of another realm than a program in a vm context (under Jest, for one): instanceof misses them. */
export const isError = (e: unknown): e is Error => e instanceof Error || types.isNativeError(e)

/** Whatever an application threw or rejected with, as an error. */
export const toError = (thrown: unknown): Error =>
  isError(thrown) ? thrown : new Error(typeof thrown === 'object' && thrown !== null ? show(thrown) : String(thrown))

const messageOf = (e: ErrorOrMessage): string => (typeof e === 'string' ? e : e.message)

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const fieldOf = (e: unknown, field: string): unknown =>
  typeof e === 'object' && e !== null && field in e ? Reflect.get(e, field) : undefined

/** The parent of nearly all errors of this client. */
export class KafkaJSError extends Error {
  override name = 'KafkaJSError'
  declare readonly cause?: Error
  /** Whether the same call may succeed when it is made again. */
  readonly retriable: boolean
  /** Where to read about it, if anywhere. */
  readonly helpUrl?: string

  /**
   * @param e the message, or an error whose message is taken over
   * @param metadata retriable (true by default) and the cause
   */
  constructor(e: ErrorOrMessage, metadata: { retriable?: boolean | undefined; cause?: unknown } = {}) {
    super(messageOf(e), { cause: metadata.cause })
    this.retriable = metadata.retriable ?? true
    const helpUrl = stringOf(fieldOf(e, 'helpUrl'))
    if (helpUrl !== undefined) this.helpUrl = helpUrl
  }
}

/** An error that trying again cannot cure: a wrong argument, a refused login. */
export class KafkaJSNonRetriableError extends KafkaJSError {
  override name = 'KafkaJSNonRetriableError'
  constructor(e: ErrorOrMessage, { cause }: { cause?: unknown } = {}) {
    super(e, { retriable: false, cause })
  }
}

/** An error of Kafka's protocol: `type` is its name, `code` its number. Rivulet's own have codes below -1000. */
export class KafkaJSProtocolError extends KafkaJSError {
  override name = 'KafkaJSProtocolError'
  readonly type: string
  readonly code: number

  /** @param e the error whose type, code and retriable are taken over */
  constructor(
    e: ErrorOrMessage | { message: string; type: string; code: number; retriable?: boolean },
    { retriable, cause }: { retriable?: boolean; cause?: unknown } = {},
  ) {
    const own = fieldOf(e, 'retriable')
    super(typeof e === 'string' ? e : e.message, {
      retriable: retriable ?? (typeof own === 'boolean' ? own : undefined),
      cause,
    })
    const type = fieldOf(e, 'type')
    const code = fieldOf(e, 'code')
    this.type = typeof type === 'string' ? type : 'UNKNOWN'
    this.code = typeof code === 'number' ? code : -1
  }
}

/** The position lies outside the partition's log. */
export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override name = 'KafkaJSOffsetOutOfRange'
  readonly topic: string
  readonly partition: number
  constructor(
    e: ConstructorParameters<typeof KafkaJSProtocolError>[0],
    metadata: { topic: string; partition: number; cause?: unknown },
  ) {
    super(e, { cause: metadata.cause })
    this.topic = metadata.topic
    this.partition = metadata.partition
  }
}

/** A member joined a group without having been given an id. */
export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  override name = 'KafkaJSMemberIdRequired'
  readonly memberId: string
  constructor(e: ConstructorParameters<typeof KafkaJSProtocolError>[0], { memberId }: { memberId: string }) {
    super(e)
    this.memberId = memberId
  }
}

/** All tries have failed; `cause` is the last one's error. */
export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override name = 'KafkaJSNumberOfRetriesExceeded'
  declare stack: string
  /** How many times it was tried again. */
  readonly retryCount: number
  /** The wait before a next try, in ms, had there been one. */
  readonly retryTime: number
  constructor(e: ErrorOrMessage, { retryCount, retryTime }: { retryCount: number; retryTime: number }) {
    super(e, { cause: typeof e === 'string' ? undefined : e })
    this.retryCount = retryCount
    this.retryTime = retryTime
    if (typeof e !== 'string') this.stack = `KafkaJSNumberOfRetriesExceeded\n  Caused by: ${e.stack ?? e.message}`
  }
}

/** The server could not be reached, or the connection was lost. */
export class KafkaJSConnectionError extends KafkaJSError {
  override name = 'KafkaJSConnectionError'
  /** The server, as host:port, where it is known. */
  readonly broker: string | undefined
  /** The system's error code, such as ECONNREFUSED. */
  readonly code: string | undefined
  constructor(
    e: ErrorOrMessage,
    metadata: { broker?: string; code?: string; retriable?: boolean; cause?: unknown } = {},
  ) {
    super(e, { retriable: metadata.retriable, cause: metadata.cause })
    this.broker = metadata.broker
    this.code = metadata.code
  }
}

/** The connection was closed while it was needed. */
export class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
  override name = 'KafkaJSConnectionClosedError'
  readonly host: string | undefined
  readonly port: number | undefined
  constructor(e: ErrorOrMessage, { host, port }: { host?: string; port?: number } = {}) {
    super(e, { broker: `${host}:${port}` })
    this.host = host
    this.port = port
  }
}

/** No answer came within requestTimeout. */
export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override name = 'KafkaJSRequestTimeoutError'
  readonly broker: string | undefined
  readonly correlationId: number | undefined
  readonly createdAt: number | undefined
  readonly sentAt: number | undefined
  readonly pendingDuration: number | undefined
  constructor(
    e: ErrorOrMessage,
    metadata: {
      broker?: string
      clientId?: string
      correlationId?: number
      createdAt?: number
      sentAt?: number
      pendingDuration?: number
      cause?: unknown
    } = {},
  ) {
    super(e, { cause: metadata.cause })
    this.broker = metadata.broker
    this.correlationId = metadata.correlationId
    this.createdAt = metadata.createdAt
    this.sentAt = metadata.sentAt
    this.pendingDuration = metadata.pendingDuration
  }
}

/** Metadata was needed before it was there. */
export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  override name = 'KafkaJSMetadataNotLoaded'
}

/** The metadata of a topic was needed before it was there. */
export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  override name = 'KafkaJSTopicMetadataNotLoaded'
  readonly topic: string | undefined
  constructor(e: ErrorOrMessage, { topic }: { topic?: string } = {}) {
    super(e)
    this.topic = topic
  }
}

/** An assignment names partitions that the topic does not have (any more). */
export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  override name = 'KafkaJSStaleTopicMetadataAssignment'
  readonly topic: string | undefined
  readonly unknownPartitions: unknown
  constructor(e: ErrorOrMessage, { topic, unknownPartitions }: { topic?: string; unknownPartitions?: unknown } = {}) {
    super(e)
    this.topic = topic
    this.unknownPartitions = unknownPartitions
  }
}

/** Some groups could not be deleted: each with its error. */
export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override name = 'KafkaJSDeleteGroupsError'
  readonly groups: { groupId: string; errorCode: number; error: KafkaJSError }[]
  constructor(e: ErrorOrMessage, groups: { groupId: string; errorCode: number; error: KafkaJSError }[] = []) {
    super(e)
    this.groups = groups
  }
}

/** The server does not offer what the call needs. */
export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  override name = 'KafkaJSServerDoesNotSupportApiKey'
  readonly apiKey: number | undefined
  readonly apiName: string | undefined
  constructor(e: ErrorOrMessage, { apiKey, apiName }: { apiKey?: number; apiName?: string } = {}) {
    super(e)
    this.apiKey = apiKey
    this.apiName = apiName
  }
}

/** No such server is known. */
export class KafkaJSBrokerNotFound extends KafkaJSError {
  override name = 'KafkaJSBrokerNotFound'
}

/** A message was cut short. */
export class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {
  override name = 'KafkaJSPartialMessageError'
}

/** The server refused the login, or its way. */
export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
  override name = 'KafkaJSSASLAuthenticationError'
}

/** Nobody coordinates the group. */
export class KafkaJSGroupCoordinatorNotFound extends KafkaJSNonRetriableError {
  override name = 'KafkaJSGroupCoordinatorNotFound'
}

/** The call exists in kafkajs and is not supported here. */
export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  override name = 'KafkaJSNotImplemented'
}

/** Something awaited did not happen in time. */
export class KafkaJSTimeout extends KafkaJSNonRetriableError {
  override name = 'KafkaJSTimeout'
}

/** A lock was not free in time. */
export class KafkaJSLockTimeout extends KafkaJSTimeout {
  override name = 'KafkaJSLockTimeout'
}

/** A batch of a message format that is too old or too new. */
export class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {
  override name = 'KafkaJSUnsupportedMagicByteInMessageSet'
}

/** Records of some partitions could not be deleted: each with its error. Retriable if all of these are. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override name = 'KafkaJSDeleteTopicRecordsError'
  readonly partitions: { partition: number; offset: string; error: KafkaJSError }[]
  constructor({
    partitions,
  }: {
    topic?: string
    partitions: { partition: number; offset: string; error: KafkaJSError }[]
  }) {
    super('Error while deleting records', { retriable: partitions.every(({ error }) => error.retriable) })
    this.partitions = partitions
  }
}

/** Something that cannot be, is: a defect of this client. */
export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
  override name = 'KafkaJSInvariantViolation'
  constructor(e: ErrorOrMessage) {
    super(`Invariant violated: ${messageOf(e)}. This is a defect of the client: please report it.`)
  }
}

/** A variable-length integer has too many bytes. (kafkajs gives it this name, too.) */
export class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {
  override name = 'KafkaJSNonRetriableError'
}

/** A number is outside 64 bits. (kafkajs gives it this name, too.) */
export class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {
  override name = 'KafkaJSNonRetriableError'
}

/** One topic could not be created. */
export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  override name = 'KafkaJSCreateTopicError'
  readonly topic: string
  constructor(e: ConstructorParameters<typeof KafkaJSProtocolError>[0], topicName: string, cause?: unknown) {
    super(e, { cause })
    this.topic = topicName
  }
}

/** One partition could not be reassigned. */
export class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
  override name = 'KafkaJSAlterPartitionReassignmentsError'
  readonly topic: string | undefined
  readonly partition: number | undefined
  constructor(e: ConstructorParameters<typeof KafkaJSProtocolError>[0], topicName?: string, partition?: number) {
    super(e)
    this.topic = topicName
    this.partition = partition
  }
}

/** Several errors of one call. (No KafkaJSError, as in kafkajs.) */
export class KafkaJSAggregateError extends Error {
  override name = 'KafkaJSAggregateError'
  readonly errors: (Error | string)[]
  constructor(message: ErrorOrMessage, errors: (Error | string)[]) {
    super(messageOf(message))
    this.errors = errors
  }
}

/** A fetch was given up because the group rebalances. (No KafkaJSError, as in kafkajs.) */
export class KafkaJSFetcherRebalanceError extends Error {}

/** None of the servers is available. */
export class KafkaJSNoBrokerAvailableError extends KafkaJSError {
  override name = 'KafkaJSNoBrokerAvailableError'
  constructor() {
    super('No broker available')
  }
}

/** Whether trying again may help: everything may, but errors that say no and errors of programming. */
export function isRetriable(error: unknown): boolean {
  if (!isError(error)) return true
  return fieldOf(error, 'retriable') !== false && !UNRECOVERABLE.has(error.name)
}

/** What an error of protocol or storage looks like as one of kafkajs's. */
const protocolShape = (error: KafkaError): { message: string; type: string; code: number; retriable: boolean } => ({
  message: error.message,
  type: KAFKAJS_NAMES[error.type] ?? error.type,
  code: error.code,
  retriable: error.retriable,
})

/** The error code of the system (ECONNREFUSED …) among an error's causes. */
function systemCode(error: unknown): string | undefined {
  let cause: unknown = error
  for (let depth = 0; depth < 5 && isError(cause); depth++) {
    if (!(cause instanceof KafkaError)) {
      const code = stringOf(fieldOf(cause, 'code'))
      if (code !== undefined) return code
    }
    cause = cause.cause
  }
  return undefined
}

/**
 * The one way from errors of protocol and storage to kafkajs's classes. The message stays, `cause` is the original error,
 * and errors that are kafkajs's already pass through.
 *
 * @param error whatever was thrown
 * @param detail the topic and partition it happened to, where there is one
 */
export function toKafkaJSError(error: unknown, detail: { topic?: string; partition?: number } = {}): KafkaJSError {
  if (error instanceof KafkaJSError) return error
  if (!(error instanceof KafkaError)) {
    const e = toError(error)
    return new KafkaJSError(e, { retriable: isRetriable(e), cause: e })
  }
  const broker = stringOf(error.details['broker'])
  const known = broker === undefined ? {} : { broker }
  switch (error.type) {
    case 'NETWORK_EXCEPTION':
    case 'BROKER_NOT_AVAILABLE': {
      const code = systemCode(error)
      return new KafkaJSConnectionError(error, { ...known, ...(code === undefined ? {} : { code }), cause: error })
    }
    case 'REQUEST_TIMED_OUT':
      return new KafkaJSRequestTimeoutError(error, { ...known, cause: error })
    case 'SASL_AUTHENTICATION_FAILED':
      return new KafkaJSSASLAuthenticationError(error, { cause: error })
    case 'CLIENT_CLOSED':
    case 'INVALID_OPTION':
      return new KafkaJSNonRetriableError(error, { cause: error })
    case 'OFFSET_OUT_OF_RANGE': {
      const { topic, partition } = detail
      if (topic === undefined || partition === undefined) break
      return new KafkaJSOffsetOutOfRange(protocolShape(error), { topic, partition, cause: error })
    }
    default:
  }
  return new KafkaJSProtocolError(protocolShape(error), { cause: error })
}

/** One topic's refusal, as createTopics reports it. */
export function toCreateTopicError(error: KafkaError, topic: string): KafkaJSCreateTopicError {
  return new KafkaJSCreateTopicError(protocolShape(error), topic, error)
}
