import { types } from 'node:util'
import {
  type Bytes,
  type CompressionType,
  KafkaError,
  RECORD_BATCH_HEADER_BYTES,
  RecordBatchBuilder,
} from '@rivulet/protocol'

import { show } from '../show.js'
import type { ICustomPartitioner, Message, PartitionMetadata } from '../types.js'

/** An upper bound of a record's length, attributes, deltas, lengths and number of headers. */
const RECORD_OVERHEAD = 40
/** A UTF-16 code unit takes at most three bytes in UTF-8. */
const UTF8_BYTES = 3

/** The messages of one send for one partition. */
export interface Group {
  readonly partition: number
  readonly messages: Message[]
  /** An upper bound of the bytes that they add to a batch, not measured but estimated. */
  bound: number
}

/** What limits a record's size: the limit in bytes and the option or config that sets it. */
export interface SizeLimit {
  readonly bytes: number
  readonly name: string
}

/**
 * A key or value as it is encoded. Numbers and other values with a text of their own count as that text, as in kafkajs; an
 * object without one is refused, where kafkajs stores "[object Object]" (or, of a promise that nobody awaited,
 * "[object Promise]").
 */
export function bytesOf(data: unknown, field: string): Bytes {
  if (typeof data === 'string' || data === null || data === undefined || data instanceof Uint8Array) return data
  const text = textOf(data)
  if (text !== null) return text
  throw new KafkaError(
    'INVALID_RECORD',
    `The ${field} of the message is an object without a text, ${show(data)}: it must be a Buffer, a Uint8Array, a string ` +
      'or null (JSON.stringify it?)',
  )
}

/** null: it has none, and what stands for it says nothing. */
function textOf(data: unknown): string | null {
  try {
    const text = String(data)
    return /^\[object \w+\]$/.test(text) ? null : text
  } catch {
    return null
  }
}

/** A message's timestamp in ms: its own, or the time of the send. */
export function timestampOf(message: Message, now: number): number {
  const timestamp: unknown = message.timestamp
  if (timestamp === undefined || timestamp === null || timestamp === '') return now
  const number = millisecondsOf(timestamp)
  if (Number.isSafeInteger(number) && number >= -1) return number
  throw new KafkaError(
    'INVALID_TIMESTAMP',
    `The timestamp of the message is ${typeof timestamp === 'string' ? JSON.stringify(timestamp) : show(timestamp)}: ` +
      'it must be milliseconds since 1970, in decimal',
    { timestamp },
  )
}

function millisecondsOf(timestamp: unknown): number {
  if (typeof timestamp === 'number') return timestamp
  if (typeof timestamp === 'string') return timestamp.trim() === '' ? NaN : Number(timestamp)
  return typeof timestamp === 'bigint' || types.isDate(timestamp) ? Number(timestamp) : NaN
}

/** A message of its own bytes, whatever its sender does with the original. */
export function copyOf(message: Message): Message {
  const { key, value, headers, timestamp, partition } = message
  const copy: Message = { ...message, value: bufferCopy(value) }
  // By name: what an instance of a class has from its prototype is not copied otherwise.
  if (key !== undefined) copy.key = bufferCopy(key)
  if (timestamp !== undefined) copy.timestamp = timestamp
  if (partition !== undefined) copy.partition = partition
  if (typeof headers !== 'object' || headers === null) return copy
  copy.headers = {}
  for (const [name, data] of Object.entries(headers)) {
    copy.headers[name] = Array.isArray(data) ? data.map(bufferCopy) : bufferCopy(data)
  }
  return copy
}

const bufferCopy = <T>(data: T): T | Buffer => (types.isUint8Array(data) ? Buffer.from(data) : data)

/** The measured upper bound of the bytes that a message adds to a batch. */
export function sizeOf(message: Message): number {
  return RecordBatchBuilder.sizeOf({
    key: bytesOf(message.key, 'key'),
    value: bytesOf(message.value, 'value'),
    headers: message.headers ?? undefined,
  })
}

function boundOf(data: Bytes): number {
  if (typeof data === 'string') return data.length * UTF8_BYTES
  return data?.length ?? 0
}

