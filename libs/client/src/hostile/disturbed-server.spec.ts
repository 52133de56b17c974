import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { sendCommand, startSingle } from '@rivulet/testing'

import { Received } from '../../spec-support/consumers.js'
import { call, fault, outcomeOf, timed } from '../../spec-support/hostile.js'
import { Kafka } from '../index.js'

let server: Awaited<ReturnType<typeof startSingle>>
let kafka: Kafka
beforeEach(async () => {
  server = await startSingle({ appendonly: true, config: ['--appendfsync', 'always', '--enable-debug-command', 'yes'] })
  kafka = kafkaWith(3)
})
afterEach(() => server.stop())

const kafkaWith = (retries: number): Kafka =>
  new Kafka({
    brokers: [server.url],
    logLevel: 0,
    connectionTimeout: 500,
    requestTimeout: 1000,
    retry: { retries, initialRetryTime: 20, maxRetryTime: 100 },
  })

const record = { topic: 'topic', messages: [{ value: 'x' }] }

async function connected() {
  const [producer, admin] = [kafka.producer({ deliveryTimeoutMs: 2000, maxBlockMs: 2000 }), kafka.admin()]
  const consumer = kafka.consumer({ autoOffsetReset: 'earliest', maxWaitTimeInMs: 200 })
  await Promise.all([producer.connect(), admin.connect(), consumer.connect()])
  await admin.createTopics({ topics: [{ topic: 'topic', numPartitions: 1 }] })
  const received = new Received()
  consumer.assign([{ topic: 'topic', partition: 0 }])
  await consumer.run({ eachMessage: received.take })
  const disconnect = () => timed(() => Promise.all([producer, admin, consumer].map((client) => client.disconnect())))
  return { producer, admin, consumer, received, disconnect }
}

const strikes = {
  killed: () => server.kill(),
  stopped: () => server.kill('SIGSTOP'),
  restarted: () => server.restart(),
} as const

describe.each(['killed', 'stopped', 'restarted'] as const)('while the server is %s', (strike) => {
  it('each call ends by its deadline with success or an error of this client, and disconnect within a second', async () => {
    kafka = kafkaWith(1)
    const { producer, admin, disconnect } = await connected()
    // Twice requestTimeout at most, and something for a machine that is busy.
    const within = 3500
    const calls: [string, Promise<unknown>][] = []
    const start = (): void => {
      const begin = (name: string, work: () => unknown): void => void calls.push([name, outcomeOf(work, within)])
      begin('send', () => producer.send(record))
      begin('send to a new topic', () => producer.send({ ...record, topic: 'new' }))
      begin('connect', async () => {
        const other = kafka.producer()
        await other.connect()
        await other.disconnect()
      })
      begin('connect elsewhere', async () => {
        const other = new Kafka({
          brokers: [server.url],
          logLevel: 0,
          connectionTimeout: 300,
          retry: { retries: 1 },
        }).admin()
        try {
          await other.connect()
        } finally {
          await other.disconnect()
        }
      })
      for (const [method, ...args] of [
        ['listTopics'],
        ['createTopics', { topics: [{ topic: 'made', numPartitions: 3 }] }],
        ['fetchTopicMetadata'],
        ['fetchTopicOffsets', 'topic'],
        ['fetchTopicOffsetsByTimestamp', 'topic', 1],
        ['deleteTopicRecords', { topic: 'topic', partitions: [{ partition: 0, offset: '0' }] }],
        ['describeCluster'],
        ['describeConfigs', { resources: [{ type: 2, name: 'topic' }] }],
        ['createPartitions', { topicPartitions: [{ topic: 'topic', count: 2 }] }],
      ] as const) {
        begin(method, () => call(admin, method, ...args))
      }
    }
    start()
    const struck = strikes[strike]()
    start()
    await struck
    start()
    for (const [name, outcome] of calls) expect([name, fault(await outcome)]).toEqual([name, null])
    expect(await disconnect()).toBeLessThan(1000)
  }, 15_000)
})

it('a server that is stopped and goes on has lost and doubled nothing', async () => {
  const { producer, received, disconnect } = await connected()
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < 50; i++) {
    sends.push(producer.send({ topic: 'topic', messages: [{ value: String(i) }] }))
    if (i === 25) await server.kill('SIGSTOP')
  }
  await sleep(300)
  await server.kill('SIGCONT')
  await Promise.all(sends)
  await received.count(50)
  expect(received.values).toEqual(Array.from({ length: 50 }, (_, i) => String(i)))
  expect(await disconnect()).toBeLessThan(1000)
})

it('CLIENT KILL of all kinds, in a loop, CLIENT PAUSE and DEBUG SLEEP lose and double nothing', async () => {
  const { producer, received, disconnect } = await connected()
  const stop = new AbortController()
  const disturb = async (): Promise<void> => {
    for (let i = 0; !stop.signal.aborted; i++) {
      const type = ['normal', 'pubsub', 'normal', 'replica'][i % 4] ?? ''
      await sendCommand(server, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
      if (i % 3 === 1) await sendCommand(server, 'CLIENT', 'PAUSE', 30, i % 2 === 0 ? 'ALL' : 'WRITE')
      if (i % 5 === 2) await sendCommand(server, 'DEBUG', 'SLEEP', '0.05')
      await sleep(60)
    }
  }
  const disturbing = disturb()
  const stored: string[] = []
  for (let round = 0; round < 20; round++) {
    const send = async (value: string): Promise<void> => {
      const outcome = await outcomeOf(() => producer.send({ topic: 'topic', messages: [{ value }] }))
      expect(fault(outcome)).toBeNull()
      if (outcome === 'succeeded') stored.push(value)
    }
    await Promise.all(Array.from({ length: 20 }, (_, i) => send(`${round}-${i}`)))
  }
  stop.abort()
  await disturbing
  await producer.send({ topic: 'topic', messages: [{ value: 'last' }] })
  await received.count(stored.length + 1)
  expect(new Set(received.values).size).toBe(received.values.length)
  expect(received.values).toEqual(expect.arrayContaining([...stored, 'last']))
  expect(received.offsets).toEqual(received.offsets.map((_, i) => String(i)))
  expect(await disconnect()).toBeLessThan(1000)
})

it('FLUSHALL ends each call with success or an error of this client, and what is made anew works', async () => {
  const { producer, admin, disconnect } = await connected()
  await producer.send(record)
  for (let round = 0; round < 3; round++) {
    const sends = Array.from({ length: 20 }, () => outcomeOf(() => producer.send(record)))
    await sendCommand(server, 'FLUSHALL')
    const further = Array.from({ length: 20 }, () => outcomeOf(() => producer.send(record)))
    const calls = ['listTopics', 'describeCluster', 'fetchTopicMetadata'].map((name) =>
      outcomeOf(() => call(admin, name)),
    )
    const outcomes = await Promise.all([...sends, ...further, ...calls])
    expect(outcomes.map(fault).filter((found) => found !== null)).toEqual([])
  }
  expect(await disconnect()).toBeLessThan(1000)
  const again = kafka.producer()
  await again.connect()
  expect(await again.send(record)).toMatchObject([{ errorCode: 0 }])
  await again.disconnect()
})
