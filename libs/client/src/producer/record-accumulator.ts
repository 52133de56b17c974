import { type CompressionType, DEFAULT_MAX_DECOMPRESSED_BYTES, RECORD_BATCH_HEADER_BYTES } from '@rivulet/protocol'
import type { Topic } from '@rivulet/storage'

import type { ICustomPartitioner, Message, PartitionMetadata } from '../types.js'
import type { BufferMemory } from './buffer-memory.js'
import {
  bytesOf,
  effectiveCompression,
  type Group,
  groupByPartition,
  type SizeLimit,
  sizeOf,
  timestampOf,
} from './messages.js'
import type { PartitionQueue, TopicState } from './partition-queue.js'
import type { PendingSend } from './pending-send.js'
import { ProducerBatch } from './producer-batch.js'
import type { ProducerSettings } from './producer-settings.js'

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
 * a batch may grow somewhat beyond batchSize, never beyond maxRequestSize and max.message.bytes.
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
    const groups = groupByPartition(messages, { topic: topic.name, partitionMetadata, partitioner, recordLimit, now })
    send.expect(groups.length)
    for (const group of groups) {
      const to = queue(target, group.partition)
      this.#append({ queue: to, group, send, topicIndex, compression, batchLimit, now })
      filled(to)
    }
  }

  #append(entry: Entry): void {
    const { queue, group, send, compression, batchLimit } = entry
    const { memory, settings } = this.#parts
    const { open } = queue
    if (open !== null && (open.compression !== compression || open.acks !== send.acks)) queue.closeOpen()
    const used = queue.open?.byteLength ?? RECORD_BATCH_HEADER_BYTES
    if (used + group.bound > batchLimit) {
      // The estimate is up to three times too high: measure before anything is split or closed because of it.
      let size = 0
      for (const message of group.messages) size += sizeOf(message)
      if (RECORD_BATCH_HEADER_BYTES + size > batchLimit) return this.#split(entry)
      if (used + size > batchLimit) queue.closeOpen()
    }
    const batch = queue.open ?? this.#open(entry, group.bound)
    const before = batch.byteLength
    batch.addPiece({ send, topicIndex: entry.topicIndex, firstDelta: batch.count, head: true })
    for (const message of group.messages) append(batch, message, entry.now)
    const added = batch.memory === 0 ? batch.byteLength : batch.byteLength - before
    batch.memory += added
    memory.take(added)
    if (batch.byteLength >= settings.batchSize) queue.closeOpen()
  }

  /** Messages that exceed one batch: as many batches as they need. */
  #split(entry: Entry): void {
    const { queue, group, send, topicIndex, batchLimit } = entry
    const { memory, settings } = this.#parts
    queue.closeOpen()
    let batch: ProducerBatch | null = null
    let head = true
    for (const message of group.messages) {
      if (batch !== null && batch.byteLength + sizeOf(message) > batchLimit) {
        queue.closeOpen()
        batch = null
      }
      if (batch === null) {
        batch = this.#open(entry, batchLimit)
        if (!head) send.expect(1)
        batch.addPiece({ send, topicIndex, firstDelta: 0, head })
        head = false
      }
      const before = batch.memory
      append(batch, message, entry.now)
      batch.memory = batch.byteLength
      memory.take(batch.memory - before)
    }
    if (batch !== null && batch.byteLength >= settings.batchSize) queue.closeOpen()
  }

  #open(entry: Entry, bound: number): ProducerBatch {
    const { queue, compression, send, now, batchLimit } = entry
    // As large as the last one: what a partition gets in one round trip changes little from one to the next.
    const capacity = Math.min(Math.max(queue.lastSize, bound + RECORD_BATCH_HEADER_BYTES), batchLimit)
    const batch = new ProducerBatch(queue, compression, send.acks, now, capacity)
    queue.open = batch
    this.#parts.opened()
    return batch
  }
}

interface Entry {
  readonly queue: PartitionQueue
  readonly group: Group
  readonly send: PendingSend
  readonly topicIndex: number
  readonly compression: CompressionType
  readonly batchLimit: number
  readonly now: number
}

function append(batch: ProducerBatch, message: Message, now: number): void {
  const key = bytesOf(message.key, 'key')
  const value = bytesOf(message.value, 'value')
  batch.append(key, value, message.headers ?? undefined, timestampOf(message, now))
}

/**
 * A record that is to be compressed may exceed max.message.bytes before that: it goes alone, and is checked afterwards. It
 * must not exceed what consumers decompress, or none could ever read it, nor what comes after it.
 */
function recordLimitOf(maxRequestSize: number, maxMessageBytes: number, compression: CompressionType): SizeLimit {
  if (compression !== 0 && maxRequestSize > DEFAULT_MAX_DECOMPRESSED_BYTES) {
    return { bytes: DEFAULT_MAX_DECOMPRESSED_BYTES, name: 'what consumers decompress at most' }
  }
  return compression !== 0 || maxRequestSize <= maxMessageBytes
    ? { bytes: maxRequestSize, name: "the producer's maxRequestSize" }
    : { bytes: maxMessageBytes, name: "the topic's max.message.bytes" }
}
