import type kafkajs from 'kafkajs'
import { Journal } from './journal.js'

export type Topics = string | RegExp | (string | RegExp)[]

/** How a reading runs: kafkajs's own options; the handlers are called with what has been noted already. */
export interface RunOptions extends Omit<kafkajs.ConsumerRunConfig, 'eachMessage' | 'eachBatch'> {
  eachMessage?: (payload: kafkajs.EachMessagePayload) => Promise<void> | void
  eachBatch?: (payload: kafkajs.EachBatchPayload) => Promise<void> | void
}

const NOTED_EVENTS = [
  'consumer.connect',
  'consumer.group_join',
  'consumer.heartbeat',
  'consumer.fetch_start',
  'consumer.fetch',
  'consumer.start_batch_process',
  'consumer.end_batch_process',
  'consumer.commit_offsets',
  'consumer.rebalancing',
  'consumer.received_unsubscribed_topics',
  'consumer.stop',
  'consumer.disconnect',
  'consumer.crash',
] as const

interface LooseOffsets {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: unknown; readonly offset: unknown }[]
  }[]
}

/** Offsets as kafkajs's types have them: kafkajs itself has partitions as text at times, and offsets as objects. */
export function plainOffsets({ topics }: LooseOffsets): kafkajs.TopicOffsets[] {
  return topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, offset }) => ({ partition: Number(partition), offset: String(offset) })),
  }))
}

/** A consumer, and everything that it handed out and told, in order. */
export class Reading {
  /** The values as text, of messages and of whole batches alike. */
  readonly values = new Journal<string>('values')
  readonly messages = new Journal<kafkajs.EachMessagePayload>('messages')
  readonly batches = new Journal<kafkajs.EachBatchPayload>('batches')
  readonly events = new Journal<{ readonly type: string; readonly payload: unknown }>('events')
  readonly joins = new Journal<kafkajs.ConsumerGroupJoinEvent['payload']>('joins')
  readonly commits = new Journal<kafkajs.TopicOffsets[]>('commits')
  readonly crashes = new Journal<kafkajs.ConsumerCrashEvent['payload']>('crashes')

  constructor(
    readonly consumer: kafkajs.Consumer,
    readonly groupId: string,
  ) {
    consumer.on('consumer.group_join', ({ payload }) => this.joins.note(payload))
    consumer.on('consumer.commit_offsets', ({ payload }) => this.commits.note(plainOffsets(payload)))
    consumer.on('consumer.crash', ({ payload }) => this.crashes.note(payload))
    for (const name of NOTED_EVENTS) {
      consumer.on(name, ({ type, payload }: { type: string; payload: unknown }) => this.events.note({ type, payload }))
    }
  }

  async subscribe(topics: Topics, fromBeginning = true): Promise<void> {
    await this.consumer.subscribe({ topics: Array.isArray(topics) ? topics : [topics], fromBeginning })
  }

  /** Runs with the handler that is given; without one, message by message. */
  async run({ eachMessage, eachBatch, ...options }: RunOptions = {}): Promise<void> {
    await this.consumer.run(
      eachBatch === undefined
        ? { ...options, eachMessage: (payload) => this.#message(payload, eachMessage) }
        : { ...options, eachBatch: (payload) => this.#batch(payload, eachBatch) },
    )
  }

  /** Resolves when the consumer knows where it is: it has looked for records. */
  async positioned(): Promise<void> {
    await this.events.first(({ type }) => type === 'consumer.fetch')
  }

  /** The events of these types so far, in order. */
  eventsOf(...types: string[]): { readonly type: string; readonly payload: unknown }[] {
    return this.events.entries.filter(({ type }) => types.includes(type))
  }

  /** The payload of the first event of that type. */
  async payloadOf(type: (typeof NOTED_EVENTS)[number]): Promise<unknown> {
    return (await this.events.first((event) => event.type === type)).payload
  }

  async #message(payload: kafkajs.EachMessagePayload, handler: RunOptions['eachMessage']): Promise<void> {
    this.messages.note(payload)
    this.values.note(String(payload.message.value))
    await handler?.(payload)
  }

  async #batch(payload: kafkajs.EachBatchPayload, handler: NonNullable<RunOptions['eachBatch']>): Promise<void> {
    this.batches.note(payload)
    for (const { value } of payload.batch.messages) this.values.note(String(value))
    await handler(payload)
  }
}
