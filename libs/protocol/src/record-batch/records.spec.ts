import { describe, expect, it } from '@jest/globals'
import { deepStrictEqual } from 'node:assert'
import { RecordBatchBuilder } from './record-batch-builder.js'
import { RecordBatch } from './record-batch.js'
import { type DecodedHeaders, type MakeMessage, type RawRecords, type ReadOptions } from './records.js'
import { writeVarint } from './varint.js'

interface Message {
  offset: number
  timestamp: number
  key: string | undefined
}

const make: MakeMessage<Message> = (offset, timestamp, _attributes, key) => ({
  offset,
  timestamp,
  key: key?.toString(),
})

describe('RawRecords.readInto', () => {
  it('gives offsets from the base offset that it is told, not from the header', () => {
    expect(readInto({ baseOffset: 5_000_000_000 }).map(({ offset }) => offset)).toEqual([
      5_000_000_000, 5_000_000_001, 5_000_000_002, 5_000_000_003,
    ])
  })

  it('passes over records below the wanted offset', () => {
    const keysFrom = (fromOffset: number): (string | undefined)[] =>
      readInto({ baseOffset: 100, fromOffset }).map(({ key }) => key)
    expect(keysFrom(0)).toEqual(['a', 'b', 'c', 'd'])
    expect(keysFrom(102)).toEqual(['c', 'd'])
    expect(keysFrom(104)).toEqual([])
  })

  it('gives each record its own timestamp, which can be before the first', () => {
    expect(readInto({ baseOffset: 0 }).map(({ timestamp }) => timestamp)).toEqual([1000, 1500, 10, 4_000_000_000_000])
  })

  it('gives the append time to every record where there is one', () => {
    expect(readInto({ baseOffset: 0, appendTime: 77 }).map(({ timestamp }) => timestamp)).toEqual([77, 77, 77, 77])
    expect(readInto({ baseOffset: 0, appendTime: 0 }).map(({ timestamp }) => timestamp)).toEqual([0, 0, 0, 0])
  })

  it("gives the batch's maximum timestamp to every record where its attributes say log append time", () => {
    const bytes = Buffer.from(fourRecords())
    bytes.writeInt16BE(0x08, 21)
    const target: Message[] = []
    expect(recordsOf(bytes).readInto(target, make, { baseOffset: 0 })).toBe(4)
    expect(new Set(target.map(({ timestamp }) => timestamp))).toEqual(new Set([4_000_000_000_000]))
  })

  it('appends to what is in the target', () => {
    const target: Message[] = []
    recordsOf(fourRecords()).readInto(target, make, { baseOffset: 0 })
    expect(recordsOf(fourRecords()).readInto(target, make, { baseOffset: 4, fromOffset: 6 })).toBe(2)
    expect(target.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 6, 7])
  })

  it('gives keys and values as Buffers on the bytes of the batch, not as copies', () => {
    const bytes = Buffer.from(fourRecords())
    const [record] = recordsOf(bytes).toArray()
    expect(Buffer.isBuffer(record?.value)).toBe(true)
    expect(record?.value?.buffer).toBe(bytes.buffer)
    deepStrictEqual(record?.value, Buffer.from('one'))
  })

  it("tells each record's encoded size: together they are the batch", () => {
    const records = recordsOf(fourRecords())
    expect(records.toArray().reduce((sum, { size }) => sum + size, 0)).toBe(records.byteLength)
  })
})

describe('headers', () => {
  it('of one key become an array, in their order, null included', () => {
    expect(
      headersOf([
        ['a', 'x'],
        ['b', 'y'],
        ['a', null],
        ['a', 'z'],
      ]),
    ).toEqual({
      a: [Buffer.from('x'), null, Buffer.from('z')],
      b: Buffer.from('y'),
    })
    expect(
      headersOf([
        ['a', null],
        ['a', null],
      ]),
    ).toEqual({ a: [null, null] })
  })

  it('can be named like what every object has', () => {
    const headers = headersOf([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['toString', 'z'],
      ['__proto__', 'w'],
    ])
    expect(Object.entries(headers)).toEqual([
      ['__proto__', [Buffer.from('x'), Buffer.from('w')]],
      ['constructor', Buffer.from('y')],
      ['toString', Buffer.from('z')],
    ])
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
  })

  it('of each record are its own, though the keys repeat or change from record to record', () => {
    const builder = new RecordBatchBuilder()
    const all = [{ a: '1', b: '2' }, { a: '3', b: '4' }, { b: '5', a: '6' }, { ab: '7' }, { é: '8' }, { a: '9' }]
    for (const headers of all) builder.append(null, null, headers, 0)
    const decoded = recordsOf(built(builder)).toArray()
    expect(decoded.map(({ headers }) => Object.entries(headers).map(([key, value]) => [key, String(value)]))).toEqual(
      all.map((headers) => Object.entries(headers)),
    )
  })
})

