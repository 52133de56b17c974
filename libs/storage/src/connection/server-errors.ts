import { types } from 'node:util'
import { isErrorName, KafkaError, type ErrorName } from '@rivulet/protocol'

/** What was being done when the server refused: it makes the message name the culprit. */
export interface ErrorContext {
  /** The topic concerned: a refusal for lack of rights is then the topic's. */
  readonly topic?: string
  readonly partition?: number
  /** The group concerned: a refusal for lack of rights is then the group's. */
  readonly group?: string
  /** What was tried: 'create topic orders', 'XREAD'. */
  readonly operation?: string
  /** Where: an address without its password. */
  readonly address?: string
}

/** Redis's error codes (the first word of a refusal) by what they mean to a client of Kafka. */
const BY_CODE: Readonly<Record<string, ErrorName>> = {
  OOM: 'OUT_OF_MEMORY',
  LOADING: 'LEADER_NOT_AVAILABLE',
  MASTERDOWN: 'LEADER_NOT_AVAILABLE',
  CLUSTERDOWN: 'LEADER_NOT_AVAILABLE',
  BUSY: 'LEADER_NOT_AVAILABLE',
  TRYAGAIN: 'NOT_LEADER_OR_FOLLOWER',
  MOVED: 'NOT_LEADER_OR_FOLLOWER',
  ASK: 'NOT_LEADER_OR_FOLLOWER',
  READONLY: 'NOT_LEADER_OR_FOLLOWER',
  UNBLOCKED: 'NOT_LEADER_OR_FOLLOWER',
  NOREPLICAS: 'NOT_ENOUGH_REPLICAS',
  MISCONF: 'KAFKA_STORAGE_ERROR',
  NOAUTH: 'SASL_AUTHENTICATION_FAILED',
  WRONGPASS: 'SASL_AUTHENTICATION_FAILED',
  DENIED: 'CLUSTER_AUTHORIZATION_FAILED',
}

const HINTS: Readonly<Record<string, string>> = {
  OOM: 'free memory, shorten retention or raise maxmemory',
  MISCONF: 'Redis cannot write its snapshot or append-only file: see its log',
  NOAUTH: 'give sasl: { mechanism: "plain", username, password }',
  WRONGPASS: 'check sasl.username and sasl.password',
  DENIED: 'give the default user a password, or let Redis bind to this network without protected mode',
  NOPERM: 'grant the user the rights that the documentation lists',
}

/** What ioredis says when a connection is lost, cannot be made, or is not there when a command is issued. */
const CONNECTION_LOST = [
  'Connection is closed',
  "Stream isn't writeable",
  'Reached the max retries per request limit',
  'Command aborted due to connection close',
  "Cluster isn't ready",
  'Cluster is ended',
  'None of startup nodes is available',
  'Failed to refresh slots cache',
  'All sentinels are unreachable',
  'Socket timeout',
  'Socket closed unexpectedly',
  'Connection is aborted',
  'Redis is already connecting',
  'No subscriber for the cluster',
]

// Redis tells where in a script an error was raised; of a refusal it is only noise.
const SCRIPT_LOCATION = /,? script: [0-9a-z_]+, on @[^:]+:\d+\.?$/
const NO_RIGHTS_IN_SCRIPT = /ACL failure in script|The user executing the script can't/

/**
 * The KafkaError for whatever a command failed with: Redis's refusals by their code, our own scripts' by the name that they
 * return, a lost connection as NETWORK_EXCEPTION. A KafkaError comes back as it is. The texts keep what Redis said.
 */
export function toKafkaError(error: unknown, context: ErrorContext = {}): KafkaError {
  if (error instanceof KafkaError) return error
  if (!isError(error)) return new KafkaError('UNKNOWN_SERVER_ERROR', text(String(error), context))
  forgetCommand(error)
  if (error.name === 'ReplyError') return fromReply(error, context)
  if (error.name === 'ParserError') {
    const message =
      'What answers does not speak the Redis protocol (or only through TLS): check address, port and TLS option'
    return new KafkaError('UNSUPPORTED_SERVER', text(message, context), { cause: error })
  }
  if (error.message === 'Command timed out' || error.message.startsWith('Blocking command timed out')) {
    return new KafkaError('REQUEST_TIMED_OUT', text(error.message, context), { cause: error })
  }
  if (error.message.startsWith('Too many Cluster redirections')) {
    return new KafkaError('NOT_LEADER_OR_FOLLOWER', text(error.message, context), { cause: error })
  }
  if (isConnectionLoss(error)) {
    const refusal = 'lastNodeError' in error ? error.lastNodeError : undefined
    if (isError(refusal) && refusal.name === 'ReplyError') return fromReply(refusal, context)
    return new KafkaError('NETWORK_EXCEPTION', text(`The connection to Redis failed: ${told(error)}`, context), {
      cause: error,
    })
  }
  return new KafkaError('UNKNOWN_SERVER_ERROR', text(error.message, context), { cause: error })
}

