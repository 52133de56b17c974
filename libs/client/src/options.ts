import { clientOptions, parseOptions } from '@rivulet/protocol'
import type { StorageOptions } from '@rivulet/storage'
import { KafkaJSNonRetriableError, KafkaJSNotImplemented, toKafkaJSError } from './errors.js'
import type { KafkaConfig, logCreator, logLevel, RetryOptions } from './types.js'

/** What `new Kafka(…)` makes of its options. */
export interface ClientOptions {
  readonly clientId: string
  readonly retry: RetryOptions
  readonly logLevel: logLevel
  readonly logCreator: logCreator | undefined
  /** Where Redis is and how to log in; the lib's own logger comes on top. */
  readonly storage: StorageOptions
}

/**
 * Checks the options of `new Kafka(…)` and fills in defaults.
 *
 * @throws KafkaJSNonRetriableError naming option and value (never a password); KafkaJSNotImplemented for a SASL mechanism
 *   that Redis does not have
 */
export function parseClientOptions(config: KafkaConfig): ClientOptions {
  checkMechanism(config?.sasl)
  const options = parse(config)
  if (options.brokers === undefined && options.redis === undefined) {
    throw new KafkaJSNonRetriableError(
      'brokers is missing: give the addresses of Redis, such as ["localhost:6379"], or redis with options of ioredis',
    )
  }
  const { ssl } = options
  const { username, password } = options.sasl ?? {}
  return {
    clientId: options.clientId,
    retry: config.retry ?? {},
    logLevel: options.logLevel,
    logCreator: options.logCreator,
    storage: {
      redis: {
        ...(options.redis === undefined ? { addresses: options.brokers ?? [] } : { redis: options.redis }),
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(ssl === undefined || ssl === false ? {} : { tls: ssl }),
      },
      namespace: options.namespace,
      shards: options.shards,
      clientId: options.clientId,
      connectionTimeout: options.connectionTimeout,
      requestTimeout: options.requestTimeout,
    },
  }
}

function parse(config: KafkaConfig) {
  try {
    return parseOptions(clientOptions, config)
  } catch (error) {
    throw toKafkaJSError(error)
  }
}

/** Redis knows user and password only: any other mechanism is named, not passed over in silence. */
function checkMechanism(sasl: KafkaConfig['sasl']): void {
  const mechanism: unknown = sasl?.mechanism
  if (typeof mechanism !== 'string' || mechanism.toLowerCase() === 'plain') return
  throw new KafkaJSNotImplemented(
    `sasl.mechanism "${mechanism}" is not supported: Redis logs in by user and password, which is mechanism "plain"`,
  )
}
