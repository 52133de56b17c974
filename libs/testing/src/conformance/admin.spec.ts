import { afterAll, beforeAll, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { waitFor } from '../topologies/index.js'
import { describeOnBoth } from './describe-on-both.js'

const { ConfigResourceTypes, ConfigSource } = kafkajs

/** What a program can tell of a failed call. */
async function failureOf(call: Promise<unknown>): Promise<object> {
  const error: unknown = await call.then(
    () => 'no error',
    (e: unknown) => e,
  )
  if (!(error instanceof Error)) throw new Error(`The call ended with ${String(error)}`)
  return error
}

const byPartition = <T extends { partition: number }>(entries: T[]): T[] =>
  entries.toSorted((a, b) => a.partition - b.partition)

describeOnBoth('the admin client', ({ create, uniqueTopic }) => {
  const client = create()
  const admin = client.admin()
  beforeAll(() => admin.connect())
  afterAll(() => admin.disconnect())

  const createTopic = async (config: Partial<kafkajs.ITopicConfig> = {}): Promise<string> => {
    const topic = uniqueTopic()
    await admin.createTopics({ topics: [{ topic, ...config }] })
    return topic
  }

  const send = async (topic: string, messages: kafkajs.Message[]): Promise<void> => {
    const producer = client.producer()
    await producer.connect()
    await producer.send({ topic, messages })
    await producer.disconnect()
  }

  /** kafkajs deletes records of topics alone that it has met before. */
  const createKnownTopic = async (config: Partial<kafkajs.ITopicConfig> = {}): Promise<string> => {
    const topic = await createTopic(config)
    await admin.fetchTopicOffsets(topic)
    return topic
  }

  /** A call as a program in JavaScript can make it. */
  const callWith = async (method: keyof kafkajs.Admin, argument: unknown): Promise<unknown> => {
    const call: unknown = admin[method]
    if (typeof call !== 'function') throw new TypeError(`admin.${method} is no method`)
    const result: unknown = await Reflect.apply(call, admin, [argument])
    return result
  }

  it('makes topics that then are in the list', async () => {
    const topics = [{ topic: uniqueTopic() }, { topic: uniqueTopic(), numPartitions: 3, replicationFactor: 1 }]
    expect(await admin.createTopics({ topics })).toBe(true)
    expect(await admin.listTopics()).toEqual(expect.arrayContaining(topics.map(({ topic }) => topic)))
  })

  it('answers false when a topic exists, and makes the others', async () => {
    const topic = await createTopic()
    const other = uniqueTopic()
    expect(await admin.createTopics({ topics: [{ topic }] })).toBe(false)
    expect(await admin.createTopics({ topics: [{ topic }, { topic: other }] })).toBe(false)
    expect(await admin.listTopics()).toContain(other)
  })

  it('only checks where validateOnly is set', async () => {
    const [topic, existing] = [uniqueTopic(), await createTopic()]
    const check = (name: string) =>
      admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic: name }] })
    expect(await check(topic)).toBe(true)
    expect(await check(existing)).toBe(false)
    expect(await admin.listTopics()).not.toContain(topic)
  })

  it('reports each topic that cannot be made, and makes the others', async () => {
    const [good, existing] = [uniqueTopic(), await createTopic()]
    const bad = {
      noPartitions: uniqueTopic(),
      noReplicas: uniqueTopic(),
      unknownConfig: uniqueTopic(),
      wrongConfig: uniqueTopic(),
      bothWays: uniqueTopic(),
      gap: uniqueTopic(),
    }
    const topics = [
      { topic: good },
      { topic: existing },
      { topic: 'not/a/name' },
      { topic: bad.noPartitions, numPartitions: 0 },
      { topic: bad.noReplicas, replicationFactor: 0 },
      { topic: bad.unknownConfig, configEntries: [{ name: 'no.such.config', value: '1' }] },
      { topic: bad.wrongConfig, configEntries: [{ name: 'retention.ms', value: 'long' }] },
      { topic: bad.bothWays, numPartitions: 1, replicaAssignment: [{ partition: 0, replicas: [1] }] },
      { topic: bad.gap, replicaAssignment: [{ partition: 1, replicas: [1] }] },
    ]
    const failure = await failureOf(admin.createTopics({ topics }))
    const one = (topic: string, type: string, code: number) =>
      expect.objectContaining({ name: 'KafkaJSCreateTopicError', topic, type, code, retriable: false })
    expect(failure).toMatchObject({ name: 'KafkaJSAggregateError', message: 'Topic creation errors' })
    expect(failure).toHaveProperty('errors', [
      one(existing, 'TOPIC_ALREADY_EXISTS', 36),
      one(bad.noPartitions, 'INVALID_PARTITIONS', 37),
      one(bad.noReplicas, 'INVALID_REPLICATION_FACTOR', 38),
      one(bad.unknownConfig, 'INVALID_CONFIG', 40),
      one(bad.wrongConfig, 'INVALID_CONFIG', 40),
      one(bad.bothWays, 'INVALID_REQUEST', 42),
      one(bad.gap, 'INVALID_REPLICA_ASSIGNMENT', 39),
      one('not/a/name', 'INVALID_TOPIC_EXCEPTION', 17),
    ])
    expect(await admin.listTopics()).toContain(good)
  })

  it('takes the number of partitions from a replica assignment', async () => {
    const { brokers } = await admin.describeCluster()
    const replicas = brokers.slice(0, 1).map(({ nodeId }) => nodeId)
    const replicaAssignment = [1, 0].map((partition) => ({ partition, replicas }))
    const topic = await createTopic({ replicaAssignment })
    expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions).toHaveLength(2)
  })

  it.each<[string, () => Promise<unknown>]>([
    ['topics that are no list', () => callWith('createTopics', { topics: 'orders' })],
    ['topics without names', () => callWith('createTopics', { topics: [{ topic: 1 }] })],
    ['one topic twice', () => admin.createTopics({ topics: [{ topic: 'a' }, { topic: 'a' }] })],
    ['configs that are no list', () => callWith('createTopics', { topics: [{ topic: 'a', configEntries: {} }] })],
    [
      'configs without text',
      () => callWith('createTopics', { topics: [{ topic: 'a', configEntries: [{ name: 'x' }] }] }),
    ],
    ['an empty config', () => callWith('createTopics', { topics: [{ topic: 'a', configEntries: [null] }] })],
    ['names to delete that are no list', () => callWith('deleteTopics', { topics: 'orders' })],
    ['names to delete that are no texts', () => callWith('deleteTopics', { topics: [1] })],
    ['no partitions to create', () => admin.createPartitions({ topicPartitions: [] })],
    [
      'partitions of one topic twice',
      () =>
        admin.createPartitions({
          topicPartitions: [
            { topic: 'a', count: 1 },
            { topic: 'a', count: 1 },
          ],
        }),
    ],
    ['metadata of an empty name', () => admin.fetchTopicMetadata({ topics: [''] })],
    ['offsets of no topic', () => admin.fetchTopicOffsets('')],
    ['offsets by time of no topic', () => admin.fetchTopicOffsetsByTimestamp('')],
    ['records of no topic', () => admin.deleteTopicRecords({ topic: '', partitions: [] })],
    ['records of no partition', () => admin.deleteTopicRecords({ topic: 'a', partitions: [] })],
    ['configs of no resource', () => admin.describeConfigs({ resources: [], includeSynonyms: false })],
    ['configs of an unknown type', () => callWith('describeConfigs', { resources: [{ type: 77, name: 'a' }] })],
    ['configs of a resource without a name', () => callWith('describeConfigs', { resources: [{ type: 2 }] })],
    [
      'configs by names that are no list',
      () => callWith('describeConfigs', { resources: [{ type: 2, name: 'a', configNames: 'x' }] }),
    ],
    ['no resource to alter', () => admin.alterConfigs({ resources: [], validateOnly: false })],
    ['altered configs that are no list', () => callWith('alterConfigs', { resources: [{ type: 2, name: 'a' }] })],
    [
      'altered configs without text',
      () => callWith('alterConfigs', { resources: [{ type: 2, name: 'a', configEntries: [{ name: 'x', value: 1 }] }] }),
    ],
  ])('refuses %s', async (_, call) => {
    expect(await failureOf(call())).toMatchObject({ name: 'KafkaJSNonRetriableError', retriable: false })
  })

  it('describes topics with a leader for each partition', async () => {
    const topic = await createTopic({ numPartitions: 2 })
    const { brokers } = await admin.describeCluster()
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    expect(topics).toHaveLength(1)
    expect(topics[0]?.name).toBe(topic)
    expect(topics[0]?.partitions.map(({ partitionId }) => partitionId).toSorted()).toEqual([0, 1])
    for (const partition of topics[0]?.partitions ?? []) {
      expect(brokers.map(({ nodeId }) => nodeId)).toContain(partition.leader)
      expect(partition).toMatchObject({ partitionErrorCode: 0, isr: [partition.leader], offlineReplicas: [] })
      expect(partition.replicas).toEqual([partition.leader])
    }
    expect((await admin.fetchTopicMetadata()).topics.map(({ name }) => name)).toContain(topic)
  })

  it('does not know topics that are not there', async () => {
    const topics = [uniqueTopic()]
    expect(await failureOf(admin.fetchTopicMetadata({ topics }))).toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
      code: 3,
      retriable: true,
    })
    expect(await failureOf(admin.fetchTopicMetadata({ topics: ['not/a/name'] }))).toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'INVALID_TOPIC_EXCEPTION',
      code: 17,
    })
  })

  it.each<[string, (topic: string) => Promise<unknown>]>([
    ['deleting it', (topic) => admin.deleteTopics({ topics: [topic] })],
    ['asking for its offsets', (topic) => admin.fetchTopicOffsets(topic)],
    ['asking for its offsets by time', (topic) => admin.fetchTopicOffsetsByTimestamp(topic, 1)],
    [
      'deleting its records',
      (topic) => admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] }),
    ],
  ])('hopes for a topic that is not there as long as its retries last when %s', async (_, call) => {
    expect(await failureOf(call(uniqueTopic()))).toMatchObject({
      name: 'KafkaJSNumberOfRetriesExceeded',
      retryCount: 3,
      retriable: false,
      cause: { name: 'KafkaJSProtocolError', type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 },
    })
  })

  it('deletes topics, those beside an unknown one included', async () => {
    const [a, b] = [await createTopic(), await createTopic()]
    await admin.deleteTopics({ topics: [a] })
    await failureOf(admin.deleteTopics({ topics: [uniqueTopic(), b] }))
    const left = await admin.listTopics()
    expect([left.includes(a), left.includes(b)]).toEqual([false, false])
    await admin.deleteTopics({ topics: [] })
  })

  it('adds partitions, and never takes any away', async () => {
    const topic = await createTopic({ numPartitions: 2 })
    const count = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length
    // In Kafka the brokers hear of a change after the controller has answered.
    const counts = (expected: number) =>
      waitFor(async () => (await count()) === expected, { what: `${expected} partitions` })
    const grow = (total: number, validateOnly = false) =>
      admin.createPartitions({ validateOnly, topicPartitions: [{ topic, count: total }] })
    await grow(9, true)
    expect(await count()).toBe(2)
    await grow(3)
    await counts(3)
    for (const total of [3, 1]) {
      expect(await failureOf(grow(total))).toMatchObject({ name: 'KafkaJSProtocolError', type: 'INVALID_PARTITIONS' })
    }
    const topicPartitions = [
      { topic, count: 4 },
      { topic: uniqueTopic(), count: 1 },
    ]
    expect(await failureOf(admin.createPartitions({ topicPartitions }))).toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await counts(4)
    const assignments = [[1], [1]]
    expect(
      await failureOf(admin.createPartitions({ topicPartitions: [{ topic, count: 5, assignments }] })),
    ).toMatchObject({ type: 'INVALID_REPLICA_ASSIGNMENT', code: 39 })
  })

  it("tells each partition's first and next offset", async () => {
    const topic = await createTopic({ numPartitions: 2 })
    await send(topic, [
      { partition: 1, value: 'a' },
      { partition: 1, value: 'b' },
    ])
    expect(byPartition(await admin.fetchTopicOffsets(topic))).toEqual([
      { partition: 0, offset: '0', high: '0', low: '0' },
      { partition: 1, offset: '2', high: '2', low: '0' },
    ])
  })

  it.each([
    [undefined, '4'],
    [-1, '4'],
    [-2, '0'],
    [0, '0'],
    [1000, '0'],
    [1001, '1'],
    [3000, '1'],
    [3500, '3'],
    [4001, '4'],
  ])('finds the first record as late as %s, or the end of the log', async (timestamp, offset) => {
    const topic = await createTopic({ numPartitions: 2 })
    const times = ['1000', '3000', '2000', '4000']
    await send(
      topic,
      times.map((time) => ({ partition: 0, value: time, timestamp: time })),
    )
    expect(byPartition(await admin.fetchTopicOffsetsByTimestamp(topic, timestamp))).toEqual([
      { partition: 0, offset },
      { partition: 1, offset: '0' },
    ])
  })

  it('deletes records up to an offset, -1 for all', async () => {
    const topic = await createKnownTopic()
    await send(
      topic,
      ['a', 'b', 'c', 'd'].map((value) => ({ value })),
    )
    const lowAfter = async (offset: string) => {
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] })
      return (await admin.fetchTopicOffsets(topic))[0]?.low
    }
    expect(await lowAfter('2')).toBe('2')
    expect(await lowAfter('1')).toBe('2')
    expect(await lowAfter('-1')).toBe('4')
    expect(await admin.fetchTopicOffsetsByTimestamp(topic, 1)).toEqual([{ partition: 0, offset: '4' }])
  })

  it('reports the partitions whose records cannot be deleted, and deletes those of the others', async () => {
    const topic = await createKnownTopic({ numPartitions: 2 })
    await send(topic, [
      { partition: 0, value: 'a' },
      { partition: 1, value: 'b' },
    ])
    const partitions = [
      { partition: 0, offset: '2' },
      { partition: 1, offset: '1' },
    ]
    expect(await failureOf(admin.deleteTopicRecords({ topic, partitions }))).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: 'Error while deleting records',
      cause: {
        name: 'KafkaJSDeleteTopicRecordsError',
        retriable: false,
        partitions: [
          { partition: 0, offset: '2', error: { name: 'KafkaJSProtocolError', type: 'OFFSET_OUT_OF_RANGE', code: 1 } },
        ],
      },
    })
    expect(byPartition(await admin.fetchTopicOffsets(topic)).map(({ low }) => low)).toEqual(['0', '1'])
  })

  it('deletes nothing when a partition is not there', async () => {
    const topic = await createKnownTopic()
    await send(topic, [{ value: 'a' }])
    const partitions = [
      { partition: 7, offset: '1' },
      { partition: 0, offset: '1' },
    ]
    expect(await failureOf(admin.deleteTopicRecords({ topic, partitions }))).toMatchObject({
      name: 'KafkaJSDeleteTopicRecordsError',
      retriable: false,
      partitions: [{ partition: 7, offset: '1', error: { name: 'KafkaJSBrokerNotFound', retriable: false } }],
    })
    expect((await admin.fetchTopicOffsets(topic))[0]?.low).toBe('0')
  })

  it('describes configs, and tells what was set from what is by default', async () => {
    const topic = await createTopic({ configEntries: [{ name: 'retention.ms', value: '1000000' }] })
    const describe = async (configNames: string[], includeSynonyms = false) =>
      (
        await admin.describeConfigs({
          includeSynonyms,
          resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames }],
        })
      ).resources
    const [resource] = await describe(['retention.ms', 'cleanup.policy', 'no.such.config'])
    expect(resource).toMatchObject({ errorCode: 0, errorMessage: '', resourceType: 2, resourceName: topic })
    expect(resource?.configEntries.toSorted((a, b) => a.configName.localeCompare(b.configName))).toEqual([
      {
        configName: 'cleanup.policy',
        configValue: 'delete',
        readOnly: false,
        isDefault: true,
        configSource: ConfigSource.DEFAULT_CONFIG,
        isSensitive: false,
        configSynonyms: [],
      },
      {
        configName: 'retention.ms',
        configValue: '1000000',
        readOnly: false,
        isDefault: false,
        configSource: ConfigSource.TOPIC_CONFIG,
        isSensitive: false,
        configSynonyms: [],
      },
    ])
    const [withSynonyms] = await describe(['retention.ms'], true)
    expect(withSynonyms?.configEntries[0]?.configSynonyms[0]).toEqual({
      configName: 'retention.ms',
      configValue: '1000000',
      configSource: ConfigSource.TOPIC_CONFIG,
    })
    const [all] = await describe([])
    expect(all?.configEntries.map(({ configName }) => configName)).toEqual(
      expect.arrayContaining(['retention.bytes', 'segment.bytes', 'max.message.bytes', 'min.insync.replicas']),
    )
  })

  it("describes a broker's configs", async () => {
    const { brokers } = await admin.describeCluster()
    const name = String(brokers[0]?.nodeId)
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.BROKER, name, configNames: ['num.partitions'] }],
    })
    expect(resources).toEqual([
      expect.objectContaining({
        resourceType: ConfigResourceTypes.BROKER,
        resourceName: name,
        configEntries: [expect.objectContaining({ configName: 'num.partitions', configValue: expect.any(String) })],
      }),
    ])
    const unknown = [{ type: ConfigResourceTypes.BROKER, name: '77' }]
    expect(await failureOf(admin.describeConfigs({ includeSynonyms: false, resources: unknown }))).toMatchObject({
      name: 'KafkaJSBrokerNotFound',
    })
  })

  it("replaces a topic's configs as a whole", async () => {
    const topic = await createTopic({ configEntries: [{ name: 'retention.ms', value: '1000000' }] })
    const set = async () => {
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }]
      const described = await admin.describeConfigs({ includeSynonyms: false, resources })
      return described.resources[0]?.configEntries
        .filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG)
        .map(({ configName, configValue }) => [configName, configValue])
    }
    const alter = (configEntries: kafkajs.IResourceConfigEntry[], validateOnly = false) =>
      admin.alterConfigs({ validateOnly, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }] })
    expect(await alter([{ name: 'segment.bytes', value: '2000000' }])).toEqual({
      resources: [{ errorCode: 0, errorMessage: null, resourceType: 2, resourceName: topic }],
    })
    expect(await set()).toEqual([['segment.bytes', '2000000']])
    await alter([{ name: 'segment.bytes', value: '3000000' }], true)
    expect(await set()).toEqual([['segment.bytes', '2000000']])
    for (const [name, value] of [
      ['segment.bytes', 'large'],
      ['no.such.config', '1'],
    ] as const) {
      for (const validateOnly of [true, false]) {
        expect(await failureOf(alter([{ name, value }], validateOnly))).toMatchObject({
          name: 'KafkaJSProtocolError',
          type: 'INVALID_CONFIG',
          code: 40,
        })
      }
    }
    const twice = ['1000000', '2000000'].map((value) => ({ name: 'retention.ms', value }))
    expect(await failureOf(alter(twice))).toMatchObject({ type: 'INVALID_REQUEST', code: 42 })
    await alter([])
    expect(await set()).toEqual([])
  })

  it('has no configs for topics that are not there, nor for types that have none', async () => {
    const name = uniqueTopic()
    const describe = (type: number, resource: string) =>
      failureOf(callWith('describeConfigs', { resources: [{ type, name: resource }] }))
    expect(await describe(2, name)).toMatchObject({ name: 'KafkaJSProtocolError', code: 3 })
    expect(await describe(2, 'not/a/name')).toMatchObject({ name: 'KafkaJSProtocolError', code: 17 })
    expect(await describe(0, name)).toMatchObject({ name: 'KafkaJSProtocolError', code: 42 })
    const resources = [{ type: ConfigResourceTypes.TOPIC, name, configEntries: [] }]
    expect(await failureOf(admin.alterConfigs({ validateOnly: false, resources }))).toMatchObject({ code: 3 })
  })

  it('describes the cluster', async () => {
    const cluster = await admin.describeCluster()
    expect(cluster).toEqual({
      brokers: expect.arrayContaining([
        { nodeId: expect.any(Number), host: expect.any(String), port: expect.any(Number) },
      ]),
      controller: expect.any(Number),
      clusterId: expect.stringMatching(/^[\w-]{22}$/),
    })
    expect(cluster.brokers.map(({ nodeId }) => nodeId)).toContain(cluster.controller)
  })

  it('tells of connecting and disconnecting', async () => {
    const other = create().admin()
    const events: unknown[] = []
    const remove = other.on(other.events.CONNECT, (event) => events.push(event))
    other.on('admin.disconnect', (event) => events.push(event))
    await other.connect()
    remove()
    await other.disconnect()
    const event = (type: string) =>
      expect.objectContaining({ id: expect.any(Number), type, timestamp: expect.any(Number), payload: undefined })
    expect(events).toEqual([event('admin.connect'), event('admin.disconnect')])
    await other.connect()
    expect(events).toHaveLength(2)
    await other.disconnect()
  })

  it('works with its methods taken off it', async () => {
    const { connect, listTopics, disconnect } = create().admin()
    await connect()
    expect(await listTopics()).toEqual(expect.any(Array))
    await disconnect()
  })
})
