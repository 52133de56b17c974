import { type CompressionType, KafkaError } from '@rivulet/protocol'

import { KafkaJSNonRetriableError } from '../errors.js'
import { show } from '../show.js'

// The arguments of programs in JavaScript: what the types promise is checked once more. Order and words are kafkajs's where
// it has the check.

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** @throws KafkaJSNonRetriableError naming the method and what it was given instead of an object */
export function checkIsObject(argument: unknown, method: 'send' | 'sendBatch'): void {
  if (isObject(argument)) return
  const fields = method === 'send' ? '{ topic, messages }' : '{ topicMessages }'
  throw new KafkaJSNonRetriableError(`Invalid argument of ${method}: it must be ${fields}, not ${show(argument)}`)
}

/** @throws KafkaJSNonRetriableError for what is no list of objects that each name a topic */
export function checkTopics(topicMessages: unknown): void {
  if (!Array.isArray(topicMessages)) {
    throw new KafkaJSNonRetriableError(`Invalid topicMessages ${show(topicMessages)}: it must be an array`)
  }
  const list: readonly unknown[] = topicMessages
  for (const entry of list) {
    if (!isObject(entry)) {
      throw new KafkaJSNonRetriableError(
        `Invalid entry ${show(entry)} of topicMessages: it must be { topic, messages }`,
      )
    }
    const topic: unknown = 'topic' in entry ? entry.topic : undefined
    if (!topic) throw new KafkaJSNonRetriableError('Invalid topic')
    if (typeof topic !== 'string') {
      throw new KafkaJSNonRetriableError(`Invalid topic ${show(topic)}: it must be a string`)
    }
  }
}

/** @throws KafkaJSNonRetriableError for what is no list of messages, and for a message without a value */
export function checkMessages(topic: string, messages: unknown): void {
  if (!Array.isArray(messages)) {
    throw new KafkaJSNonRetriableError(`Invalid messages array [${show(messages)}] for topic "${topic}"`)
  }
  const list: readonly unknown[] = messages
  for (const message of list) {
    if (!isObject(message) || !('value' in message) || message.value === undefined) {
      throw new KafkaJSNonRetriableError(`Invalid message without value for topic "${topic}": ${jsonOf(message)}`)
    }
  }
}

/** @throws KafkaError INVALID_REQUIRED_ACKS */
export function checkAcks(acks: unknown): void {
  if (acks === -1 || acks === 0 || acks === 1) return
  throw new KafkaError('INVALID_REQUIRED_ACKS', `acks is ${show(acks)}: it must be -1, 0 or 1`, { acks })
}

/** @throws KafkaError UNSUPPORTED_COMPRESSION_TYPE */
export function compressionOf(compression: unknown): CompressionType {
  switch (compression ?? 0) {
    case 0:
      return 0
    case 1:
      return 1
    case 2:
      return 2
    case 3:
      return 3
    case 4:
      return 4
    default: {
      const message = `compression is ${show(compression)}: it must be one of CompressionTypes (0 to 4)`
      throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', message, { compression })
    }
  }
}

/** As kafkajs shows a message; what JSON cannot hold (a bigint, a cycle), as it is inspected. */
function jsonOf(message: unknown): string {
  try {
    return JSON.stringify(message)
  } catch {
    return show(message)
  }
}
