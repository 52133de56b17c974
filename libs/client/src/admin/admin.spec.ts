import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startCluster, testRedisUrl, uniqueNamespace } from '@rivulet/testing'
import { ConfigResourceTypes, ConfigSource, Kafka, KafkaJSNonRetriableError, logLevel } from '../index.js'
import type { KafkaConfig, LogEntry } from '../types.js'

const create = (config: KafkaConfig = {}) =>
  new Kafka({
    brokers: [testRedisUrl()],
    namespace: uniqueNamespace('admin'),
    logLevel: logLevel.NOTHING,
    retry: { retries: 2, initialRetryTime: 20 },
    ...config,
  })

const errorOf = (call: Promise<unknown>): Promise<unknown> => call.then(String, (error: unknown) => error)

describe('an admin without a connection', () => {
  const calls: [string, (admin: ReturnType<Kafka['admin']>) => Promise<unknown>][] = [
    ['listTopics', (admin) => admin.listTopics()],
    ['createTopics', (admin) => admin.createTopics({ topics: [{ topic: 'a' }] })],
    ['deleteTopics', (admin) => admin.deleteTopics({ topics: ['a'] })],
    ['createPartitions', (admin) => admin.createPartitions({ topicPartitions: [{ topic: 'a', count: 2 }] })],
    ['fetchTopicMetadata', (admin) => admin.fetchTopicMetadata()],
    ['fetchTopicOffsets', (admin) => admin.fetchTopicOffsets('a')],
    ['fetchTopicOffsetsByTimestamp', (admin) => admin.fetchTopicOffsetsByTimestamp('a')],
    [
      'deleteTopicRecords',
      (admin) => admin.deleteTopicRecords({ topic: 'a', partitions: [{ partition: 0, offset: '1' }] }),
    ],
    ['describeCluster', (admin) => admin.describeCluster()],
    [
      'describeConfigs',
      (admin) => admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: 'a' }] }),
    ],
    [
      'alterConfigs',
      (admin) => admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: 'a', configEntries: [] }] }),
    ],
    ['fetchOffsets', (admin) => admin.fetchOffsets({ groupId: 'g' })],
    [
      'setOffsets',
      (admin) => admin.setOffsets({ groupId: 'g', topic: 'a', partitions: [{ partition: 0, offset: '1' }] }),
    ],
    ['resetOffsets', (admin) => admin.resetOffsets({ groupId: 'g', topic: 'a', earliest: true })],
    ['deleteOffsets', (admin) => admin.deleteOffsets({ groupId: 'g', topic: 'a' })],
    ['fetchLag', (admin) => admin.fetchLag({ groupId: 'g' })],
    ['listGroups', (admin) => admin.listGroups()],
    ['describeGroups', (admin) => admin.describeGroups(['g'])],
    ['deleteGroups', (admin) => admin.deleteGroups(['g'])],
  ]

  it.each(calls)('says so (%s)', async (method, call) => {
    const admin = create().admin()
    const message = `admin.${method}: the admin is not connected, call connect() first`
    const never = await errorOf(call(admin))
    expect(never).toBeInstanceOf(KafkaJSNonRetriableError)
    expect(never).toHaveProperty('message', message)
    await admin.connect()
    await admin.disconnect()
    expect(await errorOf(call(admin))).toHaveProperty('message', message)
  })

  it('can be disconnected', async () => {
    const admin = create().admin()
    await expect(admin.disconnect()).resolves.toBeUndefined()
    await expect(admin.disconnect()).resolves.toBeUndefined()
  })
})

describe('connecting an admin', () => {
  it('fails after the retries, with the reason as the cause', async () => {
    const entries: LogEntry[] = []
    const kafka = create({
      brokers: ['127.0.0.1:1'],
      logLevel: logLevel.ERROR,
      logCreator: () => (e) => entries.push(e),
    })
    const error = await errorOf(kafka.admin().connect())
    expect(error).toMatchObject({
      name: 'KafkaJSNumberOfRetriesExceeded',
      retryCount: 2,
      cause: { name: 'KafkaJSConnectionError', code: 'ECONNREFUSED' },
    })
    expect(String(error)).toContain('127.0.0.1:1')
    expect(entries.filter(({ log }) => log.message.startsWith('Failed to connect'))).toHaveLength(3)
  })

  it('can be tried again after a failure', async () => {
    let address = '127.0.0.1:1'
    const admin = create({ brokers: () => [address] }).admin()
    await errorOf(admin.connect())
    address = testRedisUrl()
    await admin.connect()
    expect(await admin.listTopics()).toEqual([])
    await admin.disconnect()
  })

  it('is given up within a second by a disconnect', async () => {
    // It accepts connections and says nothing.
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const admin = create({ brokers: [`127.0.0.1:${port}`], connectionTimeout: 2000 }).admin()
    const connecting = errorOf(admin.connect())
    const start = performance.now()
    await admin.disconnect()
    expect(await connecting).toMatchObject({ message: 'The admin was disconnected', retriable: false })
    expect(performance.now() - start).toBeLessThan(1000)
    silent.close()
  })
})

