import { codecs as builtInCodecs } from '../compression/codecs.js'
import { type Codecs, COMPRESSION_NAMES, CompressionType, tooLarge } from '../compression/compression-type.js'
import { KafkaError } from '../errors.js'
import { crc32c } from './crc32c.js'
import {
  ATTRIBUTES,
  BASE_OFFSET,
  BASE_SEQUENCE,
  BASE_TIMESTAMP,
  BATCH_LENGTH,
  COMPRESSION_MASK,
  CONTROL,
  COUNT,
  CRC,
  HEADER_BYTES,
  KNOWN_ATTRIBUTES,
  LAST_OFFSET_DELTA,
  LENGTH_OVERHEAD,
  LOG_APPEND_TIME,
  MAGIC,
  MAGIC_V2,
  MAX_TIMESTAMP,
  PARTITION_LEADER_EPOCH,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  readInt64,
  TRANSACTIONAL,
} from './record-batch-header.js'
import { MIN_RECORD_BYTES, RawRecords } from './records.js'

/** What the records of one batch may decompress to, unless told otherwise: 64 MiB. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024

export interface RecordsOptions {
  /**
   * The most that compressed records may decompress to, in bytes.
   * @default DEFAULT_MAX_DECOMPRESSED_BYTES
   */
  readonly maxDecompressedBytes?: number
  /** Codecs instead of the built-in ones. */
  readonly codecs?: Partial<Codecs>
}

export type TimestampType = 'CreateTime' | 'LogAppendTime'

/**
 * A view on one encoded record batch. Nothing is copied: it, its records and their keys and values are valid as long as the
 * buffer is.
 */
export class RecordBatch {
  /** Bytes of the whole batch, header included: where the next one begins. */
  readonly byteLength: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly count: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly #bytes: Buffer

