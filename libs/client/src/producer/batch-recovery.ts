import { type KafkaError, patchProducer } from '@rivulet/protocol'
import type { Partition } from '@rivulet/storage'

import { type KafkaJSError, toKafkaJSError } from '../errors.js'
import type { Logger } from '../types.js'
import { failureOf } from './batch-failure.js'
import { type Outcome, outcomeOf } from './batch-outcome.js'
import { BatchState, type ProducerBatch } from './producer-batch.js'
import type { ProducerSettings } from './producer-settings.js'

export interface RecoveryParts {
  readonly settings: Pick<ProducerSettings, 'deliveryTimeoutMs' | 'retry'>
  readonly logger: Logger
  /** The log has answered that the topic of that id is gone. */
  readonly topicGone: (partition: Partition) => void
  /** The batch is to be sent again. */
  readonly resend: (batch: ProducerBatch) => void
  /** The batch is over: its sends have had their answer. */
  readonly done: (batch: ProducerBatch) => void
}

/**
 * What becomes of a batch that was not stored: it is sent again, with the same bytes (the log knows it by its sequence
 * number) or, where the log has forgotten its producer, as another producer state's, or it fails.
 */
export class BatchRecovery {
  readonly #parts: RecoveryParts

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  failed(batch: ProducerBatch, error: KafkaError): void {
    const { settings, done } = this.#parts
    const timeLeft = batch.createdAt + settings.deliveryTimeoutMs - Date.now()
    const { acks, retries, retryTime, maybeStored, restarted } = batch
    const outcome = outcomeOf({ error, acks, retries, retryTime, maybeStored, restarted, timeLeft }, settings.retry)
    batch.lastError = error
    batch.maybeStored = outcome.maybeStored
    // It expired while it was under way; with acks=0 it was answered when it was sent.
    if (batch.settled && outcome.kind !== 'topic-gone') {
      if (batch.acks === 0) this.#reportLost(batch, error)
      return done(batch)
    }
    this.#act(batch, error, outcome)
  }

  #act(batch: ProducerBatch, error: KafkaError, outcome: Outcome): void {
    const { logger, settings, topicGone } = this.#parts
    const { queue } = batch
    const { identity } = queue
    switch (outcome.kind) {
      case 'retry':
        return this.#retry(batch, error, outcome)
      case 'restart':
        logger.warn(
          'The log has lost records that it had acknowledged (a failover or a restart without them?). ' +
            'The producer goes on under a new epoch',
          {
            ...whereOf(batch),
            producerId: identity.producerId,
            producerEpoch: identity.epoch,
            sequence: batch.baseSequence,
          },
        )
        identity.raiseEpoch()
        batch.restarted = true
        return this.#restamp(batch)
      case 'renew':
        logger.warn('Another producer uses the same producer id. This one goes on with a new one', {
          ...whereOf(batch),
          producerId: identity.producerId,
        })
        identity.renew()
        return this.#restamp(batch)
      case 'topic-gone':
        queue.topic.gone = true
        topicGone(queue.partition)
        return this.#fail(batch, toKafkaJSError(error, queue.partition))
      case 'fail':
        return this.#fail(batch, failureOf(batch, error, outcome.reason, settings.deliveryTimeoutMs))
    }
  }

  #retry(batch: ProducerBatch, error: KafkaError, outcome: Extract<Outcome, { kind: 'retry' }>): void {
    this.#parts.logger.debug(`Failed to send a batch: ${error.message}`, {
      ...whereOf(batch),
      retryCount: batch.retries,
      retryTime: outcome.delay,
    })
    if (outcome.counts) batch.retries++
    batch.retryTime = outcome.delay
    batch.state = BatchState.BackingOff
    batch.timer = setTimeout(() => {
      batch.timer = undefined
      this.#parts.resend(batch)
    }, outcome.delay)
  }

  /** The same records as another producer state's next ones. */
  #restamp(batch: ProducerBatch): void {
    const { identity } = batch.queue
    batch.baseSequence = identity.nextSequence
    if (batch.bytes !== null) patchProducer(batch.bytes, identity.producerId, identity.epoch, batch.baseSequence)
    this.#parts.resend(batch)
  }

  #fail(batch: ProducerBatch, error: KafkaJSError): void {
    batch.reject(error)
    this.#parts.done(batch)
  }

  #reportLost(batch: ProducerBatch, error: KafkaError): void {
    this.#parts.logger.warn(`A batch sent with acks=0 was not stored: ${error.message}`, {
      ...whereOf(batch),
      records: batch.count,
    })
  }
}

function whereOf({ queue }: ProducerBatch): { readonly topic: string; readonly partition: number } {
  const { topic, partition } = queue.partition
  return { topic, partition }
}
