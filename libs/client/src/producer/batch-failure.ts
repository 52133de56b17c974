import { KafkaError } from '@rivulet/protocol'
import type { Partition } from '@rivulet/storage'

import { type KafkaJSError, KafkaJSNumberOfRetriesExceeded, toKafkaJSError } from '../errors.js'
import { isNoRoom } from './batch-outcome.js'
import type { ProducerBatch } from './producer-batch.js'

/** The topic was deleted while the records waited. */
export function goneError({ topic, topicId, partition }: Partition): KafkaError {
  return new KafkaError(
    'UNKNOWN_TOPIC_ID',
    `The topic '${topic}' (id ${topicId}) was deleted before the records for partition ${partition} were stored`,
    { topic, topicId, partition },
  )
}

/** How large a batch is that is to be compressed is known only when it is. */
export function tooLargeError(batch: ProducerBatch, size: number): KafkaError {
  const { partition, topic } = batch.queue
  const limit = topic.config.maxMessageBytes
  const message =
    `A batch of ${batch.count} records for ${partition.topic}-${partition.partition} takes ${size} bytes, ` +
    `more than the topic's max.message.bytes (${limit})`
  return new KafkaError('MESSAGE_TOO_LARGE', message, { size, limit })
}

/** What the sends of a batch are told that has failed for good. */
export function failureOf(
  batch: ProducerBatch,
  error: KafkaError,
  reason: 'final' | 'retries' | 'deadline',
  deliveryTimeoutMs: number,
): KafkaJSError {
  if (reason === 'deadline') return expiryError(batch, error, deliveryTimeoutMs)
  const failure = toKafkaJSError(error, batch.queue.partition)
  if (reason === 'final') return failure
  return new KafkaJSNumberOfRetriesExceeded(failure, { retryCount: batch.retries, retryTime: batch.retryTime })
}

/** What the sends of a batch are told whose time is up. */
export function expiryError(batch: ProducerBatch, cause: KafkaError | null, deliveryTimeoutMs: number): KafkaJSError {
  const { partition } = batch.queue
  const message =
    `${batch.count} records for ${partition.topic}-${partition.partition} were not stored within ${deliveryTimeoutMs} ms ` +
    `(deliveryTimeoutMs)${cause === null ? '' : `: ${cause.message}`}`
  // That there is no room says more than that time is up.
  const type = cause !== null && isNoRoom(cause) ? cause.type : 'REQUEST_TIMED_OUT'
  return toKafkaJSError(new KafkaError(type, message, { cause: cause ?? undefined, deliveryTimeoutMs }), partition)
}
