import { inspect } from 'node:util'

import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startSingle } from '@rivulet/testing'
import { Redis } from 'ioredis'

import { outcomeOf } from '../../spec-support/hostile.js'
import { Kafka, logLevel } from '../index.js'

const SECRET = 'sup3rs3cret'

let server: Awaited<ReturnType<typeof startSingle>>
const shown: string[] = []
const look = (value: unknown): void => {
  shown.push(inspect(value, { depth: 12, showHidden: true }), String(value))
  try {
    shown.push(JSON.stringify(value))
  } catch {
    // It has a cycle: inspect showed it.
  }
}
const leaks = (): string[] => shown.filter((text) => text?.includes(SECRET)).map((text) => text.slice(0, 2000))

beforeAll(async () => {
  server = await startSingle({ config: ['--requirepass', 'right'] })
})
afterAll(() => server.stop())

const common = {
  logLevel: logLevel.DEBUG,
  logCreator: () => look,
  connectionTimeout: 300,
  requestTimeout: 500,
  retry: { retries: 1, initialRetryTime: 1 },
}

/** Makes a client of whatever is given, as a program in JavaScript can. */
function create(config: unknown): Kafka {
  const kafka: unknown = Reflect.construct(Kafka, [config])
  if (kafka instanceof Kafka) return kafka
  throw new Error('the constructor made something else')
}

async function useAll(kafka: Kafka): Promise<void> {
  const [producer, consumer, admin] = [kafka.producer({ deliveryTimeoutMs: 500 }), kafka.consumer(), kafka.admin()]
  for (const event of Object.values(producer.events)) producer.on(event, look)
  for (const event of Object.values(consumer.events)) consumer.on(event, look)
  for (const event of Object.values(admin.events)) admin.on(event, look)
  for (const client of [producer, consumer, admin]) {
    look(client)
    look(await outcomeOf(() => client.connect()))
    look(client)
  }
  look(await outcomeOf(() => producer.send({ topic: 't', messages: [{ value: 'x' }] })))
  look(await outcomeOf(() => admin.createTopics({ topics: [{ topic: 'u' }] })))
  await Promise.all([producer.disconnect(), consumer.disconnect(), admin.disconnect()])
}

it('no password of a working or refused configuration is ever shown, in errors, logs, events or by inspection', async () => {
  const at = `127.0.0.1:${server.port}`
  const redis = new Redis({ port: server.port, password: SECRET, lazyConnect: true })
  const configs = [
    { brokers: [`redis://:${SECRET}@${at}`] },
    { brokers: [`redis://user:${SECRET}@${at}/0`] },
    { brokers: () => [`redis://:${SECRET}@${at}`] },
    { brokers: [at], sasl: { mechanism: 'plain', username: 'user', password: SECRET } },
    { redis: { host: '127.0.0.1', port: server.port, password: SECRET } },
    { redis },
    { redis: { cluster: { nodes: [at], options: { redisOptions: { password: SECRET } } } } },
    { brokers: [`redis://:${SECRET}@127.0.0.1:1`] },
    { brokers: [`rediss://:${SECRET}@${at}`] },
  ]
  for (const config of configs) {
    const kafka = create({ ...common, ...config })
    look(kafka)
    await useAll(kafka)
  }
  expect(leaks()).toEqual([])
})

it('no password in a malformed option is shown', async () => {
  const at = `127.0.0.1:${server.port}`
  const configs: unknown[] = [
    `redis://:${SECRET}@${at}`,
    { brokers: `redis://:${SECRET}@${at}` },
    { brokers: [[`redis://:${SECRET}@${at}`]] },
    { brokers: { url: `redis://:${SECRET}@${at}` } },
    { redis: `redis://:${SECRET}@${at}` },
    { redis: [`redis://:${SECRET}@${at}`] },
    { brokers: [at], sasl: SECRET },
    { brokers: [at], sasl: [SECRET] },
    { brokers: [at], sasl: { mechanism: 'plain', username: 'u', password: [SECRET] } },
    { brokers: [at], sasl: { mechanism: 'plain', username: [SECRET], password: SECRET } },
    { brokers: [at], ssl: `redis://:${SECRET}@${at}` },
    ...[
      `redis://:${SECRET}@${at}:99999`,
      `http://u:${SECRET}@${at}`,
      `u:${SECRET}@${at}`,
      `redis:/:${SECRET}@${at}`,
      `redis://:${SECRET}`,
      `redis://u:${SECRET}`,
      `redis://:${SECRET}%@${at}`,
      `redis://:a\n${SECRET}@x:y`,
      `redis://x:y?password=${SECRET}`,
    ].flatMap((address) => [{ brokers: [address] }, { brokers: () => [address] }, { brokers: () => address }]),
  ]
  for (const config of configs) {
    const given = typeof config === 'object' ? { ...common, ...config } : config
    const outcome = await outcomeOf(async () => useAll(create(given)))
    look(outcome)
  }
  expect(leaks()).toEqual([])
})

it('no password is shown when the server does not accept it any more', async () => {
  await sendSecret('right', 'CONFIG', 'SET', 'requirepass', SECRET)
  const kafka = new Kafka({ ...common, brokers: [`redis://:${SECRET}@127.0.0.1:${server.port}`] })
  const [producer, admin] = [kafka.producer({ deliveryTimeoutMs: 800 }), kafka.admin()]
  await Promise.all([producer.connect(), admin.connect()])
  await producer.send({ topic: 't', messages: [{ value: 'x' }] })
  await sendSecret(SECRET, 'CONFIG', 'SET', 'requirepass', 'other')
  await sendSecret('other', 'CLIENT', 'KILL', 'SKIPME', 'yes')
  const failure = await outcomeOf(() => producer.send({ topic: 't', messages: [{ value: 'x' }] }))
  look(failure)
  look(await outcomeOf(() => admin.listTopics()))
  look([kafka, producer, admin])
  await Promise.all([producer.disconnect(), admin.disconnect()])
  expect(failure).toMatchObject({ name: expect.stringMatching(/^KafkaJS/) })
  expect(leaks()).toEqual([])
})

async function sendSecret(password: string, command: string, ...args: string[]): Promise<void> {
  const redis = new Redis({ port: server.port, password })
  await redis.call(command, ...args)
  redis.disconnect()
}