describe('a damaged record', () => {
  const sound = [0, 0, 0, 1, 1, 0]
  it.each<[string, number[]]>([
    ['is longer than its contents', [...sound, 0]],
    ['is shorter than its contents', [0, 0, 0, 1, 1]],
    ['has an offset beyond the last', [0, 0, 2, 1, 1, 0]],
    ['has a negative offset', [0, 0, 1, 1, 1, 0]],
    ['has a key that ends behind it', [0, 0, 0, 8, 1, 0]],
    ['has a key of the length -2', [0, 0, 0, 3, 1, 0]],
    ['has a value that ends behind it', [0, 0, 0, 1, 6, 0]],
    ['has a value of the length -2', [0, 0, 0, 1, 3, 0]],
    ['has headers that are not there', [0, 0, 0, 1, 1, 2]],
    ['has less than no headers', [0, 0, 0, 1, 1, 1]],
    ['has a header with a null key', [0, 0, 0, 1, 1, 2, 1, 1]],
    ['has a header with a key that ends behind it', [0, 0, 0, 1, 1, 2, 8, 1]],
    ['has a header with a value that ends behind it', [0, 0, 0, 1, 1, 2, 0, 8]],
    ['has a varint without end', [0, 0, 0, 255, 255, 255, 255, 255, 255]],
    ['has a timestamp without end', [0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]],
  ])('that %s is CORRUPT_MESSAGE', (_, body) => {
    expect(recordsOf(batchOfBodies([sound])).toArray()).toHaveLength(1)
    expect(() => recordsOf(batchOfBodies([body])).toArray()).toThrow(
      expect.objectContaining({ type: 'CORRUPT_MESSAGE' }),
    )
  })

  it('with an offset that is not above the one before is CORRUPT_MESSAGE', () => {
    expect(() => recordsOf(batchOfBodies([sound, sound])).toArray()).toThrow(
      expect.objectContaining({ type: 'CORRUPT_MESSAGE' }),
    )
  })

  it('leaves the records before it in the target', () => {
    const target: Message[] = []
    const records = recordsOf(batchOfBodies([sound, [0, 0, 2, 3, 1, 0]]))
    expect(() => records.readInto(target, make, { baseOffset: 0 })).toThrow('Record 1 of the batch is damaged')
    expect(target).toHaveLength(1)
  })

  it('is found where bytes are left behind the last', () => {
    const bytes = Buffer.concat([fourRecords(), Buffer.alloc(3)])
    bytes.writeInt32BE(bytes.length - 12, 8)
    expect(() => recordsOf(bytes).toArray()).toThrow('3 bytes behind its last record')
  })
})

function fourRecords(): Buffer {
  const builder = new RecordBatchBuilder()
  builder.append('a', 'one', undefined, 1000)
  builder.append('b', 'two', { h: 'x' }, 1500)
  builder.append('c', null, undefined, 10)
  builder.append('d', '', undefined, 4_000_000_000_000)
  return built(builder)
}

function built(builder: RecordBatchBuilder): Buffer {
  const bytes = builder.build({ producerId: -1, producerEpoch: -1, baseSequence: -1 })
  if (bytes instanceof Promise) throw new Error('an uncompressed batch is built at once')
  return bytes
}

function recordsOf(bytes: Buffer): RawRecords {
  const records = RecordBatch.read(bytes).records()
  if (records instanceof Promise) throw new Error('an uncompressed batch is read at once')
  return records
}

function readInto(options: ReadOptions): Message[] {
  const target: Message[] = []
  recordsOf(fourRecords()).readInto(target, make, options)
  return target
}

/** A batch of records that are given byte by byte, without their lengths. */
function batchOfBodies(bodies: readonly number[][]): Buffer {
  const builder = new RecordBatchBuilder()
  for (const _ of bodies) builder.append(null, null, undefined, 0)
  const records = bodies.flatMap((body) => [body.length * 2, ...body])
  const bytes = Buffer.concat([built(builder).subarray(0, 61), Buffer.from(records)])
  bytes.writeInt32BE(bytes.length - 12, 8)
  return bytes
}

/** What is read from a record with these headers, encoded one by one. */
function headersOf(headers: readonly (readonly [string, string | null])[]): DecodedHeaders {
  const encoded = Buffer.alloc(1000)
  let at = writeVarint(encoded, 0, headers.length)
  for (const [key, value] of headers) {
    at = writeVarint(encoded, at, key.length)
    at += encoded.write(key, at)
    at = writeVarint(encoded, at, value === null ? -1 : value.length)
    if (value !== null) at += encoded.write(value, at)
  }
  const [record] = recordsOf(batchOfBodies([[0, 0, 0, 1, 1, ...encoded.subarray(0, at)]])).toArray()
  if (record === undefined) throw new Error('there is one record')
  return record.headers
}
