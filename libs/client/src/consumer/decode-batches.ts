import { type DecodedHeaders, type RawRecords, RecordBatch } from '@rivulet/protocol'
import type { StoredBatch } from '@rivulet/storage'
import { codecs } from '../compression-codecs.js'
import type { IHeaders, KafkaMessage } from '../types.js'

/** Batches of one partition as its handler gets them. */
export interface DecodedBatches {
  readonly messages: KafkaMessage[]
  /** Of the first record at or after the position, control records included; -1: there is none. */
  firstOffset: number
  /** The offset after the last record, control records and gaps left by compaction included. */
  endOffset: number
  /** Bytes beyond the encoded ones: what compressed records have become. */
  extraBytes: number
}

/**
 * Decodes batches that follow each other, leaving out records below `position` and control records. A promise only where
 * a codec gives one. Ends before a batch that cannot be decoded, unless that is the first: what came before it is sound,
 * and the error comes up when the batch is next.
 *
 * @throws KafkaError CORRUPT_MESSAGE (the checksum or the structure is wrong), UNSUPPORTED_COMPRESSION_TYPE,
 *   UNSUPPORTED_VERSION, MESSAGE_TOO_LARGE
 */
export function decodeBatches(
  batches: readonly StoredBatch[],
  position: number,
): DecodedBatches | Promise<DecodedBatches> {
  return decodeFrom(0, batches, position, { messages: [], firstOffset: -1, endOffset: position, extraBytes: 0 })
}

function decodeFrom(
  index: number,
  batches: readonly StoredBatch[],
  position: number,
  target: DecodedBatches,
): DecodedBatches | Promise<DecodedBatches> {
  for (let i = index; ; i++) {
    const stored = batches[i]
    if (stored === undefined) return target
    const sound = target.messages.length
    const endHere = (error: unknown): DecodedBatches => {
      if (i === 0) throw error
      target.messages.length = sound
      return target
    }
    try {
      const pending = decodeOne(stored, position, target)
      if (pending !== undefined) return pending.then(() => decodeFrom(i + 1, batches, position, target), endHere)
    } catch (error) {
      return endHere(error)
    }
  }
}

function decodeOne(stored: StoredBatch, position: number, target: DecodedBatches): Promise<void> | undefined {
  const batch = RecordBatch.read(stored.bytes)
  batch.verifyCrc()
  if (batch.isControl) {
    // Markers are for the broker's bookkeeping: the application passes over them without seeing them.
    if (target.firstOffset === -1) target.firstOffset = Math.max(stored.baseOffset, position)
    target.endOffset = stored.endOffset
    return undefined
  }
  const isCompressed = batch.compression !== 0
  const records = batch.records({ codecs })
  if (records instanceof Promise) {
    return records.then((decompressed) => read(decompressed, stored, position, isCompressed, target))
  }
  read(records, stored, position, isCompressed, target)
  return undefined
}

function read(
  records: RawRecords,
  stored: StoredBatch,
  position: number,
  isCompressed: boolean,
  target: DecodedBatches,
): void {
  const before = target.messages.length
  if (isCompressed) target.extraBytes += records.byteLength
  records.readInto(target.messages, makeMessage, {
    baseOffset: stored.baseOffset,
    fromOffset: Math.max(stored.baseOffset, position),
    appendTime: stored.appendTime,
  })
  const first = target.messages[before]
  if (target.firstOffset === -1 && first !== undefined) target.firstOffset = Number(first.offset)
  target.endOffset = stored.endOffset
}

let lastTimestamp = NaN
let lastTimestampText = ''

/** Records of one batch mostly share the millisecond: its text is made once. */
function timestampText(timestamp: number): string {
  if (timestamp !== lastTimestamp) {
    lastTimestamp = timestamp
    lastTimestampText = String(timestamp)
  }
  return lastTimestampText
}

const BLOCK = 1000
const LAST_DIGITS = Array.from({ length: BLOCK }, (_, i) => String(i).padStart(3, '0'))
let blockStart = NaN
let blockText = ''

/** Offsets of one thousand differ in three digits: the others are made once. Twice as fast as String beyond 2^31. */
function offsetText(offset: number): string {
  const digits = LAST_DIGITS[offset - blockStart]
  if (digits !== undefined) return blockText + digits
  if (offset < BLOCK) return String(offset)
  blockStart = offset - (offset % BLOCK)
  blockText = String(blockStart / BLOCK)
  return blockText + (LAST_DIGITS[offset - blockStart] ?? '')
}

/** kafkajs's type does not have the null that a header's value can be; its consumers get it all the same, and so do ours. */
function isHeaders(headers: DecodedHeaders): headers is DecodedHeaders & IHeaders {
  return headers !== null
}

/** One function for all records, so that it is inlined into the decoder's loop. */
function makeMessage(
  offset: number,
  timestamp: number,
  attributes: number,
  key: Buffer | null,
  value: Buffer | null,
  headers: DecodedHeaders,
): KafkaMessage {
  return {
    key,
    value,
    timestamp: timestampText(timestamp),
    attributes,
    offset: offsetText(offset),
    headers: isHeaders(headers) ? headers : {},
  }
}
