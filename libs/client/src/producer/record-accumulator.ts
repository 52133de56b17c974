import {
  COMPRESSION_NAMES,
  CompressionType,
  DEFAULT_MAX_DECOMPRESSED_BYTES,
  RECORD_BATCH_HEADER_BYTES,
  type RecordBatchBuilder,
} from '@rivulet/protocol'
import type { Topic } from '@rivulet/storage'

import type { ICustomPartitioner, Message, PartitionMetadata, RecordMetadata } from '../types.js'
import type { BufferMemory } from './buffer-memory.js'
import { type Group, groupByPartition, type MessageGroups, messagesOf, type SizeLimit } from './message-groups.js'
import { bytesOf, sizeOf, timestampOf } from './messages.js'
import type { PartitionQueue, TopicState } from './partition-queue.js'
import type { PendingSend } from './pending-send.js'
import { ProducerBatch } from './producer-batch.js'
import type { ProducerSettings } from './producer-settings.js'
import { isWellFilled } from './redis-allocation.js'

/** Of what gathers in one round trip, a batch that is closed early has at least so much. */
const LEAST_PART = 5 / 8

/** A topic as the producer sends to it. A topic made again under the name is another target. */
export interface TopicTarget {
  topic: Topic
  readonly state: TopicState
  /** Under which its partitions are first written to. */
  readonly producerId: number
  partitionMetadata: PartitionMetadata[]
  /** By partition number; made when first sent to. */
  readonly queues: (PartitionQueue | undefined)[]
}

/** Where the accumulator gets queues from, and whom it tells that there is something in them. */
export interface AccumulatorParts {
  readonly settings: Pick<ProducerSettings, 'batchSize' | 'maxRequestSize'>
  readonly partitioner: ReturnType<ICustomPartitioner>
  readonly memory: BufferMemory
  readonly queue: (target: TopicTarget, partition: number) => PartitionQueue
  readonly opened: () => void
  readonly filled: (queue: PartitionQueue) => void
}

/**
 * Puts messages into the open batches of their partitions. They are encoded at once, so what the caller does with its
 * buffers afterwards does not matter.
 *
 * The messages of one send for one partition stay together in one batch unless they alone exceed the limit of a batch. So
 * a batch may grow somewhat beyond batchSize, never beyond maxRequestSize and max.message.bytes. Where it fills what Redis
 * allocates for it, it is closed before it has batchSize.
 */
export class RecordAccumulator {
  readonly #parts: AccumulatorParts

  constructor(parts: AccumulatorParts) {
    this.#parts = parts
  }

  /**
   * Takes in what a send has for a topic.
   *
   * @throws KafkaError if a message is not valid; nothing was taken in then
   */
  add(
    target: TopicTarget,
    send: PendingSend,
    topicIndex: number,
    messages: readonly Message[],
    requested: CompressionType,
  ): void {
    const { settings, partitioner, queue, filled } = this.#parts
    const { topic, partitionMetadata } = target
    const now = Date.now()
    const compression = effectiveCompression(topic.config.compressionType, requested)
    const recordLimit = recordLimitOf(settings.maxRequestSize, topic.config.maxMessageBytes, compression)
    const batchLimit = Math.min(recordLimit.bytes, topic.config.maxMessageBytes)
    const sorted = groupByPartition(messages, { topic: topic.name, partitionMetadata, partitioner, recordLimit, now })
    const results = send.expect(topicIndex, sorted.groups.length)
    const entry: Entry = { send, results, sorted, compression, batchLimit, now }
    let place = 0
    for (const group of sorted.groups) {
      const to = queue(target, group.partition)
      this.#append(entry, to, group, place++)
      filled(to)
    }
  }

  #append(entry: Entry, queue: PartitionQueue, group: Group, place: number): void {
    const { send, results, sorted, compression, batchLimit } = entry
    const { memory, settings } = this.#parts
    const { open } = queue
    if (open !== null && (open.compression !== compression || open.acks !== send.acks)) queue.closeOpen()
    const used = queue.open?.byteLength ?? RECORD_BATCH_HEADER_BYTES
    if (used + group.bound > batchLimit) {
      // The estimate is up to three times too high: measure before anything is split or closed because of it.
      let size = 0
      for (const message of messagesOf(sorted, group)) size += sizeOf(message)
      if (RECORD_BATCH_HEADER_BYTES + size > batchLimit) return this.#split(entry, queue, group, place)
      if (used + size > batchLimit) queue.closeOpen()
    }
    const batch = queue.open ?? this.#open(entry, queue, group.bound)
    const { records } = batch
    batch.addPiece({ send, results, place, firstDelta: records.count })
    appendGroup(records, entry, group)
    const added = records.byteLength - batch.memory
    batch.memory += added
    memory.take(added)
    if (records.byteLength >= settings.batchSize || this.#fillsMemory(batch, added)) queue.closeOpen()
  }

