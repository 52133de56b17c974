import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePort } from '@rivulet/redis-server'
import { sendCommand, startReplicated, startSingle, testRedisUrl, uniqueNamespace } from '@rivulet/testing'

import { bulk, FakeServer, outcomeOf, timed } from '../../spec-support/hostile.js'
import { Kafka, logLevel } from '../index.js'
import type { KafkaConfig, LogEntry } from '../types.js'

let server: Awaited<ReturnType<typeof startSingle>>
let open: Awaited<ReturnType<typeof startSingle>>
beforeAll(async () => {
  ;[server, open] = await Promise.all([startSingle({ config: ['--requirepass', 'right'] }), startSingle()])
})
afterAll(async () => {
  await Promise.all([server.stop(), open.stop()])
})

const at = (port: number): string => `127.0.0.1:${port}`

function kafkaFor(config: KafkaConfig): Kafka {
  return new Kafka({
    logLevel: logLevel.NOTHING,
    connectionTimeout: 400,
    requestTimeout: 1000,
    retry: { retries: 1, initialRetryTime: 10 },
    ...config,
  })
}

/** What connect() of each kind of client says: it must be the same. */
async function refusalOf(config: KafkaConfig): Promise<unknown> {
  const kafka = kafkaFor(config)
  const clients = [kafka.producer(), kafka.consumer(), kafka.admin()]
  const outcomes = await Promise.all(clients.map((client) => outcomeOf(() => client.connect())))
  expect(await timed(() => Promise.all(clients.map((client) => client.disconnect())))).toBeLessThan(1000)
  const [first] = outcomes
  expect(outcomes.map(String)).toEqual(outcomes.map(() => String(first)))
  return first
}

const exceeded = (message: RegExp): object => ({
  name: 'KafkaJSNumberOfRetriesExceeded',
  message: expect.stringMatching(message),
})

describe('connect fails, naming the reason and the address,', () => {
  it('for a wrong password, a missing one, and an unknown user', async () => {
    const brokers = [at(server.port)]
    const plain = { mechanism: 'plain' } as const
    const refused = (message: string): object => ({
      name: 'KafkaJSSASLAuthenticationError',
      retriable: false,
      message: expect.stringContaining(message),
    })
    expect(await refusalOf({ brokers, sasl: { ...plain, username: 'default', password: 'wrong' } })).toMatchObject(
      refused('WRONGPASS'),
    )
    expect(await refusalOf({ brokers: [`redis://:wrong@${at(server.port)}`] })).toMatchObject(refused('WRONGPASS'))
    expect(await refusalOf({ brokers: [`redis://nobody:right@${at(server.port)}`] })).toMatchObject(
      refused('WRONGPASS'),
    )
    expect(await refusalOf({ brokers })).toMatchObject(refused('NOAUTH'))
    expect(await refusalOf({ brokers })).toMatchObject(refused(at(server.port)))
  })

  it('for an unknown user where the default user has no password', async () => {
    expect(await refusalOf({ brokers: [`redis://nobody:right@${at(open.port)}`] })).toMatchObject({
      name: 'KafkaJSSASLAuthenticationError',
      message: expect.stringContaining('WRONGPASS'),
    })
  })

  it('for a port that nobody answers', async () => {
    const port = await freePort()
    expect(await refusalOf({ brokers: [at(port)] })).toMatchObject(exceeded(new RegExp(`${port}.*ECONNREFUSED`)))
  })

  it('for a port that accepts and never answers', async () => {
    const fake = await FakeServer.start(() => null)
    expect(await refusalOf({ brokers: [fake.address] })).toMatchObject(
      exceeded(new RegExp(`${fake.port}.*does not answer`)),
    )
    await fake.stop()
  })

  it('for an HTTP server', async () => {
    const fake = await FakeServer.start(() => 'HTTP/1.1 400 Bad Request\r\n\r\n')
    expect(await refusalOf({ brokers: [fake.address] })).toMatchObject({
      name: expect.stringMatching(/^KafkaJS/),
      message: expect.stringMatching(
        new RegExp(`does not speak the Redis protocol.*${fake.port}|${fake.port}.*not.*Redis`),
      ),
    })
    await fake.stop()
  })

  it('for a server that is too old', async () => {
    const fake = await FakeServer.start((said) => {
      const info = bulk('# Server\r\nredis_version:6.2.14\r\nrole:master\r\n')
      const commands = said.split(/\*\d+\r\n/).slice(1)
      return commands.map((command) => (/\r\ninfo\r\n/i.test(command) ? info : '+OK\r\n')).join('')
    })
    expect(await refusalOf({ brokers: [fake.address] })).toMatchObject({
      retriable: false,
      message: expect.stringMatching(/6\.2\.14.*7\.0|7\.0.*6\.2\.14/),
    })
    await fake.stop()
  })

  it('for a replica, telling whose it is', async () => {
    const replicated = await startReplicated({ replicas: 1 })
    const port = replicated.replicas[0]?.server.port ?? 0
    expect(await refusalOf({ brokers: [at(port)] })).toMatchObject(exceeded(new RegExp(`${port} is a replica of`)))
    await replicated.stop()
  })

  it('for a namespace of a newer format', async () => {
    await sendCommand(open, 'HSET', 'newer:{meta}:cluster', 'format', '99', 'id', 'x')
    expect(await refusalOf({ brokers: [at(open.port)], namespace: 'newer' })).toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'UNSUPPORTED_VERSION',
      retriable: false,
      message: expect.stringMatching(/newer.*99/),
    })
  })
})

