import { types } from 'node:util'
import type { AutoOffsetReset } from '../types.js'
import { KafkaJSNonRetriableError } from '../errors.js'
import { show } from '../show.js'
import type { StartOffset } from './offset-reset.js'
import { parseOffset, startAt } from './offset-reset.js'
import type { Assignment } from './subscription-state.js'

/** A partition for `consumer.assign`. */
export interface AssignmentRequest {
  readonly topic: string
  readonly partition: number
  /** Where to start: '-1' (or -1) is the log's end, '-2' its start; absent: as `autoOffsetReset` says. */
  readonly offset?: string | number | bigint | undefined
}

/** @throws KafkaJSNonRetriableError naming what is wrong */
export function parseAssignment(requests: readonly AssignmentRequest[], policy: AutoOffsetReset): Assignment[] {
  if (!isArray(requests)) {
    throw new KafkaJSNonRetriableError(`Array of { topic, partition, offset? } required instead of ${show(requests)}`)
  }
  return requests.map((request) => {
    checkTopic(request?.topic)
    checkPartition(request.partition)
    const { topic, partition, offset } = request
    return offset === undefined
      ? { topic, partition, policy }
      : { topic, partition, policy, start: checkOffset(offset) }
  })
}

/** @throws KafkaJSNonRetriableError naming what is wrong */
export function checkSeek(request: { topic: string; partition: number; offset: unknown }): StartOffset {
  checkTopic(request?.topic)
  checkPartition(request.partition)
  return checkOffset(request.offset)
}

/** @throws KafkaJSNonRetriableError naming what is wrong */
export function checkPauses(
  requests: readonly { topic: string; partitions?: unknown }[],
  verb: 'pause' | 'resume',
): void {
  if (!isArray(requests)) {
    throw new KafkaJSNonRetriableError(
      `Array of { topic, partitions? } required to ${verb} instead of ${show(requests)}`,
    )
  }
  for (const request of requests) {
    if (!request?.topic) throw new KafkaJSNonRetriableError(`Invalid topic ${text(request)}`)
    checkTopic(request.topic)
    const { partitions } = request
    if (partitions === undefined) continue
    if (!Array.isArray(partitions) || !partitions.every(isPartition)) {
      throw new KafkaJSNonRetriableError(
        `Array of valid partitions required to ${verb} specific partitions instead of ${partitionText(partitions)}`,
      )
    }
  }
}

/** @returns the topics @throws KafkaJSNonRetriableError naming what is wrong */
export function checkSubscription(subscription: { topic?: unknown; topics?: unknown }): (string | RegExp)[] {
  const { topic, topics } = subscription ?? {}
  if (!topic && !topics) throw new KafkaJSNonRetriableError('Missing required argument "topics"')
  if (topics !== undefined && topics !== null && !Array.isArray(topics)) {
    throw new KafkaJSNonRetriableError('Argument "topics" must be an array')
  }
  const names: unknown[] = Array.isArray(topics) ? topics : [topic]
  return names.map((name) => {
    if (typeof name === 'string' || isRegExp(name)) return name
    throw new KafkaJSNonRetriableError(
      `Invalid topic ${text(name)} (${typeof name}), the topic name has to be a String or a RegExp`,
    )
  })
}

/** @throws KafkaJSNonRetriableError naming what is wrong */
export function checkCommits(
  commits: readonly { topic: string; partition: number; offset: string; metadata?: unknown }[],
): void {
  if (!isArray(commits)) {
    throw new KafkaJSNonRetriableError(`Array of { topic, partition, offset } required instead of ${show(commits)}`)
  }
  for (const commit of commits) {
    checkTopic(commit?.topic)
    const { partition, offset, metadata = null } = commit
    checkPartition(partition)
    const parsed = parseOffset(offset)
    if (parsed === null) throw invalidOffset(offset)
    if (parsed < 0) throw new KafkaJSNonRetriableError('Offset must not be a negative number')
    if (metadata !== null && typeof metadata !== 'string') {
      throw new KafkaJSNonRetriableError(`Invalid offset metadata, expected string or null, received ${text(metadata)}`)
    }
  }
}

/** A text as it is, as kafkajs's messages have it. */
const text = (value: unknown): string => (typeof value === 'string' ? value : show(value))

/** Partitions as they are, but for a text that reads as a number: that it is a text is what is wrong with it. */
function partitionText(value: unknown): string {
  if (Array.isArray(value)) return value.map(partitionText).join(',')
  return typeof value === 'string' && Number.isNaN(Number(value)) ? value : show(value)
}

// One of another realm (a program in a vm context) is one, too.
const isRegExp = (value: unknown): value is RegExp => types.isRegExp(value)

// As a type guard it would take the elements' type away from a readonly list.
const isArray = (list: unknown): boolean => Array.isArray(list)

function checkTopic(topic: unknown): void {
  if (typeof topic !== 'string' || topic === '') throw new KafkaJSNonRetriableError(`Invalid topic ${text(topic)}`)
}

// A partition's text would pass for its number here and be no partition's later: nothing would happen, without a word.
const isPartition = (partition: unknown): boolean =>
  typeof partition === 'number' && Number.isInteger(partition) && partition >= 0

function checkPartition(partition: unknown): void {
  if (isPartition(partition)) return
  throw new KafkaJSNonRetriableError(`Invalid partition, expected a number received ${partitionText(partition)}`)
}

function checkOffset(offset: unknown): StartOffset {
  const parsed = parseOffset(offset)
  if (parsed === null) throw invalidOffset(offset)
  const start = startAt(parsed)
  if (start === null) throw new KafkaJSNonRetriableError('Offset must not be a negative number')
  return start
}

function invalidOffset(offset: unknown): KafkaJSNonRetriableError {
  return new KafkaJSNonRetriableError(`Invalid offset, expected a long received ${text(offset)}`)
}
