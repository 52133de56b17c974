import { crc32c } from './crc32c.js'

/**
 * Kafka's record batch, format version 2 (`magic`); numbers are big-endian:
 *
 *      0  baseOffset            int64   as sent by producers 0; the position in the log decides, not this field
 *      8  batchLength           int32   of all that follows
 *     12  partitionLeaderEpoch  int32   -1 from producers
 *     16  magic                 int8    2
 *     17  crc                   uint32  CRC-32C of all that follows
 *     21  attributes            int16   bits 0-2 compression, 3 timestamp type, 4 transactional, 5 control,
 *                                       6 delete horizon; the others are unused
 *     23  lastOffsetDelta       int32   offset of the last record, relative to baseOffset
 *     27  baseTimestamp         int64   what the records' timestamps are relative to, ms
 *     35  maxTimestamp          int64   ms; with log append time the timestamp of every record
 *     43  producerId            int64   -1: not idempotent
 *     51  producerEpoch         int16
 *     53  baseSequence          int32   sequence number of the first record
 *     57  count                 int32
 *     61  records               compressed as one block, if at all
 */
export const HEADER_BYTES = 61
export const BASE_OFFSET = 0
export const BATCH_LENGTH = 8
export const PARTITION_LEADER_EPOCH = 12
export const MAGIC = 16
export const CRC = 17
export const ATTRIBUTES = 21
export const LAST_OFFSET_DELTA = 23
export const BASE_TIMESTAMP = 27
export const MAX_TIMESTAMP = 35
export const PRODUCER_ID = 43
export const PRODUCER_EPOCH = 51
export const BASE_SEQUENCE = 53
export const COUNT = 57

/** The bytes of a batch that batchLength does not count. */
export const LENGTH_OVERHEAD = BATCH_LENGTH + 4

export const MAGIC_V2 = 2

export const COMPRESSION_MASK = 0x07
export const LOG_APPEND_TIME = 0x08
export const TRANSACTIONAL = 0x10
export const CONTROL = 0x20
export const KNOWN_ATTRIBUTES = 0x7f

export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

export interface BatchHeader extends ProducerState {
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly count: number
}

/** Writes the header of a batch whose records are in place already (the CRC covers them). */
export function writeHeader(batch: Buffer, header: BatchHeader): void {
  writeInt64(batch, BASE_OFFSET, 0)
  batch.writeInt32BE(batch.length - LENGTH_OVERHEAD, BATCH_LENGTH)
  batch.writeInt32BE(-1, PARTITION_LEADER_EPOCH)
  batch.writeInt8(MAGIC_V2, MAGIC)
  batch.writeInt16BE(header.attributes, ATTRIBUTES)
  batch.writeInt32BE(header.lastOffsetDelta, LAST_OFFSET_DELTA)
  writeInt64(batch, BASE_TIMESTAMP, header.baseTimestamp)
  writeInt64(batch, MAX_TIMESTAMP, header.maxTimestamp)
  batch.writeInt32BE(header.count, COUNT)
  patchProducer(batch, header.producerId, header.producerEpoch, header.baseSequence)
}

/**
 * Stamps a built batch with another producer state, for a batch that must be sent anew under another producer id or epoch,
 * and renews its CRC. `batch` is exactly one batch.
 */
export function patchProducer(batch: Buffer, producerId: number, producerEpoch: number, baseSequence: number): void {
  writeInt64(batch, PRODUCER_ID, producerId)
  batch.writeInt16BE(producerEpoch, PRODUCER_EPOCH)
  batch.writeInt32BE(baseSequence, BASE_SEQUENCE)
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES), CRC)
}

const TWO_TO_32 = 0x1_0000_0000

function writeInt64(buffer: Buffer, position: number, value: number): void {
  const high = Math.floor(value / TWO_TO_32)
  buffer.writeInt32BE(high, position)
  buffer.writeUInt32BE(value - high * TWO_TO_32, position + 4)
}

/** Exact within the safe integers; beyond them the nearest number, which Number.isSafeInteger tells. */
export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * TWO_TO_32 + buffer.readUInt32BE(position + 4)
}
