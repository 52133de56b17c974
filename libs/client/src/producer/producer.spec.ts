import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { TcpProxy, testRedisUrl, uniqueNamespace } from '@rivulet/testing'
import type { Producer as KafkaJSProducer } from 'kafkajs'

import { startProgram } from '../../spec-support/child-program.js'
import { Kafka } from '../kafka.js'
import { CompressionTypes, type LogEntry, type ProducerConfig, type RequestPayload } from '../types.js'
import type { Producer } from './producer.js'

const namespace = uniqueNamespace('producer')
let proxy: TcpProxy
const producers: Producer[] = []
const logged: LogEntry[] = []

beforeAll(async () => {
  const { hostname, port } = new URL(testRedisUrl())
  proxy = await TcpProxy.start({ host: hostname, port: Number(port) })
})
afterEach(async () => {
  await proxy.heal()
  await Promise.all(producers.splice(0).map((producer) => producer.disconnect()))
})
afterAll(() => proxy.close())

function make(config: ProducerConfig = {}, url = proxy.url): Producer {
  const logCreator = () => (entry: LogEntry) => void logged.push(entry)
  const kafka = new Kafka({ brokers: [url], namespace, clientId: 'spec', logCreator, connectionTimeout: 5000 })
  const producer = kafka.producer(config)
  producers.push(producer)
  return producer
}

async function connected(config: ProducerConfig = {}): Promise<Producer> {
  const producer = make(config)
  await producer.connect()
  return producer
}

let topics = 0
const newTopic = (): string => `topic-${++topics}`

describe('send', () => {
  it('answers as kafkajs does', async () => {
    const producer = await connected()
    const topic = newTopic()
    const first = await producer.send({ topic, messages: [{ value: 'a' }, { key: 'k', value: null }] })
    const second = await producer.send({ topic, messages: [{ value: 'b' }], compression: CompressionTypes.GZIP })
    const metadata = { topicName: topic, partition: 0, errorCode: 0, logAppendTime: '-1', logStartOffset: '0' }
    expect(first).toEqual([{ ...metadata, baseOffset: '0' }])
    expect(second).toEqual([{ ...metadata, baseOffset: '2' }])
    expect(await producer.send({ topic, messages: [{ value: 'c' }], acks: 0 })).toEqual([])
    expect(await producer.send({ topic, messages: [] })).toEqual([])
    expect(await producer.sendBatch({})).toEqual([])
  })

  it('answers topic by topic in the order of the call, a topic named twice as one', async () => {
    const producer = await connected()
    const [a, b] = [newTopic(), newTopic()]
    const results = await producer.sendBatch({
      topicMessages: [
        { topic: b, messages: [{ value: '1' }] },
        { topic: a, messages: [{ value: '2' }] },
        { topic: b, messages: [{ value: '3' }] },
      ],
    })
    expect(results.map(({ topicName, baseOffset }) => [topicName, baseOffset])).toEqual([
      [b, '0'],
      [a, '0'],
    ])
    expect(await producer.send({ topic: b, messages: [{ value: '4' }] })).toMatchObject([{ baseOffset: '2' }])
  })

  it.each<[string, object, object]>([
    ['no topic', { messages: [] }, { message: 'Invalid topic' }],
    [
      'no messages',
      { topic: 't', messages: undefined },
      { message: 'Invalid messages array [undefined] for topic "t"' },
    ],
    [
      'a message without value',
      { topic: 't', messages: [{ key: 'k' }] },
      { message: 'Invalid message without value for topic "t": {"key":"k"}' },
    ],
    ['acks of 2', { topic: 't', messages: [], acks: 2 }, { type: 'INVALID_REQUIRED_ACKS' }],
    ['an unknown compression', { topic: 't', messages: [], compression: 9 }, { type: 'UNSUPPORTED_COMPRESSION_TYPE' }],
  ])('rejects %s', async (_what, record, error) => {
    const producer = await connected()
    await expect(producer.send(Object.assign({ topic: '', messages: [] }, record))).rejects.toMatchObject(error)
  })

  it('rejects acks other than -1 of an idempotent producer', async () => {
    const producer = await connected({ idempotent: true })
    expect(producer.isIdempotent()).toBe(true)
    await expect(producer.send({ topic: 't', messages: [], acks: 1 })).rejects.toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: `Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees`,
    })
    expect(() => make({ idempotent: true, retry: { retries: 0 } })).toThrow(
      'Idempotent producer must allow retries to protect against transient errors',
    )
  })

  it('asks a partitioner of the application', async () => {
    const seen: string[] = []
    const producer = await connected({
      createPartitioner:
        () =>
        ({ topic, partitionMetadata, message }) => {
          seen.push(`${topic} ${partitionMetadata.length} ${String(message.value)}`)
          return 0
        },
    })
    const topic = newTopic()
    await producer.send({ topic, messages: [{ value: 'x' }] })
    expect(seen).toEqual([`${topic} 1 x`])
  })

  it('names the option that is wrong', () => {
    expect(() => make({ bufferMemory: -5 })).toThrow(/bufferMemory.*-5/)
  })
})