describe('an admin', () => {
  const kafka = create()
  const admin = kafka.admin()
  beforeAll(() => admin.connect())
  afterAll(async () => {
    await admin.deleteTopics({ topics: await admin.listTopics() })
    await admin.disconnect()
  })

  it('stops its retries when it is disconnected', async () => {
    const other = kafka.admin({ retry: { initialRetryTime: 60_000 } })
    await other.connect()
    const call = errorOf(other.fetchTopicOffsets('not-there'))
    await other.disconnect()
    expect(await call).toMatchObject({ message: expect.stringMatching(/disconnected|not connected/), retriable: false })
    expect(await admin.listTopics()).toEqual(expect.any(Array))
  })

  it('finds a topic that is made while it retries', async () => {
    const offsets = kafka.admin({ retry: { retries: 20 } })
    await offsets.connect()
    const waiting = offsets.fetchTopicOffsets('made-later')
    await admin.createTopics({ topics: [{ topic: 'made-later' }] })
    expect(await waiting).toEqual([{ partition: 0, offset: '0', high: '0', low: '0' }])
    await offsets.disconnect()
  })

  it("takes the namespace's configs for a broker's, and lets them be set", async () => {
    const resource = { type: ConfigResourceTypes.BROKER, name: '0' }
    const alter = (value: string, validateOnly = false) =>
      admin.alterConfigs({
        validateOnly,
        resources: [{ ...resource, configEntries: [{ name: 'num.partitions', value }] }],
      })
    await alter('3', true)
    await alter('5')
    expect(await errorOf(alter('none', true))).toMatchObject({ type: 'INVALID_CONFIG' })
    const { resources } = await admin.describeConfigs({ includeSynonyms: true, resources: [resource] })
    expect(resources[0]?.configEntries).toContainEqual({
      configName: 'num.partitions',
      configValue: '5',
      readOnly: false,
      isDefault: false,
      configSource: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
      isSensitive: false,
      configSynonyms: [
        { configName: 'num.partitions', configValue: '5', configSource: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG },
        { configName: 'num.partitions', configValue: '1', configSource: ConfigSource.DEFAULT_CONFIG },
      ],
    })
    await admin.createTopics({ topics: [{ topic: 'five', numPartitions: -1, replicationFactor: -1 }] })
    expect(await admin.fetchTopicOffsets('five')).toHaveLength(5)
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [] }] })
  })

  it('accepts a replication factor above 1: the copies are the business of the deployment', async () => {
    expect(await admin.createTopics({ topics: [{ topic: 'copied', replicationFactor: 3 }] })).toBe(true)
  })

  it.each([
    ['createAcls', () => admin.createAcls({ acl: [] })],
    [
      'describeAcls',
      () => admin.describeAcls({ resourceType: 2, resourcePatternType: 3, operation: 2, permissionType: 3 }),
    ],
    ['deleteAcls', () => admin.deleteAcls({ filters: [] })],
    ['alterPartitionReassignments', () => admin.alterPartitionReassignments({ topics: [] })],
    ['listPartitionReassignments', () => admin.listPartitionReassignments({})],
  ] as [string, () => Promise<unknown>][])('names %s as not supported', async (method, call) => {
    expect(await errorOf(call())).toMatchObject({
      name: 'KafkaJSNotImplemented',
      retriable: false,
      message: expect.stringMatching(new RegExp(`^admin\\.${method} is not supported: `)),
    })
  })
})

describe('an admin of a Redis Cluster', () => {
  it('numbers its primaries, and names the one that holds each partition as its leader', async () => {
    const cluster = await startCluster()
    try {
      const ports = cluster.nodes.map(({ server }) => server.port)
      const admin = create({ brokers: ports.map((port) => `127.0.0.1:${port}`) }).admin()
      await admin.connect()
      const { brokers, controller } = await admin.describeCluster()
      expect(brokers.map(({ port }) => port)).toEqual(ports.toSorted((a, b) => a - b))
      expect(brokers.map(({ nodeId }) => nodeId)).toEqual([0, 1, 2])
      expect(controller).toBe(0)
      await admin.createTopics({ topics: [{ topic: 'spread', numPartitions: 12 }] })
      const { topics } = await admin.fetchTopicMetadata({ topics: ['spread'] })
      const leaders = topics[0]?.partitions.map(({ leader }) => leader) ?? []
      expect([0, 1, 2].map((node) => leaders.filter((leader) => leader === node).length)).toEqual([4, 4, 4])
      await admin.disconnect()
    } finally {
      await cluster.stop()
    }
  })
})
