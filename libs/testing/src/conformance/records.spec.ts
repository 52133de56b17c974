import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { codecs } from '@rivulet/protocol'
import kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped } from './support/calls.js'
import { Reading } from './support/reading.js'
import { Workbench } from './support/workbench.js'

const { CompressionTypes } = kafkajs

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
const text = (value: unknown): string => String(value)

describeOnBoth('a record', (target) => {
  const bench = new Workbench(target)
  const groupId = bench.groupId()
  // One consumer for all: it is not what is under test here.
  const reading = new Reading(target.create().consumer({ groupId, maxWaitTimeInMs: 50 }), groupId)
  let topic = ''

  beforeAll(async () => {
    topic = await bench.topic()
    await reading.subscribe(topic)
    await reading.run()
  })
  afterAll(() => reading.consumer.disconnect())

  /** Sends messages, as a program in JavaScript can make them, and gives them as the consumer got them. */
  const roundTrip = async (messages: unknown[], options: object = {}): Promise<kafkajs.KafkaMessage[]> => {
    const known = reading.messages.entries.length
    await callUntyped(bench.producer, 'send', { topic, messages, ...options })
    const received = await reading.messages.until(known + messages.length)
    return received.slice(known).map(({ message }) => message)
  }

  const one = async (message: unknown, options: object = {}): Promise<kafkajs.KafkaMessage> => {
    const [received] = await roundTrip([message], options)
    if (received === undefined) throw new Error('Nothing was received')
    return received
  }

  const headersOf = async (headers: unknown): Promise<kafkajs.IHeaders> =>
    (await one({ value: 'v', headers })).headers ?? {}

  it('brings key and value back as Buffers', async () => {
    const { key, value } = await one({ key: 'key', value: 'value' })
    expect([key, value]).toEqual([Buffer.from('key'), Buffer.from('value')])
  })

  it('keeps bytes of every value', async () => {
    expect(await one({ key: ALL_BYTES, value: ALL_BYTES })).toMatchObject({ key: ALL_BYTES, value: ALL_BYTES })
  })

  it('keeps text as UTF-8', async () => {
    const { key, value } = await one({ key: 'Schlüssel', value: '値 🦊' })
    expect([text(key), text(value)]).toEqual(['Schlüssel', '値 🦊'])
  })

  it.each([
    ['null', { key: null, value: 'v' }],
    ['left out', { value: 'v' }],
    ['undefined', { key: undefined, value: 'v' }],
  ])('has the key null where it is %s', async (_, message) => {
    expect((await one(message)).key).toBeNull()
  })

  it('tells an empty key from none', async () => {
    expect((await one({ key: '', value: 'v' })).key).toEqual(Buffer.alloc(0))
  })

  it('has the value null where it is a tombstone', async () => {
    expect(await one({ key: 'k', value: null })).toMatchObject({ key: Buffer.from('k'), value: null })
  })

  it.each([
    ['text', ''],
    ['Buffer', Buffer.alloc(0)],
  ])('tells an empty value (%s) from a tombstone', async (_, empty) => {
    expect((await one({ value: empty })).value).toEqual(Buffer.alloc(0))
  })

  it('takes a value as large as the default limits allow', async () => {
    const value = Buffer.alloc(1_000_000, 'x')
    expect((await one({ value })).value?.equals(value)).toBe(true)
  })

  it('keeps its place among the records of its send', async () => {
    const values = Array.from({ length: 300 }, (_, i) => `value ${i}`)
    const received = await roundTrip(values.map((value) => ({ value })))
    expect(received.map(({ value }) => text(value))).toEqual(values)
  })

  it('has the offset after that of the record before it, in decimal', async () => {
    const offsets = (await roundTrip([{ value: 'a' }, { value: 'b' }])).map(({ offset }) => offset)
    const next = (await one({ value: 'c' })).offset
    const first = Number(offsets[0])
    expect([...offsets, next]).toEqual([`${first}`, `${first + 1}`, `${first + 2}`])
  })

  it('has no headers where none were given', async () => {
    expect((await one({ value: 'v' })).headers).toEqual({})
  })

  it('brings headers back as Buffers, of text and of Buffers alike', async () => {
    expect(await headersOf({ trace: 'abc', raw: ALL_BYTES })).toEqual({ trace: Buffer.from('abc'), raw: ALL_BYTES })
  })

  it('keeps the order of its headers', async () => {
    expect(Object.keys(await headersOf({ z: '1', a: '2', m: '3' }))).toEqual(['z', 'a', 'm'])
  })

  it('brings a header with several values back as an array, in order', async () => {
    const values = [Buffer.from('1'), Buffer.from('2'), Buffer.from('3')]
    expect(await headersOf({ hop: ['1', Buffer.from('2'), '3'] })).toEqual({ hop: values })
  })

  it('brings a header that is an array of one value back as that value', async () => {
    expect(await headersOf({ hop: ['1'] })).toEqual({ hop: Buffer.from('1') })
  })

  it('has no header where it is an empty array', async () => {
    expect(await headersOf({ none: [], some: 'x' })).toEqual({ some: Buffer.from('x') })
  })

  it('keeps an empty header', async () => {
    expect(await headersOf({ empty: '' })).toEqual({ empty: Buffer.alloc(0) })
  })

  it('keeps names and texts of headers as UTF-8', async () => {
    expect(await headersOf({ 'grüße 🦊': 'größe' })).toEqual({ 'grüße 🦊': Buffer.from('größe') })
  })

  it('keeps many headers', async () => {
    const headers = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`header-${i}`, Buffer.from(`${i}`)]))
    expect(await headersOf(headers)).toEqual(headers)
  })

  it.each([
    ['in decimal', '1700000000123'],
    ['as a number', 1_700_000_000_123],
  ])('keeps a timestamp that is given %s', async (_, timestamp) => {
    expect((await one({ value: 'v', timestamp })).timestamp).toBe('1700000000123')
  })

  it('has the time of the send where no timestamp is given', async () => {
    const before = Date.now()
    const timestamp = Number((await one({ value: 'v' })).timestamp)
    expect(timestamp).toBeGreaterThanOrEqual(before)
    expect(timestamp).toBeLessThanOrEqual(Date.now())
  })

  it('keeps timestamps that are not in order', async () => {
    const timestamps = ['1700000000300', '1700000000100', '1700000000200']
    const received = await roundTrip(timestamps.map((timestamp) => ({ value: 'v', timestamp })))
    expect(received.map(({ timestamp }) => timestamp)).toEqual(timestamps)
  })

  it('has the attributes 0', async () => {
    expect((await one({ value: 'v' }, { compression: CompressionTypes.GZIP })).attributes).toBe(0)
  })

  it.each([
    ['None', CompressionTypes.None],
    ['GZIP', CompressionTypes.GZIP],
  ])('is the same after compression %s', async (_, compression) => {
    const messages = Array.from({ length: 100 }, (_x, i) => ({
      key: Buffer.from(`key ${i}`),
      value: Buffer.from(`value ${i} `.repeat(20)),
      headers: { number: Buffer.from(`${i}`) },
      timestamp: `${1_700_000_000_000 + i}`,
    }))
    expect(await roundTrip(messages, { compression })).toEqual(
      messages.map((message) => expect.objectContaining(message)),
    )
  })

  it('passes through a codec that the program registers', async () => {
    const { CompressionCodecs } = target.library
    const original = CompressionCodecs[CompressionTypes.Snappy]
    const calls: string[] = []
    CompressionCodecs[CompressionTypes.Snappy] = () => ({
      compress: async ({ buffer }: { buffer: Buffer }) => {
        calls.push('compress')
        return codecs[CompressionTypes.Snappy].compress(buffer)
      },
      decompress: async (bytes: Buffer) => {
        calls.push('decompress')
        return codecs[CompressionTypes.Snappy].decompress(bytes, 1_000_000)
      },
    })
    try {
      const { value } = await one({ value: 'snappy' }, { compression: CompressionTypes.Snappy })
      expect([text(value), ...calls]).toEqual(['snappy', 'compress', 'decompress'])
    } finally {
      CompressionCodecs[CompressionTypes.Snappy] = original
    }
  })
})
