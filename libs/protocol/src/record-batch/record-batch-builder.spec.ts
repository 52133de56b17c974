import { types } from 'node:util'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Codec, CompressionType } from '../compression/compression-type.js'
import { KafkaError } from '../errors.js'
import { type BuildOptions, RecordBatchBuilder } from './record-batch-builder.js'
import { patchProducer } from './record-batch-header.js'
import { RecordBatch } from './record-batch.js'
import { type Bytes, type RecordHeaders } from './record-data.js'
import { type DecodedRecord } from './records.js'

const NO_PRODUCER: BuildOptions = { producerId: -1, producerEpoch: -1, baseSequence: -1 }

const anyText = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', minLength: 15, maxLength: 80 }))
const anyData: fc.Arbitrary<Bytes> = fc.oneof(
  anyText,
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(null, undefined, ''),
)
// Object.keys puts keys that look like array indexes first, and '__proto__' in a literal is no key.
const anyHeaders = fc.option(fc.dictionary(anyText, fc.oneof(anyData, fc.array(anyData, { maxLength: 3 }))), {
  nil: undefined,
})
const anyTimestamp = fc.oneof(fc.nat(2_000_000_000_000), fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }))
const anyMessages = fc.array(
  fc.record({ key: anyData, value: anyData, headers: anyHeaders, timestamp: anyTimestamp }),
  {
    minLength: 1,
    maxLength: 20,
  },
)