  /** How large it gets by compression is not known yet. */
  #fillsMemory({ byteLength, compression, queue }: ProducerBatch, added: number): boolean {
    if (compression !== CompressionType.None) return false
    const { batchSize } = this.#parts.settings
    // One batch more in a round trip is cheap, many are not.
    const gathered = queue.closed.length > 0 ? batchSize : Math.min(queue.gathered, batchSize)
    return isWellFilled(byteLength, added, gathered * LEAST_PART)
  }

  /** Messages that exceed one batch: as many batches as they need. */
  #split(entry: Entry, queue: PartitionQueue, group: Group, place: number): void {
    const { send, results, sorted, batchLimit, now } = entry
    const { memory, settings } = this.#parts
    queue.closeOpen()
    let batch: ProducerBatch | null = null
    let isHead = true
    for (const message of messagesOf(sorted, group)) {
      if (batch !== null && batch.byteLength + sizeOf(message) > batchLimit) {
        queue.closeOpen()
        batch = null
      }
      if (batch === null) {
        batch = this.#open(entry, queue, batchLimit)
        if (!isHead) send.expectAnother()
        batch.addPiece({ send, results, place: isHead ? place : -1, firstDelta: 0 })
        isHead = false
      }
      const before = batch.memory
      append(batch.records, message, now)
      batch.memory = batch.byteLength
      memory.take(batch.memory - before)
    }
    if (batch !== null && batch.byteLength >= settings.batchSize) queue.closeOpen()
  }

  #open({ compression, send, now, batchLimit }: Entry, queue: PartitionQueue, bound: number): ProducerBatch {
    // Somewhat larger than what gathered for the last one: from one round trip to the next that changes little.
    const expected = Math.min(queue.gathered + (queue.gathered >> 2), this.#parts.settings.batchSize + bound)
    const capacity = Math.min(Math.max(expected, bound + RECORD_BATCH_HEADER_BYTES), batchLimit)
    const batch = new ProducerBatch(queue, compression, send.acks, now, capacity)
    queue.open = batch
    this.#parts.opened()
    return batch
  }
}

/** What a send has for a topic. */
interface Entry {
  readonly send: PendingSend
  readonly results: RecordMetadata[]
  readonly sorted: MessageGroups
  readonly compression: CompressionType
  readonly batchLimit: number
  readonly now: number
}

function appendGroup(records: RecordBatchBuilder, { sorted, now }: Entry, group: Group): void {
  const { messages, next } = sorted
  let place = group.first
  do {
    const message = messages[place]
    if (message !== undefined) append(records, message, now)
    place = next[place] ?? 0
  } while (place !== 0)
}

function append(records: RecordBatchBuilder, message: Message, now: number): void {
  const key = bytesOf(message.key, 'key')
  const value = bytesOf(message.value, 'value')
  records.append(key, value, message.headers ?? undefined, timestampOf(message, now))
}

/** How a batch is compressed: as the topic says, or as the send does where the topic leaves it to the producer. */
function effectiveCompression(topicConfig: string, requested: CompressionType): CompressionType {
  if (topicConfig === 'producer') return requested
  if (topicConfig === 'uncompressed') return CompressionType.None
  const type = COMPRESSION_NAMES.findIndex((name) => name === topicConfig)
  return type < 0 ? requested : type
}

/**
 * A record that is to be compressed may exceed max.message.bytes before that: it goes alone, and is checked afterwards. It
 * must not exceed what consumers decompress, or none could ever read it, nor what comes after it.
 */
function recordLimitOf(maxRequestSize: number, maxMessageBytes: number, compression: CompressionType): SizeLimit {
  if (compression !== CompressionType.None && maxRequestSize > DEFAULT_MAX_DECOMPRESSED_BYTES) {
    return { bytes: DEFAULT_MAX_DECOMPRESSED_BYTES, name: 'what consumers decompress at most' }
  }
  return compression !== CompressionType.None || maxRequestSize <= maxMessageBytes
    ? { bytes: maxRequestSize, name: "the producer's maxRequestSize" }
    : { bytes: maxMessageBytes, name: "the topic's max.message.bytes" }
}
