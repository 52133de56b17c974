import { afterAll, describe, expect, it } from '@jest/globals'
import { testRedisUrl, uniqueNamespace } from '@rivulet/testing'

import { call, fault, outcomeOf, timed } from '../../spec-support/hostile.js'
import { Kafka } from '../index.js'

const namespace = uniqueNamespace('life')
const kafka = new Kafka({
  brokers: [testRedisUrl()],
  namespace,
  logLevel: 0,
  retry: { retries: 1, initialRetryTime: 5 },
})

afterAll(async () => {
  const admin = kafka.admin()
  await admin.connect()
  await admin.deleteTopics({ topics: await admin.listTopics() })
  await admin.disconnect()
})

const record = { topic: 'topic', messages: [{ value: 'x' }] }
const make = { producer: () => kafka.producer(), consumer: () => kafka.consumer(), admin: () => kafka.admin() }
const kinds = ['producer', 'consumer', 'admin'] as const

/** Arguments with which each method could succeed. */
const CALLS: Readonly<Record<(typeof kinds)[number], readonly (readonly [method: string, ...args: unknown[]])[]>> = {
  producer: [
    ['send', record],
    ['sendBatch', { topicMessages: [record] }],
    ['transaction'],
    ['isIdempotent'],
    ['logger'],
  ],
  consumer: [
    ['assign', []],
    ['stop'],
    ['paused'],
    ['seek', { topic: 'topic', partition: 0, offset: '0' }],
    ['pause', [{ topic: 'topic' }]],
    ['resume', [{ topic: 'topic' }]],
    ['subscribe', { topics: ['topic'] }],
    ['commitOffsets', []],
    ['describeGroup'],
    ['logger'],
  ],
  admin: [
    ['listTopics'],
    ['createTopics', { topics: [{ topic: 'topic' }] }],
    ['deleteTopics', { topics: ['topic'] }],
    ['createPartitions', { topicPartitions: [{ topic: 'topic', count: 2 }] }],
    ['fetchTopicMetadata'],
    ['fetchTopicOffsets', 'topic'],
    ['fetchTopicOffsetsByTimestamp', 'topic', 0],
    ['deleteTopicRecords', { topic: 'topic', partitions: [{ partition: 0, offset: '0' }] }],
    ['describeCluster'],
    ['describeConfigs', { resources: [{ type: 2, name: 'topic' }] }],
    ['alterConfigs', { resources: [{ type: 2, name: 'topic', configEntries: [] }] }],
    ['listGroups'],
    ['fetchOffsets', { groupId: 'g' }],
    ['createAcls', { acl: [] }],
  ],
}
const NEEDS_CONNECTION = ['send', 'sendBatch', 'listTopics', 'createTopics', 'fetchTopicMetadata', 'describeCluster']

describe.each(kinds)('a %s', (kind) => {
  it('answers each method, before it was ever connected and after disconnect, as it does then', async () => {
    const client = make[kind]()
    const disconnected = async (): Promise<string[]> => {
      const outcomes: string[] = []
      for (const [method, ...args] of CALLS[kind]) {
        const outcome = await outcomeOf(() => call(client, method, ...args))
        const saysWhy = !NEEDS_CONNECTION.includes(method) || /connected/.test(String(outcome))
        expect([method, fault(outcome), saysWhy]).toEqual([method, null, true])
        outcomes.push(String(outcome))
      }
      return outcomes
    }
    const before = await disconnected()
    await client.connect()
    await client.disconnect()
    expect(await disconnected()).toEqual(before)
  })

  it('can be connected and disconnected twice, at the same time, and again', async () => {
    const client = make[kind]()
    await client.disconnect()
    await Promise.all([client.connect(), client.connect()])
    await client.connect()
    await Promise.all([client.disconnect(), client.disconnect()])
    await client.disconnect()
    expect(await outcomeOf(() => client.connect())).toBe('succeeded')
    expect(await outcomeOf(() => client.disconnect())).toBe('succeeded')
  })

  it('is disconnected when disconnect was called last, whatever was under way', async () => {
    const client = make[kind]()
    for (let round = 0; round < 5; round++) {
      const [first, second] = [outcomeOf(() => client.connect()), client.disconnect()]
      const [third, fourth] = [outcomeOf(() => client.connect()), client.disconnect()]
      expect([fault(await first), fault(await third)]).toEqual([null, null])
      expect(await timed(() => Promise.all([second, fourth]))).toBeLessThan(1000)
      // Nothing that was begun connects later on.
      if (kind === 'consumer') continue
      const [method, ...args] = kind === 'producer' ? ['send', record] : ['listTopics']
      expect(String(await outcomeOf(() => call(client, method ?? '', ...args)))).toMatch(/connected/)
    }
  })

  it('keeps to itself: others of its Kafka go on when it goes', async () => {
    const [client, other] = [make[kind](), kafka.admin()]
    await Promise.all([client.connect(), other.connect()])
    await Promise.all([client.disconnect(), client.disconnect()])
    expect(await other.listTopics()).toEqual(expect.any(Array))
    await other.disconnect()
  })
})

it('a producer that is connected while it still disconnects is disconnected by the next disconnect', async () => {
  const producer = kafka.producer()
  await producer.connect()
  const first = producer.disconnect()
  const connecting = outcomeOf(() => producer.connect())
  const last = producer.disconnect()
  await Promise.all([first, last])
  expect(fault(await connecting)).toBeNull()
  expect(await outcomeOf(() => producer.send(record))).toMatchObject({ message: expect.stringMatching(/disconnected/) })
})

it('a producer connected again while it disconnects is connected', async () => {
  const producer = kafka.producer()
  await producer.connect()
  const last = producer.disconnect()
  await producer.connect()
  await last
  expect(await outcomeOf(() => producer.send(record))).toBe('succeeded')
  await producer.disconnect()
})

it('sends before, during and after disconnect end in success or an error, and what succeeded is stored', async () => {
  const [producer, admin] = [kafka.producer(), kafka.admin()]
  await Promise.all([producer.connect(), admin.connect()])
  const topic = 'while-disconnecting'
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  const send = () => outcomeOf(() => producer.send({ topic, messages: [{ value: 'x' }] }))
  const before = Array.from({ length: 200 }, send)
  const disconnected = producer.disconnect()
  const during = Array.from({ length: 200 }, send)
  await disconnected
  const outcomes = await Promise.all([...before, ...during, send()])
  expect(outcomes.map(fault).filter((found) => found !== null)).toEqual([])
  expect(outcomes.slice(0, 200)).toEqual(Array.from({ length: 200 }, () => 'succeeded'))
  const [offsets] = await admin.fetchTopicOffsets(topic)
  expect(Number(offsets?.high)).toBe(outcomes.filter((outcome) => outcome === 'succeeded').length)
  await admin.disconnect()
})
