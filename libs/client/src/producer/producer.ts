import { producerOptions, unknownOptions } from '@rivulet/protocol'
import type { Appender, Storage } from '@rivulet/storage'

import type { ClientContext } from '../client-context.js'
import { codecs } from '../compression-codecs.js'
import {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  toKafkaJSError,
} from '../errors.js'
import { Instrumentation, PRODUCER_EVENTS } from '../instrumentation.js'
import { Partitioners } from '../partitioners/index.js'
import type {
  ICustomPartitioner,
  Logger,
  Producer as ProducerShape,
  ProducerBatch,
  ProducerConfig,
  ProducerEventPayloads,
  ProducerRecord,
  RecordMetadata,
  TopicMessages,
  Transaction,
} from '../types.js'
import { within } from '../within.js'
import { callEvents } from './call-events.js'
import { checkAcks, checkIsObject, checkMessages, checkTopics, compressionOf } from './check-arguments.js'
import { closedError, ProducerSession } from './producer-session.js'
import { parseProducerConfig, type ProducerSettings } from './producer-settings.js'

/** What disconnect() gives to the records that are under way, and what it takes altogether, in ms. */
const FLUSH_MS = 750
const DISCONNECT_MS = 900

interface Connected {
  readonly kind: 'connected'
  readonly session: ProducerSession
  readonly appender: Appender
}

type State =
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connecting'; readonly done: Promise<void>; readonly abort: AbortController }
  | Connected
  | { readonly kind: 'disconnecting'; readonly done: Promise<void> }

/**
 * Writes messages to topics; kafkajs's Producer. Its functions can be used without the object they come from.
 *
 * Every producer is idempotent: a message that is sent again after a lost connection is stored once, and the order within
 * a partition never changes. `idempotent: true` only makes it refuse acks other than -1.
 */
export class Producer implements ProducerShape {
  readonly events = PRODUCER_EVENTS
  readonly #context: ClientContext
  readonly #settings: ProducerSettings
  readonly #config: ProducerConfig
  readonly #partitioner: ReturnType<ICustomPartitioner>
  readonly #logger: Logger
  readonly #instrumentation: Instrumentation<ProducerEventPayloads>
  #state: State = { kind: 'disconnected' }

  /** @throws KafkaJSNonRetriableError for an option that is not valid, naming it and its value */
  constructor(context: ClientContext, config: ProducerConfig = {}) {
    this.#context = context
    this.#config = config
    this.#settings = parseProducerConfig(config, context.retry)
    if (this.#settings.idempotent && this.#settings.retry.retries < 1) {
      throw new KafkaJSNonRetriableError('Idempotent producer must allow retries to protect against transient errors')
    }
    this.#logger = context.logger.namespace('Producer')
    for (const sentence of unknownOptions(producerOptions, config)) this.#logger.warn(sentence)
    this.#partitioner = (config.createPartitioner ?? Partitioners.DefaultPartitioner)()
    this.#instrumentation = new Instrumentation('producer', PRODUCER_EVENTS, this.#logger)
  }

