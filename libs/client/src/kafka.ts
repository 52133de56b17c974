import { clientOptions, unknownOptions } from '@rivulet/protocol'
import { Storage } from '@rivulet/storage'
import { Admin } from './admin/admin.js'
import { bindMethods } from './bind-methods.js'
import type { ClientContext } from './client-context.js'
import { Consumer } from './consumer/consumer.js'
import { toKafkaJSError } from './errors.js'
import { createLogger } from './logger.js'
import { parseClientOptions } from './options.js'
import type { ClientOptions } from './options.js'
import { Producer } from './producer/producer.js'
import { createRetry } from './retry.js'
import { SharedStorage } from './shared-storage.js'
import type {
  AdminConfig,
  AssignedConsumerConfig,
  ConsumerConfig,
  KafkaConfig,
  Logger,
  ProducerConfig,
} from './types.js'

/**
 * A client of one namespace, from which producers, consumers and admins are made. They share what can be shared: the
 * connection for commands and the topics' metadata. Nothing is connected before one of them is.
 */
export class Kafka {
  readonly #context: ClientContext

  /**
   * @throws KafkaJSNonRetriableError for an option that is missing or wrong, naming it and its value;
   *   KafkaJSNotImplemented for a SASL mechanism other than plain
   */
  constructor(config: KafkaConfig) {
    const options = parseClientOptions(config)
    const logger = createLogger({ level: options.logLevel, logCreator: options.logCreator })
    for (const sentence of unknownOptions(clientOptions, config)) logger.warn(sentence)
    this.#context = {
      clientId: options.clientId,
      logger,
      storage: new SharedStorage((signal) => connect(options, logger, signal)),
      retry: options.retry,
    }
  }

  producer(config: ProducerConfig = {}): Producer {
    return bindMethods(new Producer(this.#context, config))
  }

  consumer(config: ConsumerConfig): Consumer
  /** A consumer without a group: it reads what it is assigned (`assign`). */
  consumer(config?: AssignedConsumerConfig): Consumer
  consumer(config: AssignedConsumerConfig = {}): Consumer {
    return bindMethods(new Consumer(this.#context, config))
  }

  admin(config: AdminConfig = {}): Admin {
    return bindMethods(new Admin(this.#context, config))
  }

  /** The client's logger; producers, consumers and admins log by namespaces of it. */
  logger(): Logger {
    return this.#context.logger
  }
}

/** Connects, and tries again as the client's `retry` says. */
function connect(options: ClientOptions, logger: Logger, signal: AbortSignal): Promise<Storage> {
  const storageLogger = logger.namespace('Storage')
  return createRetry(
    options.retry,
    signal,
  )(async (bail, retryCount, retryTime) => {
    try {
      return await Storage.connect({
        ...options.storage,
        logger: storageLogger,
        signal,
        // Tried again here, so that it ends as every other retry of this client does.
        retry: { retries: 0 },
      })
    } catch (e) {
      const error = toKafkaJSError(e)
      storageLogger.error(`Failed to connect: ${error.message}`, { retryCount, retryTime })
      if (!error.retriable) bail(error)
      throw error
    }
  })
}
