import { afterEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { sendCommand, startCluster, startSingle, testRedisUrls, uniqueNamespace } from '@rivulet/testing'
import type { StorageLogger } from './connection/redis-target.js'
import { Storage, type StorageOptions } from './storage.js'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanup.splice(0).toReversed()) await step()
})

async function single(config: readonly string[] = []): Promise<RedisServerProcess> {
  const server = await startSingle({ config })
  cleanup.push(() => server.stop())
  return server
}

async function connect(options: StorageOptions): Promise<Storage> {
  const storage = await Storage.connect({ retry: { retries: 0 }, ...options })
  cleanup.push(() => storage.close())
  return storage
}

const refusal = (options: StorageOptions): Promise<KafkaError> =>
  connect(options).then(
    () => {
      throw new Error('it connected')
    },
    (error: unknown) => {
      if (error instanceof KafkaError) return error
      throw error
    },
  )

const ascending = (a: number, b: number): number => a - b

const connections = async (server: RedisServerProcess): Promise<string[]> =>
  [...String(await sendCommand(server, 'CLIENT', 'LIST')).matchAll(/name=(rivulet:\S+)/g)].map(
    (match) => match[1] ?? '',
  )

describe('a storage', () => {
  it('tells the cluster id, the nodes, and what it has learnt of the server', async () => {
    const server = await single(['--maxmemory', '100mb'])
    const one = await connect({ redis: { addresses: [server.url] } })
    const other = await connect({ redis: { addresses: [server.url] } })
    expect(one.clusterId).toMatch(/^[\w-]{22}$/)
    expect(other.clusterId).toBe(one.clusterId)
    expect(await one.describeCluster()).toMatchObject({
      clusterId: one.clusterId,
      nodes: [{ id: 0, host: '127.0.0.1', port: server.port }],
      controller: 0,
    })
    expect(one.facts).toMatchObject({
      cluster: false,
      version: server.version,
      maxmemory: 104_857_600,
      infoInScripts: true,
      clientUnblock: true,
      waitaof: !server.version.startsWith('7.0'),
    })
  })

  it('keeps namespaces of one server apart', async () => {
    const [a, b] = [uniqueNamespace(), uniqueNamespace()]
    const one = await connect({ redis: { addresses: testRedisUrls() }, namespace: a })
    const other = await connect({ redis: { addresses: testRedisUrls() }, namespace: b })
    expect(one.clusterId).not.toBe(other.clusterId)
    await one.topics.create({ name: 't', numPartitions: 1 })
    expect(await other.topics.get('t')).toBeNull()
    await one.topics.delete('t')
  })

  it('works on a Redis Cluster, its shards on all primaries', async () => {
    const cluster = await startCluster({ primaries: 3 })
    cleanup.push(() => cluster.stop())
    const storage = await connect({ redis: { addresses: [cluster.urls[1] ?? ''] } })
    const other = await connect({ redis: { addresses: [cluster.urls[2] ?? ''] } })
    expect(storage.facts).toMatchObject({ cluster: true, primaries: [{}, {}, {}] })
    expect((await storage.describeCluster()).nodes.map(({ port }) => port).toSorted(ascending)).toEqual(
      cluster.nodes.map(({ server }) => server.port).toSorted(ascending),
    )
    const topic = await storage.topics.create({ name: 'spread', numPartitions: 12 })
    expect(await other.topics.get('spread')).toEqual(topic)
    for (const description of await other.log.describeAll(topic.partitions)) {
      expect(description).toMatchObject({ logEndOffset: 0 })
    }
    for (const { server } of cluster.nodes) {
      // 4 shards of 12 a primary, and 5 keys a partition
      const keys = await sendCommand(server, 'KEYS', 'rivulet:{*}:t:spread:*')
      expect(keys).toHaveLength(4 * 5)
    }
    await storage.topics.delete('spread')
    expect(await other.topics.refresh('spread')).toBeNull()
  }, 40_000)

  it('leaves no connection behind, neither after closing nor after a failed attempt', async () => {
    const server = await single()
    const storage = await connect({ redis: { addresses: [server.url] }, clientId: 'app' })
    await storage.openAppender()
    await storage.openReader()
    expect((await connections(server)).toSorted()).toEqual(
      ['command', 'subscriber', 'appender', 'reader-fetch'].map((role) => `rivulet:app:${role}`).toSorted(),
    )
    await storage.close()
    await sendCommand(server, 'HSET', 'newer:{meta}:cluster', 'format', '9', 'id', 'x', 'shards', 'a')
    const error = await refusal({ redis: { addresses: [server.url] }, namespace: 'newer' })
    expect(error.type).toBe('UNSUPPORTED_VERSION')
    expect(error.message).toMatch(/namespace newer has format 9/)
    expect(await connections(server)).toEqual([])
  })

  it('closes within a second while the server is stopped, whatever is going on', async () => {
    const server = await single()
    const storage = await connect({ redis: { addresses: [server.url] } })
    const reader = await storage.openReader()
    const { partitions } = await storage.topics.create({ name: 't', numPartitions: 1 })
    const [partition] = partitions
    if (partition === undefined) throw new Error('no partition')
    const wait = reader.wait([{ partition, offset: 0, maxBytes: 1, segment: 0 }], 60_000).catch(() => 'ended')
    await server.kill('SIGSTOP')
    cleanup.push(() => server.kill('SIGCONT'))
    const call = storage.topics.refresh('t').catch((error: unknown) => error)
    const started = performance.now()
    await storage.close()
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(await call).toMatchObject({ type: 'CLIENT_CLOSED' })
    await wait
  })
})

describe("the user's rights", () => {
  const user = (server: RedisServerProcess, ...rules: string[]): Promise<unknown> =>
    sendCommand(server, 'ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~rivulet:*', '&rivulet:*', '+@all', ...rules)
  const login = (server: RedisServerProcess) => ({
    redis: { addresses: [`127.0.0.1:${server.port}`], username: 'app', password: 'pw' },
  })

  it('that are needed and missing are named', async () => {
    const server = await single()
    await user(server, '-xread', '-publish')
    const missing = await refusal(login(server))
    expect(missing.type).toBe('CLUSTER_AUTHORIZATION_FAILED')
    expect(missing.message).toMatch(/XREAD, PUBLISH/)
    await user(server, '-evalsha', '-eval')
    const scripts = await refusal(login(server))
    expect(scripts.type).toBe('CLUSTER_AUTHORIZATION_FAILED')
    expect(scripts.message).toMatch(/eval/)
    await sendCommand(server, 'ACL', 'SETUSER', 'app', 'resetkeys', '~other:*')
    await user(server)
    expect((await refusal({ ...login(server), namespace: 'foreign' })).type).toBe('CLUSTER_AUTHORIZATION_FAILED')
    expect(await connections(server)).toEqual([])
  })

  it('that can be done without are warned of', async () => {
    const server = await single()
    await user(server, '-info', '-client|unblock', '-subscribe')
    const warnings: string[] = []
    const note = (message: string): void => void warnings.push(message)
    const logger: StorageLogger = { error: note, warn: note, info: () => undefined, debug: () => undefined }
    const storage = await connect({ ...login(server), logger })
    expect(storage.facts).toMatchObject({ infoInScripts: false, clientUnblock: false, maxmemory: null })
    expect(warnings.join()).toMatch(/INFO.*CLIENT UNBLOCK.*SUBSCRIBE/)
    const topic = await storage.topics.create({ name: 't', numPartitions: 1 })
    expect(await storage.topics.refresh('t')).toEqual(topic)
  })
})
