import { types } from 'node:util'
import { type Bytes, KafkaError, RecordBatchBuilder } from '@rivulet/protocol'

import { show } from '../show.js'
import type { Message } from '../types.js'

/** An upper bound of a record's length, attributes, deltas, lengths and number of headers. */
const RECORD_OVERHEAD = 40
/** A UTF-16 code unit takes at most three bytes in UTF-8. */
const UTF8_BYTES = 3

/**
 * A key or value as it is encoded. Numbers and other values with a text of their own count as that text, which kafkajs refuses
 * or not as it happens; an object without one is refused.
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
export function check(message: Message, now: number): number {
  timestampOf(message, now)
  const bound = RECORD_OVERHEAD + boundOf(bytesOf(message.key, 'key')) + boundOf(bytesOf(message.value, 'value'))
  const { headers } = message
  return headers === undefined || headers === null ? bound : bound + RecordBatchBuilder.sizeOf({ headers })
}