/**
 * Checks everything about a message that can be wrong, so that nothing fails once the first message of a send is in its
 * batch. Returns an upper bound of the bytes that it adds, without measuring strings.
 */
function check(message: Message, now: number): number {
  timestampOf(message, now)
  const bound = RECORD_OVERHEAD + boundOf(bytesOf(message.key, 'key')) + boundOf(bytesOf(message.value, 'value'))
  const { headers } = message
  return headers === undefined || headers === null ? bound : bound + RecordBatchBuilder.sizeOf({ headers })
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
 * Checks the messages of a send for one topic and sorts them by partition; their order within a partition stays.
 *
 * @throws KafkaError for the first message that is not valid: nothing of the send goes to this topic then.
 *   UNKNOWN_TOPIC_OR_PARTITION: no such partition; MESSAGE_TOO_LARGE, INVALID_RECORD, INVALID_TIMESTAMP
 */
export function groupByPartition(messages: readonly Message[], grouping: Grouping): Group[] {
  const [only] = messages
  if (messages.length === 1 && only !== undefined) return [groupOf(only, grouping)]
  const groups: Group[] = []
  const byPartition = new Array<Group | undefined>(grouping.partitionMetadata.length)
  for (const message of messages) {
    const bound = check(message, grouping.now)
    const partition = partitionOf(message, grouping)
    checkBound(message, bound, partition, grouping)
    const group = byPartition[partition]
    if (group === undefined) {
      const added: Group = { partition, messages: [message], bound }
      byPartition[partition] = added
      groups.push(added)
    } else {
      group.messages.push(message)
      group.bound += bound
    }
  }
  return groups
}

function groupOf(message: Message, grouping: Grouping): Group {
  const bound = check(message, grouping.now)
  const partition = partitionOf(message, grouping)
  checkBound(message, bound, partition, grouping)
  return { partition, messages: [message], bound }
}

function partitionOf(message: Message, { topic, partitionMetadata, partitioner }: Grouping): number {
  const partition: unknown = partitioner({ topic, partitionMetadata, message })
  if (isInteger(partition) && partition >= 0 && partition < partitionMetadata.length) return partition
  // Nobody else will look at it, and if it rejects, that would end the process.
  if (types.isPromise(partition)) partition.catch(() => undefined)
  throw noSuchPartition(topic, partition, partitionMetadata.length)
}

const isInteger = (value: unknown): value is number => Number.isInteger(value)

/** The estimate is up to three times too high: the record is measured only where that matters. */
function checkBound(message: Message, bound: number, partition: number, { topic, recordLimit }: Grouping): void {
  if (bound + RECORD_BATCH_HEADER_BYTES > recordLimit.bytes) checkSize(message, topic, partition, recordLimit)
}

function noSuchPartition(topic: string, partition: unknown, count: number): KafkaError {
  const isNumber = typeof partition === 'number'
  return new KafkaError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `The topic '${topic}' has no partition ${show(partition)}: it has ${count}, numbered from 0` +
      (isNumber ? '' : ' (a partitioner must give a number, at once)'),
    { topic, partition, partitions: count },
  )
}

function checkSize(message: Message, topic: string, partition: number, limit: SizeLimit): void {
  const size = sizeOf(message) + RECORD_BATCH_HEADER_BYTES
  if (size <= limit.bytes) return
  throw new KafkaError(
    'MESSAGE_TOO_LARGE',
    `A message for ${topic}-${partition} takes ${size} bytes, more than the limit of ${limit.bytes} (${limit.name})`,
    { topic, partition, size, limit: limit.bytes },
  )
}

/** The names of the topic config compression.type and what they stand for. */
const COMPRESSION_TYPES: Readonly<Record<string, CompressionType>> = {
  uncompressed: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
}

/** How a batch is compressed: as the topic says, or as the send does where the topic leaves it to the producer. */
export function effectiveCompression(topicConfig: string, requested: CompressionType): CompressionType {
  return COMPRESSION_TYPES[topicConfig] ?? requested
}
