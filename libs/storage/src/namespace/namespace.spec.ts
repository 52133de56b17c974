import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testRedisUrls, uniqueNamespace } from '@rivulet/testing'
import { connectRedis } from '../connection/connect.js'
import type { Connection } from '../connection/connection.js'
import { silentLogger } from '../connection/redis-target.js'
import { DEFAULT_RETRY } from '../connection/retry.js'
import { metaKeys } from '../keys.js'
import { defaultCeiling } from './default-ceiling.js'
import { Namespace } from './namespace.js'
import { shardTags } from './shard-tags.js'

let connection: Connection
const names: string[] = []

beforeAll(async () => {
  const server = await connectRedis({
    target: { addresses: testRedisUrls() },
    clientId: 'spec',
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: DEFAULT_RETRY,
    logger: silentLogger,
  })
  connection = await server.open('command')
})

afterAll(async () => {
  await Promise.all(names.map((name) => connection.client.del(metaKeys(name).cluster)))
  await connection.close()
})

function fresh(): string {
  const name = uniqueNamespace('ns')
  names.push(name)
  return name
}

describe('a namespace', () => {
  it('is made once, by whoever comes first, and is the same for all', async () => {
    const name = fresh()
    const joined = await Promise.all([3, 5, 7].map((shards) => Namespace.join(connection, name, shards)))
    const [first] = joined
    expect(first?.clusterId).toMatch(/^[\w-]{22}$/)
    expect(first?.tags).toEqual(shardTags(first?.tags.length ?? 0))
    for (const namespace of joined) {
      expect(namespace.clusterId).toBe(first?.clusterId)
      expect(namespace.tags).toEqual(first?.tags)
    }
  })

  it('of a newer format is refused, naming it, the format found and the one supported', async () => {
    const name = fresh()
    await Namespace.join(connection, name, 1)
    await connection.client.hset(metaKeys(name).cluster, 'format', '2')
    await expect(Namespace.join(connection, name, 1)).rejects.toMatchObject({
      type: 'UNSUPPORTED_VERSION',
      message: expect.stringMatching(new RegExp(`${name} has format 2, this release supports 1`)),
    })
  })

  it('needs a good name and a number of shards from 1 to 1024', async () => {
    await expect(Namespace.join(connection, 'a{b}', 1)).rejects.toMatchObject({ type: 'INVALID_OPTION' })
    for (const shards of [0, 1_025, 1.5, NaN]) {
      await expect(Namespace.join(connection, 'ok', shards)).rejects.toMatchObject({
        type: 'INVALID_OPTION',
        message: expect.stringContaining(`shards is ${shards}`),
      })
    }
  })

  it('has configs, with defaults, that all see', async () => {
    const name = fresh()
    const one = await Namespace.join(connection, name, 1)
    const other = await Namespace.join(connection, name, 1)
    expect(await one.config()).toMatchObject({ numPartitions: 1, maxBytes: -1 })
    await one.alterConfig({ 'max.bytes': '1000', 'num.partitions': '3' })
    expect(await other.configEntries()).toEqual({ 'max.bytes': '1000', 'num.partitions': '3' })
    expect(await one.config()).toMatchObject({ numPartitions: 3, maxBytes: 1000 })
    await one.alterConfig({ 'max.bytes': null })
    expect(await other.config()).toMatchObject({ numPartitions: 3, maxBytes: -1 })
    await expect(one.alterConfig({ 'max.bytes': 'much' })).rejects.toMatchObject({ type: 'INVALID_CONFIG' })
    await connection.client.hset(metaKeys(name).cluster, 'config:of.a.newer.release', 'x')
    expect(await other.configEntries()).toEqual({ 'num.partitions': '3' })
  })
})

it.each([
  [{ maxmemory: 1000, totalSystemMemory: 9000 }, 500],
  [{ maxmemory: 0, totalSystemMemory: 9000 }, 4500],
  [{ maxmemory: null, totalSystemMemory: null }, Number.MAX_SAFE_INTEGER],
])('the ceiling of a namespace with %j is %d by default', (facts, expected) => {
  expect(defaultCeiling(facts)).toBe(expected)
})
