import { KafkaError } from '../errors.js'
import { readVarint, readVarlong, varintEnd } from './varint.js'
import { viewOf } from './view.js'

/** Length, attributes, timestamp delta, offset delta, key and value lengths, header count: a byte each. */
export const MIN_RECORD_BYTES = 7

/** Headers as they are read: a repeated key has an array, in the order of the record. */
export interface DecodedHeaders {
  [key: string]: Buffer | null | (Buffer | null)[]
}

/**
 * Makes an application's own object of a record. Called once a record: it should be one function for the life of the
 * process, so that it is inlined.
 *
 * @param offset absolute
 * @param timestamp milliseconds since 1970; -1: none
 * @param size bytes of the record as encoded, its length included
 */
export type MakeMessage<T> = (
  offset: number,
  timestamp: number,
  attributes: number,
  key: Buffer | null,
  value: Buffer | null,
  headers: DecodedHeaders,
  size: number,
) => T

export interface ReadOptions {
  /** The offset of the batch in the log, which its header need not know. */
  readonly baseOffset: number
  /** Records below it are passed over, which is cheap. */
  readonly fromOffset?: number
  /** The time of the append, ms, where it overrides every record's timestamp; -1 (default): it does not. */
  readonly appendTime?: number
}

/** One record, with offset and timestamp as they are in the batch. */
export interface DecodedRecord {
  readonly attributes: number
  readonly timestampDelta: number
  readonly offsetDelta: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: DecodedHeaders
  readonly size: number
}

interface BatchFacts {
  readonly count: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
}

/**
 * The uncompressed records of a batch, each:
 *
 *     length          varint   of all that follows
 *     attributes      int8     unused
 *     timestampDelta  varlong  to the batch's baseTimestamp, ms; can be negative
 *     offsetDelta     varint   to the batch's base offset
 *     key             varint length (-1: null), bytes
 *     value           varint length (-1: null), bytes
 *     headers         varint count, each: varint length, key in UTF-8, varint length (-1: null), value
 *
 * Keys and values that are read from it are views.
 */
export class RawRecords {
  readonly #batch: BatchFacts
  readonly #bytes: Buffer
  readonly #start: number

  constructor(batch: BatchFacts, bytes: Buffer, start: number) {
    this.#batch = batch
    this.#bytes = bytes
    this.#start = start
  }

  get count(): number {
    return this.#batch.count
  }

  /** Bytes of all records, uncompressed. */
  get byteLength(): number {
    return this.#bytes.length - this.#start
  }

  /**
   * Appends what `make` makes of the records to `target`. On damage `target` has the records before it.
   *
   * @returns how many were appended
   * @throws KafkaError CORRUPT_MESSAGE
   */
  readInto<T>(target: T[], make: MakeMessage<T>, options: ReadOptions): number {
    const { count, lastOffsetDelta, baseTimestamp, maxTimestamp, timestampType } = this.#batch
    const { baseOffset, fromOffset = baseOffset, appendTime = -1 } = options
    const fixedTime = appendTime !== -1 ? appendTime : timestampType === 'LogAppendTime' ? maxTimestamp : -1
    const hasFixedTime = appendTime !== -1 || timestampType === 'LogAppendTime'
    const firstDelta = fromOffset - baseOffset
    const bytes = this.#bytes
    const memory = bytes.buffer
    const shift = bytes.byteOffset
    const sectionEnd = bytes.length
    const targetBefore = target.length
    const headerKeys: HeaderKey[] = []

    let position = this.#start
    let previousDelta = -1
    for (let i = 0; i < count; i++) {
      const start = position
      const length = readVarint(bytes, position)
      position = varintEnd
      const end = position + length
      if (length < MIN_RECORD_BYTES - 1 || end > sectionEnd) throw damagedRecord(i, `its length is ${length}`)

      const attributes = bytes[position] ?? 0
      const timestampDelta = readVarlong(bytes, position + 1)
      const offsetDelta = readVarint(bytes, varintEnd)
      if (offsetDelta <= previousDelta || offsetDelta > lastOffsetDelta) {
        throw damagedRecord(
          i,
          `its offset delta is ${offsetDelta} after ${previousDelta}, the last is ${lastOffsetDelta}`,
        )
      }
      previousDelta = offsetDelta
      if (offsetDelta < firstDelta) {
        position = end
        continue
      }

      const keyLength = readVarint(bytes, varintEnd)
      position = varintEnd
      if (keyLength < -1 || keyLength > end - position) throw damagedRecord(i, `its key has the length ${keyLength}`)
      const key = keyLength < 0 ? null : viewOf(memory, shift + position, keyLength)
      if (keyLength > 0) position += keyLength

      const valueLength = readVarint(bytes, position)
      position = varintEnd
      if (valueLength < -1 || valueLength > end - position) {
        throw damagedRecord(i, `its value has the length ${valueLength}`)
      }
      const value = valueLength < 0 ? null : viewOf(memory, shift + position, valueLength)
      if (valueLength > 0) position += valueLength

      const headers: DecodedHeaders = {}
      const headerCount = readVarint(bytes, position)
      position = varintEnd
      if (headerCount !== 0) position = readHeaders(bytes, position, end, headerCount, headers, headerKeys, i)

      if (position !== end) throw damagedRecord(i, `it says ${end - start} bytes and holds ${position - start}`)
      const timestamp = hasFixedTime ? fixedTime : baseTimestamp + timestampDelta
      target.push(make(baseOffset + offsetDelta, timestamp, attributes, key, value, headers, end - start))
    }
    if (position !== sectionEnd) {
      throw new KafkaError(
        'CORRUPT_MESSAGE',
        `The record batch has ${sectionEnd - position} bytes behind its last record`,
      )
    }
    return target.length - targetBefore
  }

