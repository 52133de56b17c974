import { KafkaJSNonRetriableError, toError } from './errors.js'
import type { AdminEvents, ConsumerEvents, InstrumentationEvent, Logger, ProducerEvents } from './types.js'

/** `producer.events`. */
export const PRODUCER_EVENTS: ProducerEvents = {
  CONNECT: 'producer.connect',
  DISCONNECT: 'producer.disconnect',
  REQUEST: 'producer.network.request',
  REQUEST_TIMEOUT: 'producer.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size',
}

/** `consumer.events`. */
export const CONSUMER_EVENTS: ConsumerEvents = {
  HEARTBEAT: 'consumer.heartbeat',
  COMMIT_OFFSETS: 'consumer.commit_offsets',
  GROUP_JOIN: 'consumer.group_join',
  FETCH: 'consumer.fetch',
  FETCH_START: 'consumer.fetch_start',
  START_BATCH_PROCESS: 'consumer.start_batch_process',
  END_BATCH_PROCESS: 'consumer.end_batch_process',
  CONNECT: 'consumer.connect',
  DISCONNECT: 'consumer.disconnect',
  STOP: 'consumer.stop',
  CRASH: 'consumer.crash',
  REBALANCING: 'consumer.rebalancing',
  RECEIVED_UNSUBSCRIBED_TOPICS: 'consumer.received_unsubscribed_topics',
  REQUEST: 'consumer.network.request',
  REQUEST_TIMEOUT: 'consumer.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'consumer.network.request_queue_size',
}

/** `admin.events`. */
export const ADMIN_EVENTS: AdminEvents = {
  CONNECT: 'admin.connect',
  DISCONNECT: 'admin.disconnect',
  REQUEST: 'admin.network.request',
  REQUEST_TIMEOUT: 'admin.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'admin.network.request_queue_size',
}

/** Counts every event of the process, as kafkajs does. */
let nextId = 0

/**
 * The events of one producer, consumer or admin.
 *
 * @typeParam Payloads what each event carries, by the event's type: `{ 'admin.connect': null, … }`
 */
export class Instrumentation<Payloads extends object> {
  readonly #listeners = new Map<string, Set<(event: InstrumentationEvent<never>) => unknown>>()
  readonly #names: ReadonlySet<string>
  readonly #hint: string
  readonly #logger: Logger | undefined

  /**
   * @param namespace 'producer', 'consumer' or 'admin': whose events they are
   * @param events the event names by their keys, as `producer.events` shows them
   * @param logger told of listeners that throw or reject: they never disturb the client
   */
  constructor(namespace: string, events: Readonly<Record<string, string>>, logger?: Logger) {
    this.#names = new Set(Object.values(events))
    this.#hint = Object.keys(events)
      .map((key) => `${namespace}.events.${key}`)
      .join(', ')
    this.#logger = logger
  }

  /** Whether anybody listens: spares the making of a payload on hot paths. */
  hasListeners(type: keyof Payloads & string): boolean {
    return this.#listeners.has(type)
  }

  /** Tells the listeners of that event, at once and in the order of their registration. */
  emit<T extends keyof Payloads & string>(type: T, payload: Payloads[T]): void {
    const listeners = this.#listeners.get(type)
    if (listeners === undefined) return
    // kafkajs's types say string for the id and null for no payload; its events carry a number and undefined, and programs
    // that look at them at run time must find the same here.
    const event = { id: nextId++, type, timestamp: Date.now(), payload: payload ?? undefined }
    for (const listener of [...listeners]) Reflect.apply(listener, undefined, [event])
  }

  /**
   * Adds a listener.
   *
   * @returns a function that takes it away again
   * @throws KafkaJSNonRetriableError for a name that is not one of the events
   */
  on<T extends keyof Payloads & string>(
    eventName: T,
    listener: (event: InstrumentationEvent<Payloads[T]>) => unknown,
  ): () => void {
    if (!this.#names.has(eventName)) {
      throw new KafkaJSNonRetriableError(`Event name should be one of ${this.#hint}`)
    }
    const guarded = (event: InstrumentationEvent<Payloads[T]>): void => {
      try {
        Promise.resolve(listener(event)).catch((error: unknown) => this.#report(eventName, error))
      } catch (error) {
        this.#report(eventName, error)
      }
    }
    let listeners = this.#listeners.get(eventName)
    if (listeners === undefined) this.#listeners.set(eventName, (listeners = new Set()))
    listeners.add(guarded)
    return () => {
      const current = this.#listeners.get(eventName)
      if (current?.delete(guarded) && current.size === 0) this.#listeners.delete(eventName)
    }
  }

  #report(eventName: string, error: unknown): void {
    const e = toError(error)
    this.#logger?.error(`Failed to execute listener: ${e.message}`, { eventName, stack: e.stack })
  }
}
