import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Cluster } from 'ioredis'
import { type RedisCluster, startCluster } from './cluster.js'
import { sendCommand } from './servers.js'

describe('startCluster', () => {
  let cluster: RedisCluster

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 1 })
  }, 60_000)

  afterAll(() => cluster.stop())

  it('starts a whole cluster whose slots are spread over its primaries, each with its replica', async () => {
    const primaries = await cluster.primaries()
    expect(primaries).toEqual(cluster.nodes.slice(0, 3))
    for (const primary of primaries) expect(await cluster.replicasOf(primary)).toHaveLength(1)
    expect(
      await Promise.all([0, 5_461, 5_462, 10_922, 10_923, 16_383].map((slot) => cluster.ownerOfSlot(slot))),
    ).toEqual([0, 0, 1, 1, 2, 2].map((index) => primaries[index]))
    const client = new Cluster([...cluster.urls])
    try {
      const keys = Array.from({ length: 50 }, (_, number) => `key-${number}`)
      for (const key of keys) await client.set(key, key)
      for (const key of keys) expect(await client.get(key)).toBe(key)
    } finally {
      client.disconnect()
    }
  })

  it('moves a slot with its keys: ASK while it moves, MOVED afterwards', async () => {
    const key = 'migrating'
    const from = await cluster.ownerOf(key)
    const to = (await cluster.primaries()).find((node) => node !== from)
    if (to === undefined) throw new Error('There is one primary only')
    await sendCommand(from.server, 'SET', key, 'value')
    const migration = await cluster.beginMigration(await cluster.slotOf(key), to)
    expect(await sendCommand(from.server, 'GET', key)).toBe('value')
    await migration.moveKeys()
    await expect(sendCommand(from.server, 'GET', key)).rejects.toThrow(/^ASK /)
    await migration.finish()
    await expect(sendCommand(from.server, 'GET', key)).rejects.toThrow(/^MOVED /)
    expect(await sendCommand(to.server, 'GET', key)).toBe('value')
    expect(await cluster.ownerOf(key)).toBe(to)
  })

  it('fails over to a replica, which then holds the slots', async () => {
    const primary = await cluster.ownerOf('some key')
    const [replica] = await cluster.replicasOf(primary)
    if (replica === undefined) throw new Error('There is no replica')
    await cluster.failover(replica)
    expect(await cluster.ownerOf('some key')).toBe(replica)
    await cluster.ready()
  })
})
