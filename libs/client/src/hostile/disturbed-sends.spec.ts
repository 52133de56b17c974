import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testRedisUrl, uniqueNamespace } from '@rivulet/testing'

import { call, fault, outcomeOf } from '../../spec-support/hostile.js'
import { readTopic } from '../../spec-support/read-log.js'
import { Kafka } from '../index.js'
import type { ProducerConfig, RecordMetadata } from '../types.js'

const [url, namespace] = [testRedisUrl(), uniqueNamespace('sends')]
const kafka = new Kafka({ brokers: [url], namespace, logLevel: 0, retry: { retries: 2, initialRetryTime: 5 } })
const admin = kafka.admin()
beforeAll(() => admin.connect())
afterAll(async () => {
  await admin.deleteTopics({ topics: await admin.listTopics() })
  await admin.disconnect()
})

async function withProducer<T>(
  config: ProducerConfig,
  work: (producer: ReturnType<typeof kafka.producer>) => Promise<T>,
): Promise<T> {
  const producer = kafka.producer(config)
  await producer.connect()
  try {
    return await work(producer)
  } finally {
    await producer.disconnect()
  }
}

let topics = 0
async function newTopic(numPartitions = 1): Promise<string> {
  const topic = `topic-${topics++}`
  await admin.createTopics({ topics: [{ topic, numPartitions }] })
  return topic
}

const valuesOf = async (topic: string): Promise<string[]> =>
  (await readTopic(url, namespace, topic)).flatMap((log) => log.map(({ value }) => value))

describe('what is sent is what send() was given', () => {
  it('though buffers, arrays and messages are used again at once: topic unknown, known, or no memory left', async () => {
    const topic = `made-${uniqueNamespace('x')}`
    await withProducer({ bufferMemory: 300 }, async (producer) => {
      const sends: Promise<RecordMetadata[]>[] = []
      const buffer = Buffer.alloc(6)
      for (let i = 0; i < 50; i++) {
        buffer.write(`v-${String(i).padStart(4, '0')}`)
        const message = { key: buffer, value: buffer, headers: { h: buffer, l: [buffer] } }
        const messages = [message]
        sends.push(producer.send({ topic, messages }))
        message.headers.l.length = 0
        message.value = Buffer.from('changed')
        messages.length = 0
        buffer.fill(0)
        if (i === 25) await sends[0]
      }
      await Promise.all(sends)
    })
    const [log = []] = await readTopic(url, namespace, topic)
    expect(log.map(({ value }) => value)).toEqual(
      Array.from({ length: 50 }, (_, i) => `v-${String(i).padStart(4, '0')}`),
    )
  })
})

describe('unusual amounts', () => {
  it('no messages and no topics are a success without metadata', async () => {
    const topic = await newTopic()
    await withProducer({}, async (producer) => {
      expect(await producer.send({ topic, messages: [] })).toEqual([])
      expect(await producer.sendBatch({ topicMessages: [] })).toEqual([])
      expect(await producer.sendBatch({})).toEqual([])
      expect(await producer.sendBatch({ topicMessages: [{ topic, messages: [] }] })).toEqual([])
    })
    expect(await valuesOf(topic)).toEqual([])
  })

  it('a topic named twice in a sendBatch gets all, in order', async () => {
    const [a, b] = [await newTopic(), await newTopic()]
    const part = (topic: string, value: string) => ({ topic, messages: [{ value }] })
    const results = await withProducer({}, (producer) =>
      producer.sendBatch({ topicMessages: [part(a, '1'), part(b, '2'), part(a, '3')] }),
    )
    expect(results).toMatchObject([
      { topicName: a, baseOffset: '0' },
      { topicName: b, baseOffset: '0' },
    ])
    expect(await valuesOf(a)).toEqual(['1', '3'])
  })

  it.each<[string, ProducerConfig]>([
    ['a batchSize of one byte', { batchSize: 1 }],
    ['a bufferMemory of one byte', { bufferMemory: 1 }],
    ['one request in flight', { maxInFlightRequests: 1 }],
    ['all of these', { batchSize: 1, bufferMemory: 1, maxInFlightRequests: 1, lingerMs: 1 }],
  ])('thousands of sends that nobody awaits keep their order with %s', async (_, config) => {
    const topic = await newTopic()
    const count = 2000
    await withProducer(config, async (producer) => {
      const sends = Array.from({ length: count }, (_unused, i) =>
        producer.send({ topic, messages: [{ value: String(i) }] }),
      )
      const offsets = (await Promise.all(sends)).map(([metadata]) => Number(metadata?.baseOffset))
      expect(offsets).toEqual(Array.from({ length: count }, (_unused, i) => i))
    })
    expect(await valuesOf(topic)).toEqual(Array.from({ length: count }, (_unused, i) => String(i)))
  })

  it('a linger of half a minute does not keep records from being stored at disconnect', async () => {
    const topic = await newTopic()
    const producer = kafka.producer({ lingerMs: 30_000 })
    await producer.connect()
    const sends = Array.from({ length: 100 }, (_, i) => producer.send({ topic, messages: [{ value: String(i) }] }))
    await producer.disconnect()
    await Promise.all(sends)
    expect(await valuesOf(topic)).toHaveLength(100)
  })

  it('three hundred topics at once, none of them known', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `many-${i}`)
    await withProducer({}, async (producer) => {
      const sends = names.map((topic) => producer.send({ topic, messages: [{ value: topic }] }))
      const results = (await Promise.all(sends)).flat()
      expect(results.map(({ topicName, baseOffset }) => [topicName, baseOffset])).toEqual(
        names.map((name) => [name, '0']),
      )
    })
  })
})