  private constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.byteLength = bytes.length
    this.attributes = bytes.readInt16BE(ATTRIBUTES)
    this.lastOffsetDelta = bytes.readInt32BE(LAST_OFFSET_DELTA)
    this.count = bytes.readInt32BE(COUNT)
    this.baseTimestamp = readInt64(bytes, BASE_TIMESTAMP)
    this.maxTimestamp = readInt64(bytes, MAX_TIMESTAMP)
  }

  /**
   * Reads the header of the batch that begins at `start`. The checksum is not checked here: see verifyCrc.
   *
   * @throws KafkaError CORRUPT_MESSAGE (lengths or counts cannot be right), UNSUPPORTED_FOR_MESSAGE_FORMAT (message format
   *   0 or 1), UNSUPPORTED_VERSION (a later format or unknown attributes), UNSUPPORTED_COMPRESSION_TYPE
   */
  static read(buffer: Buffer, start = 0): RecordBatch {
    const available = buffer.length - start
    if (available < HEADER_BYTES) {
      throw corrupt(`${available} bytes are left, its header alone takes ${HEADER_BYTES}`, { start })
    }
    checkMagic(buffer.readInt8(start + MAGIC))
    const byteLength = buffer.readInt32BE(start + BATCH_LENGTH) + LENGTH_OVERHEAD
    if (byteLength < HEADER_BYTES || byteLength > available) {
      const message = `its length says ${byteLength} bytes: at least ${HEADER_BYTES} and at most the ${available} present are possible`
      throw corrupt(message, { start, byteLength })
    }
    const isWhole = start === 0 && byteLength === buffer.length
    const batch = new RecordBatch(isWhole ? buffer : buffer.subarray(start, start + byteLength))
    checkHeader(batch)
    return batch
  }

  /** The base offset as the producer sent it; in a log the position of the batch decides. */
  get baseOffset(): number {
    return readInt64(this.#bytes, BASE_OFFSET)
  }

  get partitionLeaderEpoch(): number {
    return this.#bytes.readInt32BE(PARTITION_LEADER_EPOCH)
  }

  get crc(): number {
    return this.#bytes.readUInt32BE(CRC)
  }

  /** -1 where the producer is not idempotent. */
  get producerId(): number {
    return readInt64(this.#bytes, PRODUCER_ID)
  }

  get producerEpoch(): number {
    return this.#bytes.readInt16BE(PRODUCER_EPOCH)
  }

  get baseSequence(): number {
    return this.#bytes.readInt32BE(BASE_SEQUENCE)
  }

  get compression(): CompressionType {
    return this.attributes & COMPRESSION_MASK
  }

  get timestampType(): TimestampType {
    return this.attributes & LOG_APPEND_TIME ? 'LogAppendTime' : 'CreateTime'
  }

  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL) !== 0
  }

  /** Whether it holds markers (the end of a transaction) instead of messages. */
  get isControl(): boolean {
    return (this.attributes & CONTROL) !== 0
  }

  /** @throws KafkaError CORRUPT_MESSAGE if the batch is not as its producer made it */
  verifyCrc(): void {
    const computed = crc32c(this.#bytes, ATTRIBUTES)
    if (computed !== this.crc) throw corrupt(`its checksum is ${this.crc}, its bytes have ${computed}`)
  }

  /**
   * The records, decompressed: a promise only where the codec gives one.
   *
   * @throws KafkaError MESSAGE_TOO_LARGE (more than maxDecompressedBytes), CORRUPT_MESSAGE, UNSUPPORTED_COMPRESSION_TYPE
   *   (the codec's package is not installed)
   */
  records(options: RecordsOptions = {}): RawRecords | Promise<RawRecords> {
    const compression = this.compression
    if (compression === CompressionType.None || this.count === 0) return new RawRecords(this, this.#bytes, HEADER_BYTES)
    const maxBytes = options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES
    const codec = options.codecs?.[compression] ?? builtInCodecs[compression]
    const records = codec.decompress(this.#bytes.subarray(HEADER_BYTES), maxBytes)
    return Buffer.isBuffer(records)
      ? this.#decompressed(records, maxBytes)
      : records.then((bytes) => this.#decompressed(bytes, maxBytes))
  }

  #decompressed(bytes: Buffer, maxBytes: number): RawRecords {
    // A codec of the application's own may not know the bound.
    if (bytes.length > maxBytes) throw tooLarge(COMPRESSION_NAMES[this.compression], maxBytes)
    if (bytes.length < this.count * MIN_RECORD_BYTES) {
      throw corrupt(`${this.count} records cannot be in ${bytes.length} bytes`)
    }
    return new RawRecords(this, bytes, 0)
  }
}

function checkMagic(magic: number): void {
  if (magic === MAGIC_V2) return
  if (magic === 0 || magic === 1) {
    const message = `The batch is in Kafka's message format ${magic} (before Kafka 0.11): only format ${MAGIC_V2} is supported`
    throw new KafkaError('UNSUPPORTED_FOR_MESSAGE_FORMAT', message, { magic })
  }
  const message = `The batch is in the unknown message format ${magic}: this version reads format ${MAGIC_V2}`
  throw new KafkaError('UNSUPPORTED_VERSION', message, { magic })
}

function checkHeader(batch: RecordBatch): void {
  const { attributes, count, lastOffsetDelta, byteLength, compression } = batch
  if ((attributes & ~KNOWN_ATTRIBUTES) !== 0) {
    const message = `The batch has the attributes 0x${(attributes & 0xffff).toString(16)}, some of which this version does not know`
    throw new KafkaError('UNSUPPORTED_VERSION', message, { attributes })
  }
  if (compression > CompressionType.ZSTD) {
    const message = `The batch has the compression type ${compression}: 0 to ${CompressionType.ZSTD} are known`
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', message, { compression })
  }
  // Fewer records than offsets is right: compaction leaves gaps.
  if (count < 0 || lastOffsetDelta < 0 || count > lastOffsetDelta + 1) {
    throw corrupt(`${count} records cannot have the last offset delta ${lastOffsetDelta}`, { count, lastOffsetDelta })
  }
  if (compression === CompressionType.None && byteLength - HEADER_BYTES < count * MIN_RECORD_BYTES) {
    throw corrupt(`${count} records cannot be in ${byteLength - HEADER_BYTES} bytes`, { count, byteLength })
  }
  for (const field of ['baseTimestamp', 'maxTimestamp', 'producerId'] as const) {
    if (!Number.isSafeInteger(batch[field])) throw corrupt(`its ${field} ${batch[field]} is beyond the safe integers`)
  }
}

function corrupt(reason: string, details: Record<string, unknown> = {}): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `The record batch is damaged: ${reason}`, details)
}
