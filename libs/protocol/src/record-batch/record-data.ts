import { types } from 'node:util'
import { KafkaError } from '../errors.js'
import { sizeOfVarint, writeVarint } from './varint.js'

/** What a key, a value or a header's value may be; a string is sent as UTF-8. */
export type Bytes = Uint8Array | string | null | undefined

/** Headers as they are given to a producer: an array is several headers of the same key. */
export interface RecordHeaders {
  readonly [key: string]: Bytes | readonly Bytes[]
}

const LENGTH_BYTES = 5
/** A UTF-16 code unit takes at most three bytes in UTF-8. */
const UTF8_BYTES = 3
/** Up to this length writing ASCII character by character is faster than calling into Node. */
const MAX_ASCII_LOOP = 20
/** Up to this length a loop is faster than TypedArray.set. */
const MAX_COPY_LOOP = 12

/** A quick upper bound of the bytes that a key or value takes; INVALID_RECORD if it is of another type. */
export function boundOf(data: Bytes, field: string): number {
  if (typeof data === 'string') return LENGTH_BYTES + data.length * UTF8_BYTES
  if (data instanceof Uint8Array) return LENGTH_BYTES + data.length
  if (data === null || data === undefined) return LENGTH_BYTES
  // Of another realm, as test runners have them, it is no instance of this one's class.
  const other: unknown = data
  if (types.isUint8Array(other)) return LENGTH_BYTES + other.length
  throw invalid(field, data)
}

export function boundOfHeaders(headers: RecordHeaders): number {
  if (typeof headers !== 'object' || headers === null) throw invalid('headers', headers, 'an object')
  let bound = 0
  for (const key of Object.keys(headers)) {
    const keyBound = LENGTH_BYTES + key.length * UTF8_BYTES
    const value = headers[key]
    if (isList(value)) for (const item of value) bound += keyBound + boundOf(item, `header '${key}'`)
    else bound += keyBound + boundOf(value, `header '${key}'`)
  }
  return bound
}

/** The bound with strings measured: an ASCII string counts once, not three times. */
export function exactBound(key: Bytes, value: Bytes, headers: RecordHeaders | undefined): number {
  return (
    measuredBound(key, 'key') + measuredBound(value, 'value') + (headers === undefined ? 0 : boundOfHeaders(headers))
  )
}

function measuredBound(data: Bytes, field: string): number {
  return typeof data === 'string' ? LENGTH_BYTES + Buffer.byteLength(data) : boundOf(data, field)
}

/** Writes length and bytes and returns where they end; a null is the length -1. */
export function writeData(buffer: Buffer, position: number, data: Bytes): number {
  if (typeof data === 'string') return writeText(buffer, position, data)
  if (data === null || data === undefined) {
    buffer[position] = 1
    return position + 1
  }
  const length = data.length
  const start = writeVarint(buffer, position, length)
  if (length > MAX_COPY_LOOP) buffer.set(data, start)
  else for (let i = 0; i < length; i++) buffer[start + i] = data[i] ?? 0
  return start + length
}

/** Headers as count, then for each its key and value. */
export function writeHeaders(buffer: Buffer, position: number, headers: RecordHeaders): number {
  const keys = Object.keys(headers)
  let count = 0
  for (const key of keys) {
    const value = headers[key]
    count += isList(value) ? value.length : 1
  }
  position = writeVarint(buffer, position, count)
  for (const key of keys) {
    const value = headers[key]
    if (isList(value)) {
      for (const item of value) position = writeData(buffer, writeText(buffer, position, key), item)
    } else {
      position = writeData(buffer, writeText(buffer, position, key), value)
    }
  }
  return position
}

function writeText(buffer: Buffer, position: number, text: string): number {
  const length = text.length
  if (length > MAX_ASCII_LOOP) return writeUtf8(buffer, position, text)
  const start = position + 1
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return writeUtf8(buffer, position, text)
    buffer[start + i] = code
  }
  buffer[position] = length << 1
  return start + length
}

function writeUtf8(buffer: Buffer, position: number, text: string): number {
  // Most text is ASCII: leave the room that its length would need then, and move the bytes if that was wrong.
  const guess = position + sizeOfVarint(text.length)
  const length = buffer.write(text, guess)
  const start = position + sizeOfVarint(length)
  if (start !== guess) buffer.copyWithin(start, guess, guess + length)
  writeVarint(buffer, position, length)
  return start + length
}

function isList(value: Bytes | readonly Bytes[]): value is readonly Bytes[] {
  return Array.isArray(value)
}

function invalid(field: string, data: unknown, expected = 'a Buffer, a Uint8Array, a string or null'): KafkaError {
  const type = typeof data === 'object' && data !== null ? (data.constructor?.name ?? 'object') : typeof data
  return new KafkaError('INVALID_RECORD', `The ${field} of the message is of type ${type}: it must be ${expected}`)
}
