import { Logger } from '@nestjs/common'
import {
  type BaseRpcContext,
  type KafkaContext,
  type OutgoingResponse,
  ServerKafka,
  type WritePacket,
} from '@nestjs/microservices'
import { Kafka } from '@rivulet/client'
import type { Observable } from 'rxjs'
import { describe } from './failures/dead-letter.js'
import type { FailedMessages } from './failures/failed-messages.js'
import { type FailurePolicy, parseFailureOptions } from './failures/failure-policy.js'
import { HandlerFailure } from './failures/handler-failure.js'
import { makeFailedMessages } from './failures/make-failed-messages.js'
import { toReplyError } from './failures/reply-error.js'
import { makeKafka, type RivuletServerOptions, toNestOptions } from './rivulet-options.js'

type Payload = Parameters<ServerKafka['handleMessage']>[0]
type Produce = () => Promise<Observable<unknown>>
type Respond = (data: WritePacket) => Promise<unknown> | void
type Event = Parameters<ServerKafka['handleEvent']>[1]

/**
 * Nest's Kafka transport on Redis: `{ strategy: new RivuletServer(options) }` in the place of
 * `{ transport: Transport.KAFKA, options }`, with the same options, decorators and context. kafkajs need not be installed.
 */
export class RivuletServer extends ServerKafka {
  protected override logger = new Logger(RivuletServer.name)
  readonly #policy: FailurePolicy | null
  #failed: FailedMessages | null = null

  /** @throws Error for an option of `failures` that is wrong, naming it and its value */
  constructor({ failures, ...options }: RivuletServerOptions = {}) {
    const policy = failures === undefined ? null : parseFailureOptions(failures)
    super(toNestOptions(policy === null ? options : withRetries(options, policy.attempts)))
    this.#policy = policy
  }

  /** Rivulet's client, at once: a Nest before 12 does not wait for a promise here. */
  override createClient<T = Kafka>(): Promise<T>
  override createClient(): Kafka | Promise<Kafka> {
    return makeKafka(this.logger, { ...this.options.client, clientId: this.clientId, brokers: this.brokers })
  }

  override async close(): Promise<void> {
    await super.close()
    this.#failed = null
  }

  override async handleMessage(payload: Payload): Promise<unknown> {
    if (this.#policy === null) return super.handleMessage(payload)
    const failed = (this.#failed ??= this.#makeFailedMessages(this.#policy))
    try {
      await super.handleMessage(payload)
    } catch (error) {
      await failed.failed(payload, error instanceof HandlerFailure ? error : new HandlerFailure(error))
      return undefined
    }
    failed.succeeded(payload)
    return undefined
  }

  override async handleEvent(pattern: string, packet: Event, context: KafkaContext): Promise<void> {
    try {
      await super.handleEvent(pattern, packet, context)
    } catch (error) {
      throw this.#policy === null ? error : new HandlerFailure(error, context)
    }
  }

  // Nest's type gives nothing to wait for; at run time it is a promise, and `handleMessage` waits for it.
  protected override handleRequest(context: BaseRpcContext, produce: Produce, respond: Respond): unknown {
    const handled: unknown = super.handleRequest(context, produce, respond)
    return this.#policy === null ? handled : this.#handledRequest(handled, context, respond)
  }

  /** A reply that cannot be sent, one that is too large for instance, becomes an error: who waits for it is told. */
  override async sendMessage(message: OutgoingResponse, ...to: ReplyAddress): ReturnType<ServerKafka['sendMessage']> {
    try {
      return await super.sendMessage(message, ...to)
    } catch (error) {
      if (message.err || isRetriable(error)) throw error
      this.logger.error(error)
      const err = { status: 'error', message: `The reply could not be sent: ${describe(error).text}` }
      return super.sendMessage({ id: message.id, err, isDisposed: true }, ...to)
    }
  }

  async #handledRequest(handled: unknown, context: BaseRpcContext, respond: Respond): Promise<void> {
    try {
      await handled
    } catch (error) {
      throw new HandlerFailure(error, context, async (failure) => {
        await respond({ err: toReplyError(failure), isDisposed: true })
      })
    }
  }

  #makeFailedMessages(policy: FailurePolicy): FailedMessages {
    const { client: kafka, consumer, producer, groupId, logger, options } = this
    if (!(kafka instanceof Kafka)) throw new Error('createClient must give a Kafka of @rivulet/client')
    if (consumer === null || producer === null) throw new Error('The server is closed')
    const commits = options.run?.autoCommit !== false
    return makeFailedMessages({ policy, kafka, consumer, producer, groupId, commits, logger })
  }
}

type ReplyAddress = Parameters<ServerKafka['sendMessage']> extends [OutgoingResponse, ...infer Rest] ? Rest : never

/** So that the consumer does not crash before a message is given up. */
function withRetries(options: RivuletServerOptions, attempts: number): RivuletServerOptions {
  const { client, consumer } = options
  const retries = Math.max(consumer?.retry?.retries ?? client?.retry?.retries ?? 0, attempts)
  return { ...options, consumer: { ...consumer, retry: { ...consumer?.retry, retries } } }
}

/** Whether the client has given up on what may succeed another time. */
function isRetriable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retriable' in error && error.retriable === true
}
