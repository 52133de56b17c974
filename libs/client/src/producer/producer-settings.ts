import { KafkaError, parseOptions, producerOptions } from '@rivulet/protocol'

import { toKafkaJSError } from '../errors.js'
import { type RetrySettings, retrySettings } from '../retry.js'
import type { ProducerConfig, RetryOptions } from '../types.js'

/** What the accumulator and the sender need of a producer's options (protocol's producerOptions explains each). */
export interface ProducerSettings {
  readonly lingerMs: number
  readonly batchSize: number
  /** Infinity: the topic's limit alone counts. */
  readonly maxRequestSize: number
  readonly bufferMemory: number
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
  readonly maxInFlightRequests: number
  readonly allowAutoTopicCreation: boolean
  readonly idempotent: boolean
  readonly retry: RetrySettings
}

/**
 * Checks a producer's config and fills in defaults. `retries` is kafkajs's: 5, and without an end for
 * `idempotent: true`, unless `retry` says otherwise.
 *
 * @throws KafkaJSNonRetriableError naming the option and its value
 */
export function parseProducerConfig(config: ProducerConfig, clientRetry: RetryOptions): ProducerSettings {
  try {
    const options = parseOptions(producerOptions, config)
    checkTimes(options)
    return {
      ...options,
      maxRequestSize: options.maxRequestSize ?? Infinity,
      retry: retrySettings({
        ...clientRetry,
        ...(options.idempotent ? { retries: Infinity } : {}),
        ...defined(config.retry),
      }),
    }
  } catch (error) {
    throw toKafkaJSError(error)
  }
}

/** A record that may wait longer for others than it has time would never be sent. */
function checkTimes({ lingerMs, deliveryTimeoutMs }: Pick<ProducerSettings, 'lingerMs' | 'deliveryTimeoutMs'>): void {
  if (lingerMs < deliveryTimeoutMs) return
  throw new KafkaError(
    'INVALID_OPTION',
    `lingerMs must be less than deliveryTimeoutMs, or no record is sent in time: they are ${lingerMs} and ${deliveryTimeoutMs} ms`,
    { option: 'lingerMs', value: lingerMs, deliveryTimeoutMs },
  )
}

/** Without the options that are undefined, which count as left out. */
function defined(retry: RetryOptions = {}): RetryOptions {
  return Object.fromEntries(Object.entries(retry).filter(([, value]) => value !== undefined))
}