describe('RecordBatchBuilder', () => {
  it('encodes any messages so that they read back equal', () => {
    fc.assert(
      fc.property(anyMessages, fc.integer({ min: 0, max: 4096 }), (messages, initialCapacity) => {
        const builder = new RecordBatchBuilder({ initialCapacity })
        for (const { key, value, headers, timestamp } of messages) {
          const before = builder.byteLength
          builder.append(key, value, headers, timestamp)
          const message = { key, value, headers }
          expect(builder.byteLength - before).toBeLessThanOrEqual(RecordBatchBuilder.sizeOf(message))
        }
        const bytes = build(builder)
        expect(bytes.length).toBe(builder.byteLength)

        const batch = RecordBatch.read(bytes)
        batch.verifyCrc()
        const first = messages[0]?.timestamp ?? 0
        expect(batch.baseTimestamp).toBe(first)
        expect(batch.maxTimestamp).toBe(Math.max(...messages.map(({ timestamp }) => timestamp)))
        expect(batch.lastOffsetDelta).toBe(messages.length - 1)
        const expected = messages.map(({ key, value, headers, timestamp }, offsetDelta) => ({
          key: bytesOf(key),
          value: bytesOf(value),
          headers: decodedHeaders(headers),
          timestampDelta: timestamp - first,
          offsetDelta,
        }))
        expect(read(bytes).map(({ attributes: _a, size: _s, ...record }) => record)).toEqual(expected)
      }),
    )
  })

  it('keeps every length of text, ASCII and not, around the limits of its fast paths', () => {
    const wrong: string[] = []
    for (const letter of ['a', 'ä', '€', '😀']) {
      for (let length = 0; length < 140; length++) {
        const text = letter.repeat(length)
        const mixed = `${'x'.repeat(length)}${letter}`
        const builder = new RecordBatchBuilder({ initialCapacity: 0 })
        builder.append(text, mixed, { [`h${text}`]: text }, 0)
        builder.append(mixed, text, undefined, 0)
        const texts = read(build(builder)).flatMap(({ key, value, headers }) => [
          key,
          value,
          ...Object.entries(headers).flat(),
        ])
        if (texts.join('|') !== [text, mixed, `h${text}`, text, mixed, text].join('|')) wrong.push(text)
      }
    }
    expect(wrong).toEqual([])
  })

  it('keeps records of every size around the limits of their length field', () => {
    for (const size of [...Array(200).keys(), ...Array.from({ length: 60 }, (_, i) => 8150 + i), 1_048_576]) {
      const builder = new RecordBatchBuilder()
      builder.append(null, Buffer.alloc(size, 7), { a: 'b' }, 5)
      builder.append('k', Buffer.alloc(size, 8), undefined, 5)
      const records = read(build(builder))
      expect(
        records.map(({ value }) => value?.equals(Buffer.alloc(size, value[0] ?? 0)) === true && value.length),
      ).toEqual([size, size])
    }
  })

  it('tells null from empty', () => {
    const builder = new RecordBatchBuilder()
    builder.append(null, '', { none: null, empty: '', list: [undefined, Buffer.alloc(0)] }, 0)
    builder.append(Buffer.alloc(0), undefined, undefined, 0)
    const [one, two] = read(build(builder))
    expect([one?.key, one?.value]).toEqual([null, Buffer.alloc(0)])
    expect([two?.key, two?.value]).toEqual([Buffer.alloc(0), null])
    expect(one?.headers).toEqual({ none: null, empty: Buffer.alloc(0), list: [null, Buffer.alloc(0)] })
  })

  it.each<[string, () => [unknown, unknown, unknown, number], string, string]>([
    ['a number as key', () => [1, null, undefined, 0], 'INVALID_RECORD', 'The key of the message is of type number'],
    [
      'an object as value',
      () => [null, { a: 1 }, undefined, 0],
      'INVALID_RECORD',
      'The value of the message is of type Object',
    ],
    ['an ArrayBuffer as value', () => [null, new ArrayBuffer(1), undefined, 0], 'INVALID_RECORD', 'type ArrayBuffer'],
    [
      'a boolean header',
      () => [null, null, { h: true }, 0],
      'INVALID_RECORD',
      "The header 'h' of the message is of type boolean",
    ],
    ['a number in a header list', () => [null, null, { h: ['a', 5] }, 0], 'INVALID_RECORD', "The header 'h'"],
    ['text as headers', () => [null, null, 'h', 0], 'INVALID_RECORD', 'The headers of the message is of type string'],
    ['a fractional timestamp', () => [null, null, undefined, 1.5], 'INVALID_TIMESTAMP', 'timestamp is 1.5'],
    ['no number as timestamp', () => [null, null, undefined, NaN], 'INVALID_TIMESTAMP', 'timestamp is NaN'],
    ['a timestamp before 1970', () => [null, null, undefined, -2], 'INVALID_TIMESTAMP', 'timestamp is -2'],
  ])('refuses %s, says which field it was, and is unchanged', (_, message, type, text) => {
    const builder = new RecordBatchBuilder()
    builder.append('key', 'value', { h: 'x' }, 100)
    const before = { count: builder.count, byteLength: builder.byteLength }
    const append: unknown = Reflect.get(builder, 'append')
    const attempt = (): unknown =>
      typeof append === 'function' ? Reflect.apply(append, builder, message()) : undefined
    expect(attempt).toThrow(expect.objectContaining({ type, message: expect.stringContaining(text) }))
    expect({ count: builder.count, byteLength: builder.byteLength }).toEqual(before)

    builder.append('key 2', 'value 2', undefined, 50)
    expect(read(build(builder)).map(({ key, timestampDelta }) => [key?.toString(), timestampDelta])).toEqual([
      ['key', 0],
      ['key 2', -50],
    ])
  })

  it('is unchanged where reading the headers throws', () => {
    const builder = new RecordBatchBuilder()
    builder.append('key', 'value', undefined, 1)
    const broken = {
      a: 'x',
      get b(): string {
        throw new Error('getter')
      },
    }
    expect(() => builder.append('key', 'value', broken, 2)).toThrow('getter')
    expect(read(build(builder))).toHaveLength(1)
  })

  it('writes the header fields that are known only when it is sent', () => {
    const builder = new RecordBatchBuilder()
    builder.append('k', 'v', undefined, 1_700_000_000_000)
    const bytes = build(builder, {
      producerId: 2 ** 53 - 1,
      producerEpoch: 32_767,
      baseSequence: 2 ** 31 - 1,
      isTransactional: true,
    })
    expect(RecordBatch.read(bytes)).toMatchObject({
      byteLength: bytes.length,
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      compression: CompressionType.None,
      isTransactional: true,
      isControl: false,
      timestampType: 'CreateTime',
      producerId: 2 ** 53 - 1,
      producerEpoch: 32_767,
      baseSequence: 2 ** 31 - 1,
      count: 1,
    })
    expect(RecordBatch.read(build(builder, NO_PRODUCER))).toMatchObject({
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
    })
  })

  it('refuses to build nothing, and to append once it is built', () => {
    const builder = new RecordBatchBuilder()
    expect(() => build(builder)).toThrow('at least one record')
    builder.append('k', 'v', undefined, 0)
    build(builder)
    expect(() => builder.append('k', 'v', undefined, 0)).toThrow('append() after build()')
    expect(builder.count).toBe(1)
  })

  it('refuses a batch of more than 2 GiB before it allocates', () => {
    const builder = new RecordBatchBuilder()
    const half = Buffer.from(new ArrayBuffer(2 ** 30))
    expect(() => builder.append(half, half, undefined, 0)).toThrow(
      expect.objectContaining({ type: 'MESSAGE_TOO_LARGE' }),
    )
    expect(builder.count).toBe(0)
  })

  it('takes a Uint8Array of another realm', () => {
    const foreign: unknown = runInNewContext('new Uint8Array([1, 2, 3])')
    if (!types.isUint8Array(foreign)) throw new Error('a Uint8Array was made')
    expect(foreign instanceof Uint8Array).toBe(false)
    const builder = new RecordBatchBuilder()
    builder.append(foreign, foreign, { h: foreign }, 0)
    const bytes = Buffer.from([1, 2, 3])
    expect(read(build(builder))).toMatchObject([{ key: bytes, value: bytes, headers: { h: bytes } }])
  })

  it('sizeOf refuses what append refuses', () => {
    const sizeOf: unknown = Reflect.get(RecordBatchBuilder, 'sizeOf')
    const attempt = (): unknown => typeof sizeOf === 'function' && Reflect.apply(sizeOf, null, [{ value: 5 }])
    expect(attempt).toThrow(KafkaError)
  })

  it.each([10, 2000])('compresses %d records with every codec so that they read back equal', async (count) => {
    for (const compression of [1, 2, 3, 4]) {
      const builder = new RecordBatchBuilder()
      for (let i = 0; i < count; i++) builder.append(`key ${i}`, `value ${i * i} `.repeat(5), undefined, i)
      const bytes = await builder.build({ ...NO_PRODUCER, compression })
      expect(bytes.length).toBeLessThan(builder.byteLength)
      const batch = RecordBatch.read(bytes)
      batch.verifyCrc()
      expect(batch).toMatchObject({ compression, byteLength: bytes.length })
      expect(texts((await batch.records()).toArray())).toEqual(texts(read(build(builder))))
    }
  })

  it('uses a codec of the application, at once or later', async () => {
    const flip = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0x55))
    const now: Codec = { compress: flip, decompress: flip }
    const later: Codec = { compress: async (bytes) => flip(bytes), decompress: async (bytes) => flip(bytes) }
    const builder = new RecordBatchBuilder()
    builder.append('k', 'v', undefined, 0)
    for (const codec of [now, later]) {
      const bytes = await builder.build({ ...NO_PRODUCER, compression: CompressionType.Gzip, codec })
      const batch = RecordBatch.read(bytes)
      batch.verifyCrc()
      const records = await batch.records({ codecs: { [CompressionType.Gzip]: codec } })
      expect(records.toArray().map(({ key }) => key?.toString())).toEqual(['k'])
    }
  })
})

