import { Logger, type OnApplicationShutdown } from '@nestjs/common'
import { ClientKafka, KafkaHeaders, type MsPattern, type WritePacket } from '@nestjs/microservices'
import { type EachMessagePayload, Kafka } from '@rivulet/client'
import { ReplyReader } from './replies/reply-reader.js'
import { makeKafka, type RivuletOptions, toNestOptions } from './rivulet-options.js'

/** What is sent, as Nest hands it over. */
interface Packet {
  readonly pattern: MsPattern
  readonly data: unknown
}

/**
 * The client of Nest's Kafka transport on Redis: `{ customClass: RivuletClient, options }` in the place of
 * `{ transport: Transport.KAFKA, options }`, with the same options and methods. kafkajs need not be installed.
 *
 * Unlike Nest's it reads replies without a group: any number of clients may ask, none waits for a rebalance, and
 * `subscribeToResponseOf` has effect after `connect`, too. Nothing is read before there is a reply to wait for.
 */
export class RivuletClient extends ClientKafka implements OnApplicationShutdown {
  protected override logger = new Logger(RivuletClient.name)
  readonly #readsReplies: boolean
  #reader: ReplyReader | null = null
  /** Resolves when the reply topics that were subscribed to before connect() are being read. */
  #bound: Promise<void> | null = null

  constructor(options: RivuletOptions = {}) {
    super(toNestOptions(options))
    this.#readsReplies = !this.producerOnlyMode
    // What Nest would make is a consumer in a group, with an assigner that needs kafkajs.
    this.producerOnlyMode = true
  }

  /** Rivulet's client, at once: a Nest before 12 does not wait for a promise here. */
  override createClient<T = Kafka>(): Promise<T>
  override createClient(): Kafka | Promise<Kafka> {
    return makeKafka(this.logger, { ...this.options.client, clientId: this.clientId, brokers: this.brokers })
  }

  override async connect(): ReturnType<ClientKafka['connect']> {
    const producer = await super.connect()
    if (this.#readsReplies) await this.#bind()
    return producer
  }

  override async close(): Promise<void> {
    this.#forgetReplies()
    await super.close()
  }

  /** Nest closes clients that a module provides, whoever made them. */
  async onApplicationShutdown(): Promise<void> {
    await this.close()
  }

  override subscribeToResponseOf(pattern: unknown): void {
    super.subscribeToResponseOf(pattern)
    const topic = this.responsePatterns.at(-1)
    // Only begun here: a failure is the request's to tell, which tries again.
    if (topic !== undefined && this.#reader !== null) this.#readReplies(topic).catch(() => undefined)
  }

  override async bindTopics(): Promise<void> {
    await Promise.all(this.responsePatterns.map((topic) => this.#readReplies(topic)))
  }

  protected override publish(packet: Packet, respond: (packet: WritePacket) => unknown): () => void {
    const topic = this.getResponsePatternName(this.normalizePattern(packet.pattern))
    if (topic in this.consumerAssignments || !this.responsePatterns.includes(topic)) {
      return super.publish(packet, respond)
    }
    let isWanted = true
    let cancel = (): void => {
      isWanted = false
    }
    this.#readReplies(topic).then(
      () => {
        if (isWanted) cancel = super.publish(packet, respond)
      },
      (err: unknown) => {
        if (isWanted) respond({ err })
      },
    )
    return () => cancel()
  }

  #bind(): Promise<void> {
    this.#bound ??= this.#openReader().catch((error: unknown) => {
      this.#bound = null
      throw error
    })
    return this.#bound
  }

  async #openReader(): Promise<void> {
    this.#reader ??= this.#makeReader()
    await this.bindTopics()
  }

  #makeReader(): ReplyReader {
    const kafka: unknown = this.client
    if (!(kafka instanceof Kafka)) throw new Error('createClient must give a Kafka of @rivulet/client')
    const { groupId: _, partitionAssigners: __, ...config } = this.options.consumer ?? { groupId: '' }
    // Where a reply was read is no longer in the log, all that is left is read: none is missed.
    const consumer = kafka.consumer({ ...config, autoOffsetReset: 'earliest' })
    this._consumer = consumer
    this.registerConsumerEventListeners()
    return new ReplyReader({
      kafka,
      consumer,
      run: { ...this.options.run, eachMessage: this.#replyHandler() },
      createsTopics: config.allowAutoTopicCreation ?? true,
      onEnd: () => this.#repliesEnded(),
    })
  }

  async #readReplies(topic: string): Promise<void> {
    const reader = this.#reader
    if (reader === null) throw new Error('No consumer initialized')
    const partition = await reader.partitionOf(topic)
    if (this.#reader === reader) this.consumerAssignments[topic] = partition
  }

  /** A reply that cannot be read fails its own request; the next ones are read all the same. */
  #replyHandler(): (payload: EachMessagePayload) => Promise<void> {
    const handle = this.createResponseCallback()
    return async (payload) => {
      try {
        await handle(payload)
      } catch (err) {
        this.logger.error(err)
        const id = String(payload.message.headers?.[KafkaHeaders.CORRELATION_ID])
        const callback = this.routingMap.get(id)
        if (callback !== undefined) Reflect.apply(callback, undefined, [{ err }])
      }
    }
  }

  #forgetReplies(): void {
    this.#reader?.end()
    this.#reader = null
    this.#bound = null
    this.consumerAssignments = {}
  }

  #repliesEnded(): void {
    this.#forgetReplies()
    this._consumer = null
    this.handleClose()
  }
}