const throwing = (thrown: unknown) => (): never => {
  throw thrown
}

describe('a partitioner of the application', () => {
  const answers: readonly (readonly [string, () => unknown])[] = [
    ['throws', throwing(new Error('no idea'))],
    ['throws undefined', throwing(undefined)],
    ['throws an object without a text', throwing(Object.create(null))],
    ['gives NaN', () => NaN],
    ['gives nothing', () => undefined],
    ['gives a number out of range', () => 7],
    ['gives a negative one', () => -1],
    ['gives a fraction', () => 0.5],
    ['gives a text', () => '0'],
    ['gives a bigint', () => 0n],
    ['gives a symbol', () => Symbol('0')],
    ['gives a promise', () => Promise.resolve(0)],
    ['gives a promise that is rejected', () => Promise.reject(new Error('later'))],
  ]

  it.each(answers)('that %s fails its own send alone', async (_, answer) => {
    const topic = await newTopic(2)
    let bad = true
    const createPartitioner = () => () => (bad ? answer() : 1)
    const producer: unknown = Reflect.apply(kafka.producer, kafka, [{ createPartitioner }])
    if (typeof producer !== 'object' || producer === null) throw new Error('there is no producer')
    await call(producer, 'connect')
    const send = (value: string) => outcomeOf(() => call(producer, 'send', { topic, messages: [{ value }, { value }] }))
    const refused = await send('refused')
    bad = false
    expect([fault(refused), refused === 'succeeded']).toEqual([null, false])
    expect(await send('stored')).toBe('succeeded')
    await call(producer, 'disconnect')
    expect(await valuesOf(topic)).toEqual(['stored', 'stored'])
  })
})

it('a topic that is deleted and made again under load: each send is stored once in one of the two, or fails', async () => {
  const topic = await newTopic(2)
  await withProducer({}, async (producer) => {
    const outcomes: Promise<unknown>[] = []
    const stop = new AbortController()
    const load = async (): Promise<void> => {
      for (let i = 0; !stop.signal.aborted; i++) {
        outcomes.push(outcomeOf(() => producer.send({ topic, messages: [{ value: `${i}` }] }), 8000))
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    const loading = load()
    for (let round = 0; round < 5; round++) {
      await admin.deleteTopics({ topics: [topic] })
      await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })
      await Promise.all(outcomes.slice(-20))
    }
    stop.abort()
    await loading
    const settled = await Promise.all(outcomes)
    expect(settled.map(fault).filter((found) => found !== null)).toEqual([])
    expect(await outcomeOf(() => producer.send({ topic, messages: [{ value: 'last' }] }))).toBe('succeeded')
  })
  const stored = await valuesOf(topic)
  expect(new Set(stored).size).toBe(stored.length)
  expect(stored).toContain('last')
})