describe('connecting', () => {
  it('is needed before sending', async () => {
    const producer = make()
    const send = () => producer.send({ topic: 't', messages: [{ value: 'x' }] })
    await expect(send()).rejects.toMatchObject({ name: 'KafkaJSError', message: 'The producer is disconnected' })
    await producer.connect()
    const disconnecting = producer.disconnect()
    await expect(send()).rejects.toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: `The producer is disconnecting; therefore, it can't safely accept messages anymore`,
    })
    await disconnecting
    await expect(send()).rejects.toMatchObject({ message: 'The producer is disconnected' })
  })

  it('is shared by calls at the same time, and can be done again', async () => {
    const producer = make()
    const events: string[] = []
    producer.on(producer.events.CONNECT, ({ type }) => void events.push(type))
    producer.on(producer.events.DISCONNECT, ({ type }) => void events.push(type))
    const topic = newTopic()
    await Promise.all([producer.connect(), producer.connect()])
    await producer.connect()
    await producer.send({ topic, messages: [{ value: '1' }] })
    await Promise.all([producer.disconnect(), producer.disconnect()])
    await producer.disconnect()
    await producer.connect()
    expect(await producer.send({ topic, messages: [{ value: '2' }] })).toMatchObject([{ baseOffset: '1' }])
    const reconnected = producer.disconnect().then(() => producer.connect())
    await Promise.all([reconnected, producer.connect()])
    expect(events.slice(0, 3)).toEqual(['producer.connect', 'producer.disconnect', 'producer.connect'])
  })

  it('fails where nobody listens, and can be tried again', async () => {
    await proxy.refuse()
    const producer = make()
    const connecting = producer.connect()
    await proxy.heal()
    await connecting.catch(() => producer.connect())
    expect(await producer.send({ topic: newTopic(), messages: [{ value: 'x' }] })).toMatchObject([{ errorCode: 0 }])
  })

  it('is given up by disconnect', async () => {
    proxy.freeze()
    const producer = make()
    const connecting = producer.connect()
    const begun = performance.now()
    await Promise.all([
      expect(connecting).rejects.toMatchObject({
        name: 'KafkaJSConnectionError',
        message: expect.stringContaining('disconnected'),
      }),
      producer.disconnect(),
    ])
    expect(performance.now() - begun).toBeLessThan(1000)
  })
})

describe('disconnecting', () => {
  it('sends what lingers first', async () => {
    const producer = await connected({ lingerMs: 60_000 })
    const topic = newTopic()
    const sent = producer.send({ topic, messages: [{ value: 'x' }] })
    await producer.disconnect()
    expect(await sent).toMatchObject([{ topicName: topic, baseOffset: '0' }])
  })

  it('takes no more than a second while the server does not answer, and fails what is not stored', async () => {
    const producer = await connected()
    const topic = newTopic()
    await producer.send({ topic, messages: [{ value: 'x' }] })
    proxy.freeze()
    const sends = ['in flight', 'behind'].map((value) => producer.send({ topic, messages: [{ value }] }))
    sends.push(producer.send({ topic: newTopic(), messages: [{ value: 'without metadata' }] }))
    const settled = Promise.allSettled(sends)
    const begun = performance.now()
    await producer.disconnect()
    expect(performance.now() - begun).toBeLessThan(1000)
    for (const result of await settled) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: {
          name: 'KafkaJSNonRetriableError',
          message: expect.stringContaining('disconnected'),
          retriable: false,
        },
      })
    }
  })

  it('leaves nothing behind that would keep the process alive', async () => {
    const child = startProgram('short-producer.ts', testRedisUrl(), uniqueNamespace('short'))
    await once(child, 'exit')
    expect(child.exitCode).toBe(0)
    expect(Number(await text(child.stdout))).toBeLessThan(1000)
  })
})

describe('events', () => {
  it('tell of each request', async () => {
    const producer = await connected()
    const requests: RequestPayload[] = []
    const stop = producer.on(producer.events.REQUEST, ({ payload }) => void requests.push(payload))
    await producer.send({ topic: newTopic(), messages: [{ value: 'x' }] })
    expect(requests).toEqual([
      {
        apiKey: 0,
        apiName: 'Produce',
        apiVersion: 7,
        broker: expect.any(String),
        clientId: 'spec',
        correlationId: expect.any(Number),
        createdAt: expect.any(Number),
        sentAt: expect.any(Number),
        duration: expect.any(Number),
        pendingDuration: expect.any(Number),
        size: expect.any(Number),
      },
    ])
    stop()
    await producer.send({ topic: newTopic(), messages: [{ value: 'x' }] })
    expect(requests.length).toBe(1)
    expect(() => void Reflect.apply(producer.on, producer, ['producer.nonsense', () => {}])).toThrow(
      /producer\.events\.CONNECT/,
    )
  })
})

describe('the rest of the surface', () => {
  it('refuses transactions with a typed error', async () => {
    await expect(make().transaction()).rejects.toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: 'Must provide transactional id for transactional producer',
    })
    await expect(make({ transactionalId: 'tx' }).transaction()).rejects.toMatchObject({ name: 'KafkaJSNotImplemented' })
  })

  it('has functions that work without their object, and the type of kafkajs', async () => {
    const { connect, send, disconnect, logger }: Pick<KafkaJSProducer, 'connect' | 'send' | 'disconnect' | 'logger'> =
      make()
    await connect()
    expect(await send({ topic: newTopic(), messages: [{ value: 'x' }] })).toMatchObject([{ errorCode: 0 }])
    await disconnect()
    logger().info('still there')
    expect(logged.at(-1)).toMatchObject({ namespace: 'Producer', log: { message: 'still there' } })
  })
})
