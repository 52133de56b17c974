import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { testRedisUrls, TcpProxy, testTopology, uniqueNamespace, waitFor } from '@rivulet/testing'
import type { Cluster, Redis } from 'ioredis'
import { connectRedis } from '../connection/connect.js'
import type { Connection } from '../connection/connection.js'
import { DEFAULT_RETRY } from '../connection/retry.js'
import { silentLogger } from '../connection/redis-target.js'
import { metaKeys } from '../keys.js'
import type { Partition } from '../log/types.js'
import { Storage } from '../storage.js'
import type { TopicChange, TopicRegistry } from './topic-registry.js'

const namespace = uniqueNamespace('registry')
let raw: Connection
let storage: Storage
let other: Storage

beforeAll(async () => {
  const redis = { addresses: testRedisUrls() }
  const server = await connectRedis({
    target: redis,
    clientId: 'spec',
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: DEFAULT_RETRY,
    logger: silentLogger,
  })
  raw = await server.open('command')
  storage = await Storage.connect({ redis, namespace })
  other = await Storage.connect({ redis, namespace })
})

afterAll(async () => {
  for (const { name } of await storage.topics.list()) await storage.topics.delete(name)
  await Promise.all([storage.close(), other.close(), raw.close()])
})

async function failure(promise: Promise<unknown>): Promise<KafkaError> {
  return promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => {
      if (error instanceof KafkaError) return error
      throw error
    },
  )
}

/** A topic's entry as a release with more to store would write it. */
function withMore(text: string): string {
  const entry: unknown = JSON.parse(text)
  if (typeof entry !== 'object' || entry === null || !('configs' in entry) || typeof entry.configs !== 'object') {
    throw new Error(`not a topic's entry: ${text}`)
  }
  return JSON.stringify({ ...entry, replicas: ['x'], configs: { ...entry.configs, 'new.config': 'on' } })
}

const exists = (partition: Partition): Promise<boolean> =>
  storage.log.describe(partition).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject({ type: 'UNKNOWN_TOPIC_ID' })
      return false
    },
  )

describe('creating a topic', () => {
  it('makes its partitions, spread over the shards, and everyone sees it', async () => {
    const topic = await storage.topics.create({
      name: 'created',
      numPartitions: 5,
      configs: { 'retention.ms': '60000' },
    })
    expect(topic).toMatchObject({
      name: 'created',
      overrides: { 'retention.ms': '60000' },
      config: { retentionMs: 60_000 },
    })
    expect(topic.id).toMatch(/^[\w-]{22}$/)
    expect(new Set(topic.partitions.map(({ shard }) => shard)).size).toBe(5)
    for (const partition of topic.partitions) expect(await exists(partition)).toBe(true)
    expect(await other.topics.get('created')).toEqual(topic)
    expect(await other.topics.list()).toContainEqual(topic)
  })

  it('refuses a name that is taken, bad names, numbers and configs', async () => {
    await storage.topics.create({ name: 'taken', numPartitions: 1 })
    const refused = async (topic: Parameters<TopicRegistry['create']>[0]): Promise<string> =>
      (await failure(storage.topics.create(topic))).type
    expect(await refused({ name: 'taken', numPartitions: 1 })).toBe('TOPIC_ALREADY_EXISTS')
    expect(await refused({ name: 'a b', numPartitions: 1 })).toBe('INVALID_TOPIC_EXCEPTION')
    expect(await refused({ name: 'x', numPartitions: 0 })).toBe('INVALID_PARTITIONS')
    expect(await refused({ name: 'x', numPartitions: 100_001 })).toBe('INVALID_PARTITIONS')
    expect(await refused({ name: 'x', numPartitions: 1, configs: { 'retention.ms': 'soon' } })).toBe('INVALID_CONFIG')
    expect(await refused({ name: 'x', numPartitions: 1, configs: { 'no.such': '1' } })).toBe('INVALID_CONFIG')
    expect(await storage.topics.get('x')).toBeNull()
  })

  it('only checks when asked to', async () => {
    const topic = await storage.topics.create({ name: 'validated', numPartitions: 2, validateOnly: true })
    expect(topic.partitions).toHaveLength(2)
    expect(await storage.topics.get('validated')).toBeNull()
    for (const partition of topic.partitions) expect(await exists(partition)).toBe(false)
  })

  it('by many at once makes it once, and leaves no partitions of the others behind', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? storage : other).topics.create({ name: 'raced', numPartitions: 3 }),
      ),
    )
    const made = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
    expect(made).toHaveLength(1)
    for (const attempt of attempts) {
      if (attempt.status === 'fulfilled') continue
      expect(attempt).toMatchObject({ reason: { type: 'TOPIC_ALREADY_EXISTS' } })
    }
    expect(await other.topics.refresh('raced')).toEqual(made[0])
    for (const partition of made[0]?.partitions ?? []) expect(await exists(partition)).toBe(true)
  })

  it("takes the namespace's num.partitions where no number is given", async () => {
    await storage.alterNamespaceConfigs({ 'num.partitions': '4' })
    expect((await storage.topics.create({ name: 'defaulted' })).partitions).toHaveLength(4)
    expect(await other.namespaceConfigs()).toEqual({ 'num.partitions': '4' })
    await storage.alterNamespaceConfigs({ 'num.partitions': null })
    expect(await other.namespaceConfigs()).toEqual({})
    expect((await failure(storage.alterNamespaceConfigs({ 'num.partitions': '0' }))).type).toBe('INVALID_CONFIG')
  })
})