/**
 * Takes the command away that ioredis attaches to an error, and to those within: its arguments are passwords (AUTH) and
 * whole batches, and whoever logs the error logs them.
 */
export function forgetCommand(error: Error, depth = 0): void {
  if ('command' in error) Reflect.deleteProperty(error, 'command')
  if (depth === 3) return
  const within: readonly unknown[] = [
    error.cause,
    'lastNodeError' in error ? error.lastNodeError : undefined,
    ...('errors' in error ? listOf(error.errors) : []),
    ...('previousErrors' in error ? listOf(error.previousErrors) : []),
  ]
  for (const inner of within) if (isError(inner)) forgetCommand(inner, depth + 1)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Whether it is an Error, even one of another realm (a vm's context), whose classes are not ours. */
export function isError(error: unknown): error is Error {
  return error instanceof Error || types.isNativeError(error)
}

/** Whether an error means that a connection was lost or could not be made, and says nothing about the command. */
export function isConnectionLoss(error: Error): boolean {
  if ('syscall' in error || 'errno' in error) return true
  if (
    'code' in error &&
    typeof error.code === 'string' &&
    /^(E[A-Z]+|ERR_(SSL|TLS)|DEPTH_ZERO|CERT_)/.test(error.code)
  ) {
    return true
  }
  return error.name === 'AbortError' || CONNECTION_LOST.some((sentence) => error.message.startsWith(sentence))
}

function fromReply(error: Error, context: ErrorContext): KafkaError {
  const message = error.message.replace(SCRIPT_LOCATION, '')
  const code = /^[A-Z_]+(?= |$)/.exec(message)?.[0] ?? ''
  // NONE is in the registry, but no script fails with it.
  if (isErrorName(code) && code !== 'NONE') {
    const detail = message.slice(code.length + 1)
    return new KafkaError(code, detail === '' ? undefined : text(detail, context), { cause: error })
  }
  if (code === 'NOPERM' || NO_RIGHTS_IN_SCRIPT.test(message)) {
    return new KafkaError(
      authorizationFailed(context),
      text(`Redis refused: ${message} (${HINTS['NOPERM']})`, context),
      { cause: error },
    )
  }
  if (message.startsWith('ERR max number of clients')) {
    return new KafkaError('NETWORK_EXCEPTION', text(`Redis refused the connection: ${message}`, context), {
      cause: error,
    })
  }
  if (Object.hasOwn(BY_CODE, code)) {
    const hint = HINTS[code]
    return new KafkaError(
      BY_CODE[code] ?? 'UNKNOWN_SERVER_ERROR',
      text(`Redis refused: ${message}${hint === undefined ? '' : ` (${hint})`}`, context),
      { cause: error },
    )
  }
  const type = message === error.message ? 'UNKNOWN_SERVER_ERROR' : 'SCRIPT_FAILED'
  return new KafkaError(type, text(`Redis refused: ${error.message}`, context), { cause: error })
}

function authorizationFailed({ topic, group }: ErrorContext): ErrorName {
  if (group !== undefined) return 'GROUP_AUTHORIZATION_FAILED'
  return topic === undefined ? 'CLUSTER_AUTHORIZATION_FAILED' : 'TOPIC_AUTHORIZATION_FAILED'
}

// ioredis's cluster errors hide the reason in lastNodeError; Node's for several addresses of a name have it in errors.
function told(error: Error): string {
  if ('lastNodeError' in error && isError(error.lastNodeError)) return error.lastNodeError.message
  if ('errors' in error && Array.isArray(error.errors))
    return error.errors.map((e: unknown) => (isError(e) ? e.message : String(e))).join(', ')
  return error.message
}

function text(message: string, context: ErrorContext): string {
  const where = [
    context.operation,
    context.group === undefined ? undefined : `group ${context.group}`,
    context.topic === undefined
      ? undefined
      : context.partition === undefined
        ? `topic ${context.topic}`
        : `partition ${context.topic}-${context.partition}`,
    context.address,
  ].filter((part) => part !== undefined)
  return where.length === 0 ? message : `${message} [${where.join(', ')}]`
}
