import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type RedisCluster, sendCommand, startCluster, waitFor } from '@rivulet/testing'
import { Cluster } from 'ioredis'
import { connectRedis, type RedisServer } from './connect.js'
import type { Connection } from './connection.js'
import { isCluster, silentLogger, type ConnectionRole, type RedisTarget } from './redis-target.js'
import { DEFAULT_RETRY } from './retry.js'

let cluster: RedisCluster
const closing: Connection[] = []

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3, replicas: 1 })
}, 60_000)

afterAll(async () => {
  await Promise.all(closing.map((connection) => connection.close()))
  await cluster.stop()
}, 30_000)

const connect = (target: RedisTarget): Promise<RedisServer> =>
  connectRedis({
    target,
    clientId: 'spec',
    connectionTimeout: 1_000,
    requestTimeout: 10_000,
    retry: { ...DEFAULT_RETRY, retries: 2 },
    logger: silentLogger,
  })

async function open(target: RedisTarget, role: ConnectionRole = 'command'): Promise<Connection> {
  const connection = await (await connect(target)).open(role)
  closing.push(connection)
  return connection
}

const addresses = (): string[] => cluster.urls.map((url) => url.replace('redis://', ''))

describe('a Redis Cluster', () => {
  it('is recognised at any of its nodes, replicas included', async () => {
    for (const address of addresses()) {
      const server = await connect({ addresses: [address] })
      expect(server.cluster).toBe(true)
      expect(server.primaries).toHaveLength(3)
    }
  })

  it('is reached by a description in terms of ioredis, and by an instance, which is left alone', async () => {
    const [first = ''] = addresses()
    const [host = '', port = ''] = first.split(':')
    const described = await open({ redis: { cluster: { nodes: [{ host, port: Number(port) }] } } })
    expect(await described.client.set('a', '1')).toBe('OK')

    const own = new Cluster([{ host, port: Number(port) }])
    await waitFor(() => own.status === 'ready', { what: 'the instance' })
    const connection = await open({ redis: own })
    expect(connection.client).not.toBe(own)
    expect(await connection.client.get('a')).toBe('1')
    await connection.close()
    expect(await own.get('a')).toBe('1')
    own.disconnect()
  })

  it('has only database 0', async () => {
    const [first = ''] = addresses()
    const error = await connect({ addresses: [`redis://${first}/1`] }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ type: 'INVALID_OPTION', message: expect.stringContaining('database 1') })
  })

  it('sends each command to the primary of its slot', async () => {
    const connection = await open({ addresses: addresses() })
    expect(connection.cluster).toBe(true)
    const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`)
    await Promise.all(keys.map((key) => connection.client.set(key, key)))
    expect(await Promise.all(keys.map((key) => connection.client.get(key)))).toEqual(keys)
  })

  it('brings messages from whichever node they are published at', async () => {
    const subscriber = await open({ addresses: addresses() }, 'subscriber')
    expect(isCluster(subscriber.client)).toBe(false)
    const messages: string[] = []
    subscriber.client.on('message', (_: string, message: string) => messages.push(message))
    await subscriber.command((client) => client.subscribe('channel'))
    for (const { server } of await cluster.primaries())
      await sendCommand(server, 'PUBLISH', 'channel', `${server.port}`)
    await waitFor(() => messages.length === 3, { what: 'the messages' })
  })

  it('is worked with again after a primary was lost and its replica took over', async () => {
    const connection = await open({ addresses: addresses() })
    await connection.command((client) => client.set('k', '1'))
    const owner = await cluster.ownerOf('k')
    const [replica] = await cluster.replicasOf(owner)
    if (replica === undefined) throw new Error('no replica')
    await waitFor(async () => (await sendCommand(owner.server, 'WAIT', '1', '100')) === 1, { what: 'replication' })
    await owner.server.kill()
    const lost = await connection.command((client) => client.get('k')).catch((error: unknown) => error)
    expect(lost).toMatchObject({ retriable: true })
    await cluster.failover(replica, { force: true })
    const started = performance.now()
    await waitFor(() => connection.command((client) => client.set('k', '2')), { what: 'the new primary' })
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(await sendCommand(replica.server, 'GET', 'k')).toBe('2')
  })
})
