import { types } from 'node:util'
import { KafkaError, RECORD_BATCH_HEADER_BYTES } from '@rivulet/protocol'

import { show } from '../show.js'
import type { ICustomPartitioner, Message, PartitionMetadata } from '../types.js'
import { check, sizeOf } from './messages.js'

/** The messages of one send for one partition. */
export interface Group {
  readonly partition: number
  /** The places of the first and the last one among those of the send. */
  readonly first: number
  last: number
  /** An upper bound of the bytes that they add to a batch, not measured but estimated. */
  bound: number
}

/** The messages of a send for one topic. */
export interface MessageGroups {
  readonly messages: readonly Message[]
  /** By partition. */
  readonly groups: readonly Group[]
  /** The place of the next message of the same group, by the place of a message; 0: it is the last one. */
  readonly next: Int32Array
}

/** `next` of a single message. */
const ALONE = new Int32Array(1)

/** What limits a record's size: the limit in bytes and the option or config that sets it. */
export interface SizeLimit {
  readonly bytes: number
  readonly name: string
}

/** What the messages of a send are to be sorted by. */
export interface Grouping {
  readonly topic: string
  readonly partitionMetadata: PartitionMetadata[]
  readonly partitioner: ReturnType<ICustomPartitioner>
  readonly recordLimit: SizeLimit
  readonly now: number
}

/**
 * Checks the messages of a send for one topic and sorts them by partition; their order within a partition stays. With a
 * thousand partitions most groups have one message or two, so a group is a single small object.
 *
 * @throws KafkaError for the first message that is not valid: nothing of the send goes to this topic then.
 *   UNKNOWN_TOPIC_OR_PARTITION: no such partition; MESSAGE_TOO_LARGE, INVALID_RECORD, INVALID_TIMESTAMP
 */
export function groupByPartition(messages: readonly Message[], grouping: Grouping): MessageGroups {
  const [only] = messages
  if (messages.length === 1 && only !== undefined) {
    const { partition, bound } = placeOf(only, grouping)
    return { messages, groups: [{ partition, first: 0, last: 0, bound }], next: ALONE }
  }
  const byPartition = new Array<Group | undefined>(grouping.partitionMetadata.length)
  // Those that are there now: a partitioner may change the list.
  const count = messages.length
  const next = new Int32Array(count)
  for (let place = 0; place < count; place++) {
    const message = messages[place]
    if (message === undefined) continue
    const { partition, bound } = placeOf(message, grouping)
    const group = byPartition[partition]
    if (group === undefined) byPartition[partition] = { partition, first: place, last: place, bound }
    else {
      next[group.last] = place
      group.last = place
      group.bound += bound
    }
  }
  return { messages, groups: byPartition.filter((group) => group !== undefined), next }
}

/** The messages of one group, in order. */
export function messagesOf({ messages, next }: MessageGroups, group: Group): Message[] {
  const own: Message[] = []
  let place = group.first
  do {
    const message = messages[place]
    if (message !== undefined) own.push(message)
    place = next[place] ?? 0
  } while (place !== 0)
  return own
}

function placeOf(message: Message, grouping: Grouping): { readonly partition: number; readonly bound: number } {
  const bound = check(message, grouping.now)
  const partition = partitionOf(message, grouping)
  // The estimate is up to three times too high: the record is measured only where that matters.
  const { recordLimit } = grouping
  if (bound + RECORD_BATCH_HEADER_BYTES > recordLimit.bytes) checkSize(message, partition, grouping)
  return { partition, bound }
}

function partitionOf(message: Message, { topic, partitionMetadata, partitioner }: Grouping): number {
  const partition: unknown = partitioner({ topic, partitionMetadata, message })
  if (isInteger(partition) && partition >= 0 && partition < partitionMetadata.length) return partition
  // Nobody else will look at it, and if it rejects, that would end the process.
  if (types.isPromise(partition)) partition.catch(() => undefined)
  throw noSuchPartition(topic, partition, partitionMetadata.length)
}

const isInteger = (value: unknown): value is number => Number.isInteger(value)

function noSuchPartition(topic: string, partition: unknown, count: number): KafkaError {
  const isNumber = typeof partition === 'number'
  return new KafkaError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `The topic '${topic}' has no partition ${show(partition)}: it has ${count}, numbered from 0` +
      (isNumber ? '' : ' (a partitioner must give a number, at once)'),
    { topic, partition, partitions: count },
  )
}

function checkSize(message: Message, partition: number, { topic, recordLimit: limit }: Grouping): void {
  const size = sizeOf(message) + RECORD_BATCH_HEADER_BYTES
  if (size <= limit.bytes) return
  throw new KafkaError(
    'MESSAGE_TOO_LARGE',
    `A message for ${topic}-${partition} takes ${size} bytes, more than the limit of ${limit.bytes} (${limit.name})`,
    { topic, partition, size, limit: limit.bytes },
  )
}