  /** All records, with offsets and timestamps relative to the batch: for tools and tests. */
  toArray(): DecodedRecord[] {
    const { baseTimestamp } = this.#batch
    const target: DecodedRecord[] = []
    this.readInto(
      target,
      (offsetDelta, timestamp, attributes, key, value, headers, size) => ({
        attributes,
        timestampDelta: timestamp - baseTimestamp,
        offsetDelta,
        key,
        value,
        headers,
        size,
      }),
      { baseOffset: 0 },
    )
    return target
  }
}

/** A header's key as it was decoded before: the records of a batch mostly have the same. */
interface HeaderKey {
  start: number
  length: number
  text: string
}

function readHeaders(
  bytes: Buffer,
  position: number,
  end: number,
  count: number,
  headers: DecodedHeaders,
  known: HeaderKey[],
  record: number,
): number {
  // A header takes two bytes at least: a count that cannot be true is found before the loop.
  if (count < 0 || count > (end - position) / 2) throw damagedRecord(record, `it has ${count} headers`)
  for (let i = 0; i < count; i++) {
    const keyLength = readVarint(bytes, position)
    position = varintEnd
    if (keyLength < 0 || keyLength > end - position) {
      throw damagedRecord(record, `its header ${i} has a key of the length ${keyLength}`)
    }
    const key = headerKey(bytes, position, keyLength, known, i)
    position += keyLength
    const valueLength = readVarint(bytes, position)
    position = varintEnd
    if (valueLength < -1 || valueLength > end - position) {
      throw damagedRecord(record, `its header ${i} has a value of the length ${valueLength}`)
    }
    addHeader(headers, key, valueLength < 0 ? null : viewOf(bytes.buffer, bytes.byteOffset + position, valueLength))
    if (valueLength > 0) position += valueLength
  }
  return position
}

/** Headers beyond these are decoded each time. */
const MAX_KNOWN_KEYS = 32

function headerKey(bytes: Buffer, start: number, length: number, known: HeaderKey[], index: number): string {
  const last = known[index]
  if (last !== undefined && last.length === length && isSame(bytes, last.start, start, length)) return last.text
  const text = bytes.toString('utf8', start, start + length)
  if (index < MAX_KNOWN_KEYS) known[index] = { start, length, text }
  return text
}

function isSame(bytes: Buffer, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}

function addHeader(headers: DecodedHeaders, key: string, value: Buffer | null): void {
  const present = headers[key]
  if (present === undefined) headers[key] = value
  else if (!Object.hasOwn(headers, key)) defineHeader(headers, key, value)
  else if (Array.isArray(present)) present.push(value)
  else headers[key] = [present, value]
}

/** For keys that every object has, such as 'constructor': assigning to '__proto__' would give it another prototype. */
function defineHeader(headers: DecodedHeaders, key: string, value: Buffer | null): void {
  Object.defineProperty(headers, key, { value, enumerable: true, configurable: true, writable: true })
}

function damagedRecord(index: number, reason: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `Record ${index} of the batch is damaged: ${reason}`, { record: index })
}