it('an eviction policy that may take records away is warned of, by name', async () => {
  const evicting = await startSingle({ config: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] })
  const entries: LogEntry[] = []
  const admin = kafkaFor({
    brokers: [at(evicting.port)],
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => void entries.push(entry),
  }).admin()
  await admin.connect()
  expect(entries.map(({ log }) => log.message)).toContainEqual(expect.stringContaining('allkeys-lru'))
  await admin.disconnect()
  await evicting.stop()
})

describe('topics and records that are refused', () => {
  const namespace = uniqueNamespace('refused')
  const kafka = new Kafka({ brokers: [testRedisUrl()], namespace, logLevel: logLevel.NOTHING, retry: { retries: 0 } })
  const admin = kafka.admin()
  const producer = kafka.producer({ maxRequestSize: 10_000 })
  beforeAll(async () => {
    await Promise.all([admin.connect(), producer.connect()])
    await admin.createTopics({
      topics: [
        { topic: 'small', numPartitions: 1, configEntries: [{ name: 'max.message.bytes', value: '2000' }] },
        { topic: 'large', numPartitions: 2 },
      ],
    })
  })
  afterAll(async () => {
    await admin.deleteTopics({ topics: await admin.listTopics() })
    await Promise.all([admin.disconnect(), producer.disconnect()])
  })

  it('a record too large for maxRequestSize fails alone, naming sizes and limit', async () => {
    const [tooLarge, neighbour] = await Promise.all([
      outcomeOf(() => producer.send({ topic: 'large', messages: [{ value: 'x'.repeat(20_000), partition: 0 }] })),
      outcomeOf(() => producer.send({ topic: 'large', messages: [{ value: 'fits', partition: 0 }] })),
    ])
    expect(tooLarge).toMatchObject({
      type: 'MESSAGE_TOO_LARGE',
      message: expect.stringMatching(/20\d{3}.*10000.*maxRequestSize/),
    })
    expect(neighbour).toBe('succeeded')
  })

  it("a record too large for the topic's max.message.bytes fails alone, in a sendBatch too", async () => {
    const outcome = await outcomeOf(() =>
      producer.sendBatch({
        topicMessages: [
          { topic: 'small', messages: [{ value: 'x'.repeat(5000) }] },
          { topic: 'large', messages: [{ value: 'fits', partition: 1 }] },
        ],
      }),
    )
    expect(outcome).toMatchObject({
      name: 'KafkaJSSendError',
      failures: [
        {
          topic: 'small',
          error: { type: 'MESSAGE_TOO_LARGE', message: expect.stringMatching(/50\d\d.*2000.*max\.message\.bytes/) },
        },
      ],
      results: [{ topicName: 'large', partition: 1 }],
    })
    expect(await admin.fetchTopicOffsets('small')).toMatchObject([{ high: '0' }])
  })

  it('an unknown topic is not made where the producer or the namespace forbids it', async () => {
    const strict = kafka.producer({ allowAutoTopicCreation: false })
    await strict.connect()
    const unknown = (message: RegExp): object => ({
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringMatching(message),
    })
    const send = (client: typeof producer) => () => client.send({ topic: 'nowhere', messages: [{ value: 'x' }] })
    expect(await outcomeOf(send(strict))).toMatchObject({ cause: unknown(/nowhere.*allowAutoTopicCreation/) })
    await strict.disconnect()
    const resource = (value: string) => ({
      validateOnly: false,
      resources: [{ type: 4 as const, name: '0', configEntries: [{ name: 'auto.create.topics.enable', value }] }],
    })
    await admin.alterConfigs(resource('false'))
    const other = new Kafka({ brokers: [testRedisUrl()], namespace, logLevel: 0, retry: { retries: 0 } }).producer()
    await other.connect()
    expect(await outcomeOf(send(other))).toMatchObject({ cause: unknown(/nowhere.*auto\.create\.topics\.enable/) })
    await other.disconnect()
    await admin.alterConfigs(resource('true'))
    expect(await admin.listTopics()).not.toContain('nowhere')
  })

  it.each(['..', 'a b', 'a/b', 'ä', 'x'.repeat(250), '{meta}', 'a:b'])(
    'the topic name %j is invalid everywhere',
    async (topic) => {
      const invalid = expect.objectContaining({ type: 'INVALID_TOPIC_EXCEPTION' })
      const send = () => producer.send({ topic, messages: [{ value: 'x' }] })
      expect(await outcomeOf(send)).toMatchObject({ name: 'KafkaJSNonRetriableError', cause: invalid })
      expect(await outcomeOf(() => admin.createTopics({ topics: [{ topic }] }))).toMatchObject({ errors: [invalid] })
    },
  )

  it('a partition that does not exist is named', async () => {
    const send = (partition: number) => () => producer.send({ topic: 'large', messages: [{ value: 'x', partition }] })
    for (const partition of [2, -1, 0.5, 2 ** 40, NaN, Infinity]) {
      expect(await outcomeOf(send(partition))).toMatchObject({
        type: 'UNKNOWN_TOPIC_OR_PARTITION',
        message: expect.stringContaining(`no partition ${partition}: it has 2`),
      })
    }
  })
})