describe('patchProducer', () => {
  it('changes producer id, epoch and sequence and nothing else, and the checksum fits', () => {
    const builder = new RecordBatchBuilder()
    builder.append('k', 'v', { h: 'x' }, 77)
    const bytes = Buffer.from(build(builder, { producerId: 1, producerEpoch: 2, baseSequence: 3 }))
    patchProducer(bytes, 2 ** 40 + 5, 6, 7)
    const batch = RecordBatch.read(bytes)
    batch.verifyCrc()
    expect(batch).toMatchObject({
      producerId: 2 ** 40 + 5,
      producerEpoch: 6,
      baseSequence: 7,
      baseTimestamp: 77,
      count: 1,
    })
    patchProducer(bytes, 1, 2, 3)
    expect(bytes.equals(build(builder, { producerId: 1, producerEpoch: 2, baseSequence: 3 }))).toBe(true)
  })
})

function build(builder: RecordBatchBuilder, options: BuildOptions = NO_PRODUCER): Buffer {
  const built = builder.build(options)
  if (!Buffer.isBuffer(built)) throw new Error('an uncompressed batch is built at once')
  return built
}

function read(bytes: Buffer): DecodedRecord[] {
  const records = RecordBatch.read(bytes).records()
  if (records instanceof Promise) throw new Error('an uncompressed batch is read at once')
  return records.toArray()
}

function texts(records: DecodedRecord[]): string[] {
  return records.map(({ key, value, offsetDelta, timestampDelta }) =>
    [key, value, offsetDelta, timestampDelta].join('|'),
  )
}

function bytesOf(data: Bytes): Buffer | null {
  return data === null || data === undefined ? null : Buffer.from(data)
}

/** What headers look like when they were sent: an empty list is no header, one of a list is alone. */
function decodedHeaders(headers: RecordHeaders | undefined): object {
  const decoded = new Map<string, Buffer | null | (Buffer | null)[]>()
  for (const [key, value] of Object.entries(headers ?? {})) {
    const name = Buffer.from(key).toString()
    const values = (isList(value) ? value : [value]).map(bytesOf)
    const before = decoded.get(name)
    const all = [...(before === undefined ? [] : Array.isArray(before) ? before : [before]), ...values]
    const [only] = all
    if (only !== undefined) decoded.set(name, all.length === 1 ? only : all)
  }
  return Object.fromEntries(decoded)
}

function isList(value: Bytes | readonly Bytes[]): value is readonly Bytes[] {
  return Array.isArray(value)
}