describe('deleting a topic', () => {
  it('takes its entry and its partitions away; made again it is another one', async () => {
    const first = await storage.topics.create({ name: 'deleted', numPartitions: 3 })
    await other.topics.get('deleted')
    await storage.topics.delete('deleted')
    expect(await other.topics.refresh('deleted')).toBeNull()
    for (const partition of first.partitions) expect(await exists(partition)).toBe(false)
    const second = await storage.topics.create({ name: 'deleted', numPartitions: 3 })
    expect(second.id).not.toBe(first.id)
  })

  it('that does not exist says so', async () => {
    expect(await failure(storage.topics.delete('nowhere'))).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })
})

describe('changing a topic', () => {
  it('adds partitions and keeps those there are where they are', async () => {
    const old = await storage.topics.create({ name: 'grown', numPartitions: 2 })
    const grown = await storage.topics.addPartitions('grown', 5)
    expect(grown.partitions.slice(0, 2)).toEqual(old.partitions)
    for (const partition of grown.partitions) expect(await exists(partition)).toBe(true)
    expect(await other.topics.refresh('grown')).toEqual(grown)
    expect((await failure(storage.topics.addPartitions('grown', 5))).type).toBe('INVALID_PARTITIONS')
    expect((await failure(storage.topics.addPartitions('none', 5))).type).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  it('by many at once loses no change', async () => {
    await storage.topics.create({ name: 'contested', numPartitions: 1 })
    const keys = ['retention.ms', 'retention.bytes', 'segment.bytes', 'segment.ms', 'max.message.bytes']
    await Promise.all([
      ...keys.map((key, i) =>
        (i % 2 ? storage : other).topics.alterConfigs('contested', { [key]: String(10_000 + i) }),
      ),
      storage.topics.addPartitions('contested', 3),
    ])
    const topic = await storage.topics.refresh('contested')
    expect(topic?.partitions).toHaveLength(3)
    expect(topic?.overrides).toEqual(Object.fromEntries(keys.map((key, i) => [key, String(10_000 + i)])))
  })

  it('gives a config its default back', async () => {
    await storage.topics.create({ name: 'reset', numPartitions: 1, configs: { 'retention.ms': '1' } })
    const topic = await storage.topics.alterConfigs('reset', { 'retention.ms': null, 'retention.bytes': '7' })
    expect(topic.overrides).toEqual({ 'retention.bytes': '7' })
    expect((await failure(storage.topics.alterConfigs('reset', { 'retention.ms': '-7' }))).type).toBe('INVALID_CONFIG')
  })

  it('keeps what a newer release has put into its entry', async () => {
    await storage.topics.create({ name: 'newer', numPartitions: 1 })
    const key = metaKeys(namespace).topics
    const client = <T>(use: (redis: Redis | Cluster) => Promise<T>): Promise<T> => raw.command(use)
    const stored = (await client((redis) => redis.hget(key, 'newer'))) ?? ''
    await client((redis) => redis.hset(key, 'newer', withMore(stored)))
    await storage.topics.alterConfigs('newer', { 'retention.ms': '5' })
    const kept: unknown = JSON.parse((await client((redis) => redis.hget(key, 'newer'))) ?? '')
    expect(kept).toMatchObject({ replicas: ['x'], configs: { 'new.config': 'on', 'retention.ms': '5' } })
    await client((redis) => redis.hset(key, 'broken', 'no JSON'))
    expect((await failure(storage.topics.refresh('broken'))).type).toBe('UNSUPPORTED_VERSION')
    expect((await storage.topics.list()).map(({ name }) => name)).not.toContain('broken')
    await client((redis) => redis.hdel(key, 'broken'))
  })
})

describe('watching', () => {
  it('drops what is cached and tells, at each change by another client', async () => {
    const changes: TopicChange[] = []
    const stillCached: unknown[] = []
    const unwatch = other.topics.watch((change) => {
      changes.push(change)
      stillCached.push(other.topics.cached('watched'))
    })
    await storage.topics.create({ name: 'watched', numPartitions: 1 })
    await waitFor(() => changes.length === 1, { what: 'the creation' })
    await other.topics.get('watched')
    expect(other.topics.cached('watched')?.name).toBe('watched')
    await storage.topics.alterConfigs('watched', { 'retention.ms': '9' })
    await waitFor(() => changes.length === 2, { what: 'the change' })
    expect((await other.topics.get('watched'))?.config.retentionMs).toBe(9)
    await storage.topics.delete('watched')
    await waitFor(() => changes.length === 3, { what: 'the deletion' })
    expect(await other.topics.get('watched')).toBeNull()
    expect(changes).toEqual([{ topic: 'watched' }, { topic: 'watched' }, { topic: 'watched' }])
    // whoever is told must not find the old entry any more
    expect(stillCached).toEqual([undefined, undefined, undefined])
    unwatch()
  })

  it('leaves nobody with an old entry, whoever changes it at the same time', async () => {
    let heard = 0
    const unwatch = [storage, other].map(({ topics }) => topics.watch(() => void heard++))
    await storage.topics.create({ name: 'contended', numPartitions: 1 })
    await waitFor(() => heard === 2, { what: 'the creation to be told to both' })
    for (let round = 1; round <= 100; round++) {
      heard = 0
      await Promise.all([
        storage.topics.alterConfigs('contended', { 'retention.ms': String(round) }),
        other.topics.alterConfigs('contended', { 'retention.bytes': String(round) }),
      ])
      await waitFor(() => heard === 4, { what: 'both changes to be told to both' })
      for (const { topics } of [storage, other]) {
        expect((await topics.get('contended'))?.config).toMatchObject({ retentionMs: round, retentionBytes: round })
      }
    }
    for (const end of unwatch) end()
  })

  it('tells that anything may have changed after the connection was lost', async () => {
    if (testTopology() !== 'single') return
    const url = new URL(testRedisUrls()[0] ?? '')
    const proxy = await TcpProxy.start({ host: url.hostname, port: Number(url.port) })
    const behind = await Storage.connect({ redis: { addresses: [proxy.url] }, namespace, logger: silentLogger })
    try {
      await storage.topics.create({ name: 'missed', numPartitions: 1 })
      await behind.topics.get('missed')
      const changes: TopicChange[] = []
      behind.topics.watch((change) => changes.push(change))
      await proxy.refuse()
      proxy.cut()
      await storage.topics.alterConfigs('missed', { 'retention.ms': '11' })
      await proxy.accept()
      await waitFor(() => changes.some((change) => 'all' in change), { what: 'the reconnect' })
      expect((await behind.topics.get('missed'))?.config.retentionMs).toBe(11)
      await storage.topics.alterConfigs('missed', { 'retention.ms': '12' })
      await waitFor(() => changes.some((change) => 'topic' in change), { what: 'the subscription to be back' })
    } finally {
      await behind.close()
      await proxy.close()
    }
  })

  it('is not needed for a change whose answer is lost: it is made once', async () => {
    if (testTopology() !== 'single') return
    const url = new URL(testRedisUrls()[0] ?? '')
    const proxy = await TcpProxy.start({ host: url.hostname, port: Number(url.port) })
    const behind = await Storage.connect({ redis: { addresses: [proxy.url] }, namespace })
    try {
      const happened = proxy.dropReply(({ name, bytes }) => name.startsWith('EVAL') && bytes.includes('unanswered'))
      const lostPut = behind.topics.create({ name: 'unanswered', numPartitions: 1 })
      await happened
      // lost may have been a partition's creation or the entry's: either way nothing must be missing
      const topic = await lostPut.catch(() => storage.topics.create({ name: 'unanswered', numPartitions: 1 }))
      expect(await storage.topics.refresh('unanswered')).toEqual(topic)
      for (const partition of topic.partitions) expect(await exists(partition)).toBe(true)
    } finally {
      await behind.close()
      await proxy.close()
    }
  })
})
