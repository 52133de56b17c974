import {
  type Codecs,
  CompressionType,
  type KafkaError,
  type ProducerState,
  RecordBatchBuilder,
} from '@rivulet/protocol'

import type { KafkaJSError } from '../errors.js'
import type { RecordMetadata } from '../types.js'
import type { PartitionQueue } from './partition-queue.js'
import type { PendingSend } from './pending-send.js'

/** What one send has in one batch. */
export interface Piece {
  readonly send: PendingSend
  /** Where its metadata goes, and at which place. */
  readonly results: RecordMetadata[]
  /** -1: the continuation of a piece that did not fit into one batch, whose metadata the first part gives. */
  readonly place: number
  /** Where it begins in the batch: its first record's offset, relative to the batch's. */
  readonly firstDelta: number
}

/** Where the log put a batch. */
export interface StoredAt {
  readonly baseOffset: number
  readonly logAppendTime: number
  readonly logStartOffset: number
}

/** How a batch is doing. */
export enum BatchState {
  /** Takes messages, or waits for its turn. */
  Waiting,
  /** Its codec is at work. */
  Building,
  /** Built, and to be sent with the next call. */
  Ready,
  /** In a call to the log. */
  InFlight,
  /** Failed, and waiting to be sent again. */
  BackingOff,
}

const FIRST_CAPACITY = 1024

/** A record batch on its way: the messages of any number of sends for one partition, with one compression and one acks. */
export class ProducerBatch {
  readonly queue: PartitionQueue
  readonly compression: CompressionType
  readonly acks: number
  readonly createdAt: number
  state = BatchState.Waiting
  /** The bytes that are sent, and sent again; null until they are built. */
  bytes: Buffer | null = null
  /** Bytes of the producer's buffer memory that it takes. */
  memory = 0
  baseSequence = 0
  /** Times that it was sent again. */
  retries = 0
  /** The wait before the last retry, in ms. */
  retryTime = 0
  /** The timer of the wait for the next retry. */
  timer: NodeJS.Timeout | undefined
  /** An attempt ended in a way that leaves open whether the log has the batch. */
  maybeStored = false
  /** It went on under a new epoch because the log had lost what came before it. */
  restarted = false
  lastError: KafkaError | null = null
  /** Dropped once the bytes are there: with compression it holds others. */
  #builder: RecordBatchBuilder | null
  #pieces: Piece[] | null = []
  /** Of the built batch. */
  #count = 0

  constructor(queue: PartitionQueue, compression: CompressionType, acks: number, createdAt: number, capacity: number) {
    this.queue = queue
    this.compression = compression
    this.acks = acks
    this.createdAt = createdAt
    this.#builder = new RecordBatchBuilder({ initialCapacity: Math.max(capacity, FIRST_CAPACITY) })
  }

  /** Records in it. */
  get count(): number {
    return this.#builder?.count ?? this.#count
  }

  /** Bytes that it takes, not compressed. */
  get byteLength(): number {
    return this.#builder?.byteLength ?? this.bytes?.length ?? 0
  }

  /** Where its messages are put, until it is built. */
  get records(): RecordBatchBuilder {
    if (this.#builder === null) throw new TypeError('The batch is built already')
    return this.#builder
  }

  /** The bytes to send; a promise where the codec is asynchronous. Only once. */
  build(producer: ProducerState, codecs: Codecs): Buffer | Promise<Buffer> {
    const { records, compression } = this
    this.#count = records.count
    this.#builder = null
    if (compression === CompressionType.None) return records.build(producer)
    return records.build({ ...producer, compression, codec: codecs[compression] })
  }

  /** Whether all sends have had their answer: what still comes of the batch is for nobody. */
  get settled(): boolean {
    return this.#pieces === null
  }

  addPiece(piece: Piece): void {
    this.#pieces?.push(piece)
  }

  /** Answers the sends: stored. With acks=0 `at` is null. */
  resolve(at: StoredAt | null): void {
    const pieces = this.#pieces
    this.#pieces = null
    if (pieces === null) return
    const { topic, partition } = this.queue.partition
    const logAppendTime = at === null ? '' : String(at.logAppendTime)
    const logStartOffset = at === null ? '' : String(at.logStartOffset)
    for (const { send, results, place, firstDelta } of pieces) {
      if (at !== null && place >= 0) {
        const baseOffset = String(at.baseOffset + firstDelta)
        results[place] = { topicName: topic, partition, errorCode: 0, baseOffset, logAppendTime, logStartOffset }
      }
      send.done()
    }
  }

  /** Answers the sends: failed. */
  reject(error: KafkaJSError): void {
    const pieces = this.#pieces
    this.#pieces = null
    if (pieces === null) return
    const { topic, partition } = this.queue.partition
    for (const { send } of pieces) send.failed(topic, partition, error)
  }
}
