import { type EachMessagePayload, KafkaJSError, KafkaJSProtocolError, type Message } from '@rivulet/client'
import { describe, toDeadLetter } from './dead-letter.js'
import type { DeliveryAttempts } from './delivery-attempts.js'
import { afterFailure, type FailurePolicy } from './failure-policy.js'
import type { HandlerFailure } from './handler-failure.js'
import { originalError } from './rivulet-exception-filter.js'

/** Of Nest's payload and Rivulet's. */
export type Delivery = Pick<EachMessagePayload, 'topic' | 'partition' | 'message'>

export interface FailedMessagesOptions {
  readonly policy: FailurePolicy
  readonly attempts: DeliveryAttempts
  readonly groupId: string
  readonly send: (topic: string, message: Message) => Promise<unknown>
  /** Where nothing is committed automatically: the message is done with. */
  readonly ack: ((delivery: Delivery) => Promise<void>) | null
  readonly logger: { warn(message: string): void }
}

/** The partition was taken away, or the consumer has to join anew: the message is not to blame, and comes again. */
const NOT_THE_MESSAGE = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

/** Decides what becomes of messages whose handlers failed, and does it. */
export class FailedMessages {
  constructor(private readonly options: FailedMessagesOptions) {}

  succeeded(delivery: Delivery): void {
    this.options.attempts.passed(delivery)
  }

  /** Resolves where the message is done with. @throws KafkaJSError, which is retriable: it is to be handed out again */
  async failed(delivery: Delivery, failure: HandlerFailure): Promise<void> {
    const { policy, attempts: counter, ack } = this.options
    const error = originalError(failure.context, failure.error)
    if (error instanceof KafkaJSProtocolError && NOT_THE_MESSAGE.has(error.type)) throw error
    const attempts = await counter.failed(delivery)
    if (afterFailure(policy, attempts, error) === 'retry') {
      throw new KafkaJSError(describe(error).text, { retriable: true, cause: error })
    }
    if (failure.reply === null) await this.#bury(delivery, error, attempts)
    else await failure.reply(failure.error)
    counter.passed(delivery)
    await ack?.(delivery)
  }

  async #bury(delivery: Delivery, error: unknown, attempts: number): Promise<void> {
    const { policy, groupId, send, logger } = this.options
    const topic = policy.deadLetterTopic(delivery.topic)
    if (topic !== null) await send(topic, toDeadLetter(delivery, { error, attempts, groupId }))
    const { topic: from, partition, message } = delivery
    const where = topic === null ? 'passed over' : `sent to ${topic}`
    logger.warn(
      `The message at ${from}-${partition} offset ${message.offset} was ${where} after ${attempts} attempts: ` +
        describe(error).text,
    )
  }
}
