import { codecs } from '../compression/codecs.js'
import { type Codec, CompressionType } from '../compression/compression-type.js'
import { KafkaError } from '../errors.js'
import { allocateBatch } from './batch-memory.js'
import { HEADER_BYTES, type ProducerState, TRANSACTIONAL, writeHeader } from './record-batch-header.js'
import {
  type Bytes,
  type RecordHeaders,
  boundOf,
  boundOfHeaders,
  exactBound,
  writeData,
  writeHeaders,
} from './record-data.js'
import { sizeOfVarint, writeVarint, writeVarlong } from './varint.js'

/** Length, attributes, timestamp and offset delta, and the number of headers, each at its longest. */
const RECORD_OVERHEAD = 5 + 1 + 10 + 5 + 5
const DEFAULT_CAPACITY = 16 * 1024
/** batchLength is an int32. */
const MAX_CAPACITY = 0x7fffffff

export interface BuildOptions extends ProducerState {
  /** @default CompressionType.None */
  readonly compression?: CompressionType
  /** Compresses instead of the built-in codec of `compression`. */
  readonly codec?: Codec
  /** @default false */
  readonly isTransactional?: boolean
}

export interface MessageData {
  readonly key?: Bytes
  readonly value?: Bytes
  readonly headers?: RecordHeaders | undefined
}

/**
 * Encodes messages into one record batch as they come: a message is written once, into the buffer that is sent.
 * After build() the builder is done.
 */
export class RecordBatchBuilder {
  #buffer: Buffer
  /** The buffer's length; 0 once built, so that one comparison a record finds both out of room and built. */
  #limit: number
  #position = HEADER_BYTES
  #count = 0
  #baseTimestamp = -1
  #maxTimestamp = -1

  /** @param options.initialCapacity bytes to begin with: the batch size that is aimed at (default 16 KiB) */
  constructor(options: { initialCapacity?: number } = {}) {
    this.#buffer = allocateBatch(Math.max(options.initialCapacity ?? DEFAULT_CAPACITY, HEADER_BYTES))
    this.#limit = this.#buffer.length
  }

  /** Records so far. */
  get count(): number {
    return this.#count
  }

  /** Bytes so far, header included, not compressed. */
  get byteLength(): number {
    return this.#position
  }

  /** An upper bound of the bytes that a message adds; INVALID_RECORD for what a message cannot hold. */
  static sizeOf(message: MessageData): number {
    return RECORD_OVERHEAD + exactBound(message.key, message.value, message.headers)
  }

  /**
   * Adds a message; on an error the batch is as it was before.
   *
   * @param key null and undefined are Kafka's null; an empty string or buffer is empty, not null
   * @param headers an array value is several headers of one key; null and undefined are null
   * @param timestamp milliseconds since 1970, an integer; -1 for none
   * @throws KafkaError INVALID_RECORD (a field of a wrong type), INVALID_TIMESTAMP, MESSAGE_TOO_LARGE (a batch of 2 GiB)
   */
  append(key: Bytes, value: Bytes, headers: RecordHeaders | undefined, timestamp: number): void {
    if (!Number.isSafeInteger(timestamp) || timestamp < -1) {
      const message = `timestamp is ${String(timestamp)}: it must be an integer of milliseconds since 1970, or -1 for none`
      throw new KafkaError('INVALID_TIMESTAMP', message, { timestamp })
    }
    const bound = boundOf(key, 'key') + boundOf(value, 'value') + (headers === undefined ? 0 : boundOfHeaders(headers))
    if (this.#position + RECORD_OVERHEAD + bound > this.#limit) {
      this.#reserve(RECORD_OVERHEAD + exactBound(key, value, headers))
    }

    const buffer = this.#buffer
    const start = this.#position
    const timestampDelta = this.#count === 0 ? 0 : timestamp - this.#baseTimestamp
    // The length comes first and is known last: leave the room it should need, and move the record if that was wrong.
    const lengthGuess = sizeOfVarint(lengthOf(key) + lengthOf(value) + (headers === undefined ? 9 : 32))
    const body = start + lengthGuess
    buffer[body] = 0
    let position = writeVarlong(buffer, body + 1, timestampDelta)
    position = writeVarint(buffer, position, this.#count)
    position = writeData(buffer, position, key)
    position = writeData(buffer, position, value)
    if (headers === undefined) buffer[position++] = 0
    else position = writeHeaders(buffer, position, headers)

    const length = position - body
    const lengthBytes = sizeOfVarint(length)
    if (lengthBytes !== lengthGuess) {
      buffer.copyWithin(start + lengthBytes, body, position)
      position += lengthBytes - lengthGuess
    }
    writeVarint(buffer, start, length)

    if (this.#count++ === 0) this.#baseTimestamp = timestamp
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    this.#position = position
  }

  /**
   * The finished batch, with base offset 0 and partition leader epoch -1, as a Kafka producer sends it. A promise only
   * where the codec gives one.
   *
   * @throws KafkaError INVALID_RECORD for a batch without records; what the codec throws
   */
  build(options: BuildOptions): Buffer | Promise<Buffer> {
    if (this.#count === 0) throw new KafkaError('INVALID_RECORD', 'A record batch needs at least one record')
    this.#limit = 0
    const { compression = CompressionType.None } = options
    if (compression === CompressionType.None) return this.#finish(this.#buffer.subarray(0, this.#position), options)
    const codec = options.codec ?? codecs[compression]
    const compressed = codec.compress(this.#buffer.subarray(HEADER_BYTES, this.#position))
    return Buffer.isBuffer(compressed)
      ? this.#finish(withHeaderRoom(compressed), options)
      : compressed.then((records) => this.#finish(withHeaderRoom(records), options))
  }

  #finish(batch: Buffer, options: BuildOptions): Buffer {
    writeHeader(batch, {
      attributes:
        (options.compression ?? CompressionType.None) | (options.isTransactional === true ? TRANSACTIONAL : 0),
      lastOffsetDelta: this.#count - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: options.producerId,
      producerEpoch: options.producerEpoch,
      baseSequence: options.baseSequence,
      count: this.#count,
    })
    return batch
  }

  #reserve(bytes: number): void {
    if (this.#limit === 0) throw new KafkaError('INVALID_RECORD', 'append() after build(): the batch is finished')
    const needed = this.#position + bytes
    if (needed <= this.#limit) return
    if (needed > MAX_CAPACITY) {
      throw new KafkaError('MESSAGE_TOO_LARGE', `A record batch cannot be larger than ${MAX_CAPACITY} bytes`)
    }
    const grown = allocateBatch(Math.min(Math.max(needed, this.#limit * 2), MAX_CAPACITY))
    this.#buffer.copy(grown, 0, 0, this.#position)
    this.#buffer = grown
    this.#limit = grown.length
  }
}

function lengthOf(data: Bytes): number {
  return data == null ? 0 : data.length
}

function withHeaderRoom(records: Buffer): Buffer {
  const batch = allocateBatch(HEADER_BYTES + records.length)
  records.copy(batch, HEADER_BYTES)
  return batch
}
