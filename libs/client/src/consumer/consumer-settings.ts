import { consumerOptions, parseOptions, runOptions, unknownOptions } from '@rivulet/protocol'
import { KafkaJSNonRetriableError, toKafkaJSError } from '../errors.js'
import { type RetrySettings, retrySettings } from '../retry.js'
import type {
  AssignedConsumerConfig,
  AutoOffsetReset,
  ConsumerConfig,
  ConsumerRunConfig,
  Logger,
  PartitionAssigner,
  PartitionsListener,
  RetryOptions,
} from '../types.js'

/** Of a consumer with a group or without. */
export type AnyConsumerConfig = AssignedConsumerConfig & Partial<Pick<ConsumerConfig, 'groupId'>>

/** The checked configuration, every default filled in. */
export interface ConsumerSettings {
  /** '': none. */
  readonly groupId: string
  readonly groupInstanceId: string | null
  /** null: the default. */
  readonly partitionAssigners: readonly PartitionAssigner[] | null
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly heartbeatInterval: number
  readonly maxPollIntervalMs: number
  readonly allowAutoTopicCreation: boolean
  readonly onPartitionsAssigned: PartitionsListener | undefined
  readonly onPartitionsRevoked: PartitionsListener | undefined
  readonly onPartitionsLost: PartitionsListener | undefined
  readonly maxBytesPerPartition: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitTimeInMs: number
  readonly autoOffsetReset: AutoOffsetReset
  readonly retry: RetrySettings
  readonly restartOnFailure: ((error: Error) => Promise<boolean>) | undefined
}

/** @throws KafkaJSNonRetriableError naming the option and its value */
export function parseConsumerConfig(
  config: AnyConsumerConfig,
  clientRetry: RetryOptions,
  logger: Logger,
): ConsumerSettings {
  if (config?.groupId === '') {
    throw new KafkaJSNonRetriableError('Consumer groupId must be a non-empty string.')
  }
  const options = checked(() => parseOptions(consumerOptions, config))
  for (const sentence of unknownOptions(consumerOptions, config)) logger.warn(sentence)
  if (options.heartbeatInterval >= options.sessionTimeout) {
    throw new KafkaJSNonRetriableError(
      `Consumer heartbeatInterval (${options.heartbeatInterval}) must be lower than sessionTimeout ` +
        `(${options.sessionTimeout}). It is recommended to set heartbeatInterval to approximately a third of the sessionTimeout.`,
    )
  }
  // As kafkajs has it: how often is the consumer's own affair, whatever the client says.
  const retry = { ...clientRetry, ...(config.retry ?? { retries: 5 }) }
  return {
    groupId: config.groupId ?? '',
    groupInstanceId: options.groupInstanceId ?? null,
    partitionAssigners: config.partitionAssigners ?? null,
    sessionTimeout: options.sessionTimeout,
    rebalanceTimeout: options.rebalanceTimeout,
    heartbeatInterval: options.heartbeatInterval,
    maxPollIntervalMs: options.maxPollIntervalMs,
    allowAutoTopicCreation: options.allowAutoTopicCreation,
    onPartitionsAssigned: config.onPartitionsAssigned,
    onPartitionsRevoked: config.onPartitionsRevoked,
    onPartitionsLost: config.onPartitionsLost,
    maxBytesPerPartition: options.maxBytesPerPartition,
    minBytes: options.minBytes,
    maxBytes: options.maxBytes,
    maxWaitTimeInMs: options.maxWaitTimeInMs,
    autoOffsetReset: options.autoOffsetReset,
    retry: retrySettings(retry),
    restartOnFailure: retry.restartOnFailure,
  }
}

/** What `run` was given, checked, every default filled in. */
export interface RunSettings {
  readonly eachMessage: ConsumerRunConfig['eachMessage']
  readonly eachBatch: ConsumerRunConfig['eachBatch']
  readonly eachBatchAutoResolve: boolean
  readonly partitionsConsumedConcurrently: number
  readonly autoCommit: boolean
  /** ms; null: none. */
  readonly autoCommitInterval: number | null
  /** Messages; null: none. */
  readonly autoCommitThreshold: number | null
}

/** @throws KafkaJSNonRetriableError naming the option and its value */
export function parseRunConfig(config: ConsumerRunConfig): RunSettings {
  // kafkajs takes null for a handler that is not there.
  const handlers = { eachMessage: config?.eachMessage ?? undefined, eachBatch: config?.eachBatch ?? undefined }
  const given = typeof config === 'object' && config !== null ? { ...config, ...handlers } : config
  const options = checked(() => parseOptions(runOptions, given))
  return {
    eachMessage: given.eachMessage,
    eachBatch: given.eachBatch,
    eachBatchAutoResolve: options.eachBatchAutoResolve,
    partitionsConsumedConcurrently: options.partitionsConsumedConcurrently,
    autoCommit: options.autoCommit,
    autoCommitInterval: options.autoCommitInterval,
    autoCommitThreshold: options.autoCommitThreshold,
  }
}

function checked<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw toKafkaJSError(error)
  }
}
