import { KafkaJSNonRetriableError } from '../../errors.js'
import { show } from '../../show.js'

// The types of Kafka's protocol: big-endian integers, text and bytes after their lengths, lists after their counts. What does
// not fit, and what ends too early or gives lengths that cannot be, is a KafkaJSNonRetriableError.

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(checkInteger(value, 2 ** 15))
  return bytes
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(checkInteger(value, 2 ** 31))
  return bytes
}

export function text(value: string): Buffer {
  if (typeof value !== 'string') throw new KafkaJSNonRetriableError(`Not a text: ${show(value)}`)
  const bytes = Buffer.from(value)
  return Buffer.concat([int16(bytes.length), bytes])
}

/** Null has the length -1. A program in JavaScript may give a text. */
export function bytes(value: Uint8Array | string | null): Buffer {
  if (value === null) return int32(-1)
  const content = typeof value === 'string' ? Buffer.from(value) : value
  if (!(content instanceof Uint8Array)) throw new KafkaJSNonRetriableError(`Not a buffer: ${show(value)}`)
  return Buffer.concat([int32(content.length), content])
}

export function list<T>(values: readonly T[], encode: (value: T) => Buffer): Buffer {
  if (!isArray(values)) throw new KafkaJSNonRetriableError(`Not an array: ${show(values)}`)
  return Buffer.concat([int32(values.length), ...values.map((value) => encode(value))])
}

function checkInteger(value: number, limit: number): number {
  if (Number.isInteger(value) && value >= -limit && value < limit) return value
  throw new KafkaJSNonRetriableError(`Not an integer from ${-limit} to ${limit - 1}: ${show(value)}`)
}

// As a type guard it would take the elements' type away from a readonly list.
const isArray = (values: unknown): boolean => Array.isArray(values)

/** Reads what the functions above write. */
export class ProtocolReader {
  readonly #buffer: Buffer
  readonly #what: string
  #offset = 0

  /** @param what the name of it all, for errors */
  constructor(buffer: Buffer, what: string) {
    if (!(buffer instanceof Uint8Array)) {
      throw new KafkaJSNonRetriableError(`Not a buffer with a ${what}: ${show(buffer)}`)
    }
    this.#buffer = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    this.#what = what
  }

  int16(): number {
    return this.#take(2).readInt16BE()
  }

  int32(): number {
    return this.#take(4).readInt32BE()
  }

  text(): string {
    return this.#take(this.int16()).toString()
  }

  /** Bytes of its own, and null as none at all. */
  bytes(): Buffer {
    const length = this.int32()
    return length === -1 ? Buffer.alloc(0) : Buffer.from(this.#take(length))
  }

  /** Null (-1) as an empty list. */
  list<T>(read: () => T): T[] {
    const count = this.int32()
    // Each element takes a byte at least: more cannot be, whatever the count says.
    if (count < -1 || count > this.#buffer.length - this.#offset) throw this.#damaged()
    return Array.from({ length: Math.max(count, 0) }, read)
  }

  #take(length: number): Buffer {
    const end = this.#offset + length
    if (length < 0 || end > this.#buffer.length) throw this.#damaged()
    const taken = this.#buffer.subarray(this.#offset, end)
    this.#offset = end
    return taken
  }

  #damaged(): KafkaJSNonRetriableError {
    return new KafkaJSNonRetriableError(
      `The ${this.#what} is damaged: it has ${this.#buffer.length} bytes, and what follows byte ${this.#offset} needs more or cannot be`,
    )
  }
}