  /**
   * Connects. Calls at the same time share one attempt; does nothing where it is connected already.
   *
   * @throws KafkaJSError what came of it; KafkaJSConnectionError if disconnect() was called meanwhile
   */
  readonly connect = async (): Promise<void> => {
    if (this.#state.kind === 'connected') return
    if (this.#state.kind === 'connecting') return this.#state.done
    const abort = new AbortController()
    // Connecting already while it still disconnects: a disconnect() that comes now is for this one.
    const last = this.#state.kind === 'disconnecting' ? this.#state.done : Promise.resolve()
    const done = this.#connect(last, abort.signal)
    this.#state = { kind: 'connecting', done, abort }
    return done
  }

  /**
   * Sends what is under way, then closes the connection, within a second: what is not stored by then is rejected with
   * KafkaJSNonRetriableError. Can be called again and at any time; connect() may follow.
   */
  readonly disconnect = async (): Promise<void> => {
    const state = this.#state
    switch (state.kind) {
      case 'disconnected':
        return
      case 'disconnecting':
        return state.done
      case 'connecting':
        state.abort.abort(new KafkaJSConnectionError('The producer was disconnected while it was connecting'))
        return state.done.catch(() => undefined)
      case 'connected': {
        const done = this.#disconnect(state)
        this.#state = { kind: 'disconnecting', done }
        return done
      }
    }
  }

  /**
   * Sends messages to one topic. Resolves with the metadata of each partition that got some, by partition number, once
   * they are stored as `acks` asks for; with acks=0 at once, with an empty list.
   *
   * @param record `timeout` (30000 ms) is the time that the in-sync replicas have with acks=-1; how long a message may
   *   take altogether is deliveryTimeoutMs
   * @throws KafkaJSError what sendBatch throws
   */
  readonly send = (record: ProducerRecord): Promise<RecordMetadata[]> => {
    try {
      checkIsObject(record, 'send')
      const { topic, messages, acks, compression } = record
      return this.#send([{ topic, messages }], acks, compression)
    } catch (error) {
      return Promise.reject(toKafkaJSError(error))
    }
  }

  /**
   * Sends messages to several topics. They are stored independently of each other: one that fails does not keep the others
   * from being stored. Resolves with the metadata of every partition, in the order of the topics, then by number.
   *
   * @throws KafkaJSNonRetriableError (a wrong argument, or disconnect() came first), KafkaJSProtocolError with `type`
   *   (UNKNOWN_TOPIC_OR_PARTITION, MESSAGE_TOO_LARGE, BUFFER_EXHAUSTED, UNKNOWN_TOPIC_ID: the topic was deleted meanwhile,
   *   OUT_OF_MEMORY, NAMESPACE_FULL, …), KafkaJSNumberOfRetriesExceeded, KafkaJSRequestTimeoutError (deliveryTimeoutMs).
   *   Where only parts have failed, or for several reasons: KafkaJSSendError, whose `failures` name topics, partitions and
   *   errors, and whose `results` are the metadata of what is stored.
   */
  readonly sendBatch = (batch: ProducerBatch): Promise<RecordMetadata[]> => {
    try {
      checkIsObject(batch, 'sendBatch')
      const { topicMessages = [], acks, compression } = batch
      return this.#send(topicMessages, acks, compression)
    } catch (error) {
      return Promise.reject(toKafkaJSError(error))
    }
  }

  /** Whether it was made with `idempotent: true`. */
  readonly isIdempotent = (): boolean => this.#settings.idempotent

  /** @throws KafkaJSNotImplemented always: transactions are not there yet */
  readonly transaction = async (): Promise<Transaction> => {
    if (this.#config.transactionalId === undefined) {
      throw new KafkaJSNonRetriableError('Must provide transactional id for transactional producer')
    }
    throw new KafkaJSNotImplemented(
      `Transactions are not implemented yet (transactionalId '${this.#config.transactionalId}'): send without one`,
    )
  }

  /**
   * Adds a listener of one of `events`.
   *
   * @returns a function that takes it away again
   * @throws KafkaJSNonRetriableError for an unknown name
   */
  readonly on: ProducerShape['on'] = (eventName, listener) => this.#instrumentation.on(eventName, listener)

  readonly logger = (): Logger => this.#logger

  #send(
    topicMessages: readonly TopicMessages[],
    acks: number | null | undefined,
    compression: number | null | undefined,
  ): Promise<RecordMetadata[]> {
    checkTopics(topicMessages)
    const acknowledgements = acks ?? -1
    if (this.#settings.idempotent && acknowledgements !== -1) {
      throw new KafkaJSNonRetriableError(
        `Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees`,
      )
    }
    for (const { topic, messages } of topicMessages) checkMessages(topic, messages)
    checkAcks(acknowledgements)
    const session = this.#session()
    const topics = topicMessages.length > 1 ? merge(topicMessages) : topicMessages
    if (topics.length === 0) return Promise.resolve([])
    return session.send(topics, acknowledgements, compressionOf(compression))
  }

  #session(): ProducerSession {
    switch (this.#state.kind) {
      case 'connected':
        return this.#state.session
      case 'disconnecting':
        throw new KafkaJSNonRetriableError(
          `The producer is disconnecting; therefore, it can't safely accept messages anymore`,
        )
      default:
        throw new KafkaJSError('The producer is disconnected')
    }
  }

  async #connect(disconnected: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await disconnected
      const storage = await this.#context.storage.acquire(signal)
      const appender = await this.#openAppender(storage, signal)
      this.#state = { kind: 'connected', appender, session: this.#begin(storage, appender) }
    } catch (error) {
      this.#state = { kind: 'disconnected' }
      throw toKafkaJSError(error)
    }
    this.#instrumentation.emit('producer.connect', null)
  }

  /** An appender, or nothing held of the storage any more. */
  async #openAppender(storage: Storage, signal: AbortSignal): Promise<Appender> {
    const opening = storage.openAppender()
    try {
      const appender = await Promise.race([opening, rejectionOf(signal)])
      // Aborted after the race was won, and before its winner is seen here.
      signal.throwIfAborted()
      return appender
    } catch (error) {
      void this.#letGo(opening)
      throw error
    }
  }

  async #letGo(opening: Promise<Appender>): Promise<void> {
    await opening.then((appender) => appender.close()).catch(() => undefined)
    await this.#context.storage.release().catch(() => undefined)
  }

  #begin(storage: Storage, appender: Appender): ProducerSession {
    const { topics } = storage
    return new ProducerSession({
      appender,
      source: { topics, autoCreateTopics: async () => (await topics.namespaceConfig()).autoCreateTopicsEnable },
      settings: this.#settings,
      partitioner: this.#partitioner,
      codecs,
      logger: this.#logger,
      observer: callEvents(this.#instrumentation, this.#context.clientId),
    })
  }

  async #disconnect({ session, appender }: Connected): Promise<void> {
    const begun = performance.now()
    const left = (total: number): number => Math.max(total - (performance.now() - begun), 0)
    await within(session.flush(), left(FLUSH_MS))
    session.close(closedError())
    await within(this.#letGo(Promise.resolve(appender)), left(DISCONNECT_MS))
    // connect() may have been called meanwhile.
    if (this.#state.kind === 'disconnecting') this.#state = { kind: 'disconnected' }
    this.#instrumentation.emit('producer.disconnect', null)
  }
}

/** Rejects when the signal is aborted. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abandon = (): void => reject(toKafkaJSError(signal.reason))
    if (signal.aborted) abandon()
    else signal.addEventListener('abort', abandon, { once: true })
  })
}

/** Each topic once, where it came first. */
function merge(topicMessages: readonly TopicMessages[]): readonly TopicMessages[] {
  const byTopic = new Map<string, TopicMessages>()
  for (const { topic, messages } of topicMessages) {
    const known = byTopic.get(topic)
    byTopic.set(topic, { topic, messages: known === undefined ? messages : [...known.messages, ...messages] })
  }
  return [...byTopic.values()]
}
