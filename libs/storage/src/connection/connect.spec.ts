import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { freePort } from '@rivulet/redis-server'
import { sendCommand, startReplicated, startSingle, testRedisUrl, testTopology, waitFor } from '@rivulet/testing'
import { Redis } from 'ioredis'
import { connectRedis, type ConnectOptions } from './connect.js'
import type { Connection } from './connection.js'
import type { RedisTarget, StorageLogger } from './redis-target.js'
import { DEFAULT_RETRY } from './retry.js'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanup.splice(0).toReversed()) await step()
})

const warnings: string[] = []
const note = (message: string): void => void warnings.push(message)
const logger: StorageLogger = { error: note, warn: note, info: () => undefined, debug: () => undefined }

function options(target: RedisTarget, more: Partial<ConnectOptions> = {}): ConnectOptions {
  warnings.length = 0
  return {
    target,
    clientId: 'spec',
    connectionTimeout: 500,
    requestTimeout: 2_000,
    retry: { ...DEFAULT_RETRY, retries: 0 },
    logger,
    ...more,
  }
}

async function refusal(target: RedisTarget, more: Partial<ConnectOptions> = {}): Promise<KafkaError> {
  const started = performance.now()
  const error = await connectRedis(options(target, more)).then(
    () => {
      throw new Error('it connected')
    },
    (reason: unknown) => reason,
  )
  if (!(error instanceof KafkaError)) throw error
  expect(performance.now() - started).toBeLessThan(2_500)
  return error
}

async function open(target: RedisTarget): Promise<Connection> {
  const server = await connectRedis(options(target))
  const connection = await server.open('command')
  cleanup.push(() => connection.close())
  return connection
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup.push(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on no port')
  return address.port
}

describe('connecting', () => {
  const url = testRedisUrl()
  const { host } = new URL(url)

  it('takes host:port, a URL, and ioredis options, and tells what it found', async () => {
    if (testTopology() !== 'single') return
    for (const target of [
      { addresses: [host] },
      { addresses: [url] },
      { addresses: () => Promise.resolve([host]) },
      { redis: { host: new URL(url).hostname, port: Number(new URL(url).port) } },
    ]) {
      const server = await connectRedis(options(target))
      expect(server.cluster).toBe(false)
      expect(server.primaries).toMatchObject([{ role: 'primary', cluster: false, address: host }])
      const connection = await server.open('command')
      expect(await connection.client.ping()).toBe('PONG')
      await connection.close()
    }
  })

  it('duplicates an instance and leaves it alone', async () => {
    if (testTopology() !== 'single') return
    const own = new Redis(url, { keyPrefix: 'p:', maxRetriesPerRequest: null })
    cleanup.push(() => own.disconnect())
    const connection = await open({ redis: own })
    expect(connection.client).not.toBe(own)
    await connection.client.set('rivulet-spec-prefix', 1, 'EX', 1)
    expect(await own.exists('rivulet-spec-prefix')).toBe(0)
    await connection.close()
    expect(await own.ping()).toBe('PONG')
  })

  it('reaches a server by its unix socket', async () => {
    const server = await startSingle({ config: ['--unixsocket', 'redis.sock'] })
    cleanup.push(() => server.stop())
    for (const address of [`unix:${server.folder}/redis.sock`, `unix://${server.folder}/redis.sock`]) {
      const connection = await open({ addresses: [address] })
      expect(connection.label).toBe(`unix:${server.folder}/redis.sock`)
      expect(await connection.client.ping()).toBe('PONG')
    }
  })

  it('chooses the database that the URL names', async () => {
    const server = await startSingle()
    cleanup.push(() => server.stop())
    const connection = await open({ addresses: [`${server.url}/3`] })
    await connection.client.set('k', 'v')
    expect(await sendCommand(server, 'INFO', 'keyspace')).toContain('db3:keys=1')
  })

  it('goes on to the next address when one does not answer, or is a replica', async () => {
    const replicated = await startReplicated({ replicas: 1 })
    cleanup.push(() => replicated.stop())
    const [replica] = replicated.replicas
    const dead = await freePort()
    const addresses = [`127.0.0.1:${dead}`, replica?.server.url ?? '', replicated.primary.url]
    const connection = await open({ addresses })
    expect(connection.label).toBe(`127.0.0.1:${replicated.primary.port}`)
  })

  it('learns from HELLO what a user without INFO may not ask', async () => {
    const server = await startSingle()
    cleanup.push(() => server.stop())
    await sendCommand(server, 'ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '&*', '+@all', '-info')
    const target = { addresses: [`127.0.0.1:${server.port}`], username: 'few', password: 'pw' }
    const { primaries } = await connectRedis(options(target))
    expect(primaries).toMatchObject([{ version: server.version, role: 'primary', cluster: false, maxmemory: null }])
  })
})

describe('connecting refuses', () => {
  it('a port where nobody listens, naming it, within the connection timeout', async () => {
    const port = await freePort()
    const error = await refusal({ addresses: [`redis://u:geheim@127.0.0.1:${port}`] })
    expect(error).toMatchObject({ type: 'NETWORK_EXCEPTION', retriable: true })
    expect(error.message).toContain(`127.0.0.1:${port}`)
    expect(error.message).toContain('ECONNREFUSED')
    expect(error.message).not.toContain('geheim')
  })

  it('an address that is not one, without showing a password', async () => {
    const error = await refusal({ addresses: ['http://u:geheim@x'] })
    expect(error.type).toBe('INVALID_OPTION')
    expect(error.message).not.toContain('geheim')
    expect(await refusal({ addresses: [] })).toMatchObject({ type: 'INVALID_OPTION' })
    expect(await refusal({})).toMatchObject({ type: 'INVALID_OPTION' })
  })

  it('a host that has no address', async () => {
    const error = await refusal({ addresses: ['no-such-host.invalid:6379'] })
    expect(error.type).toBe('NETWORK_EXCEPTION')
    expect(error.message).toContain('no-such-host.invalid')
  })

  it('only after as many attempts as retry says', async () => {
    const server = createServer((socket) => socket.destroy())
    let attempts = 0
    server.on('connection', () => attempts++)
    const port = await listening(server)
    const retry = { ...DEFAULT_RETRY, retries: 3, initialRetryTime: 10 }
    expect((await refusal({ addresses: [`127.0.0.1:${port}`] }, { retry })).type).toBe('NETWORK_EXCEPTION')
    expect(attempts).toBe(4)
  })

  it('an HTTP server', async () => {
    const port = await listening(createHttpServer((_, response) => response.end('hello')))
    const error = await refusal({ addresses: [`127.0.0.1:${port}`] })
    expect(error).toMatchObject({ type: 'UNSUPPORTED_SERVER', retriable: false })
    expect(error.message).toContain(`127.0.0.1:${port} is not a Redis server`)
  })

  it('a server that closes without a word, as Kafka does', async () => {
    const port = await listening(createServer((socket) => socket.once('data', () => socket.end())))
    const error = await refusal({ addresses: [`127.0.0.1:${port}`] })
    expect(error.type).toBe('NETWORK_EXCEPTION')
    expect(error.message).toContain(`127.0.0.1:${port} closed the connection without an answer: it is not a Redis`)
  })

  it('a server that never answers, within the connection timeout', async () => {
    const sockets: Socket[] = []
    const port = await listening(createServer((socket) => void sockets.push(socket)))
    const error = await refusal({ addresses: [`127.0.0.1:${port}`] })
    for (const socket of sockets) socket.destroy()
    expect(error.type).toBe('NETWORK_EXCEPTION')
    expect(error.message).toMatch(new RegExp(`127.0.0.1:${port}.*(does not answer|within 500 ms)`))
  })

  it('a missing and a wrong password', async () => {
    const server = await startSingle({ config: ['--requirepass', 'right'] })
    cleanup.push(() => server.stop())
    const address = `${server.host}:${server.port}`
    for (const target of [
      { addresses: [address] },
      { addresses: [address], password: 'wrong-one' },
      { addresses: [address], username: 'nobody', password: 'right' },
      { addresses: [`redis://:wrong-one@${address}`] },
    ]) {
      const error = await refusal(target)
      expect(error).toMatchObject({ type: 'SASL_AUTHENTICATION_FAILED', retriable: false })
      expect(error.message).toContain(address)
      expect(error.message).not.toContain('wrong-one')
    }
    expect(await (await open({ addresses: [address], password: 'right' })).client.ping()).toBe('PONG')
    expect(await (await open({ addresses: [`redis://default:right@${address}`] })).client.ping()).toBe('PONG')
  })

  it('a replica, naming its primary', async () => {
    const replicated = await startReplicated({ replicas: 1 })
    cleanup.push(() => replicated.stop())
    const [replica] = replicated.replicas
    const error = await refusal({ addresses: [replica?.server.url ?? ''] })
    expect(error.type).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(error.message).toContain(`127.0.0.1:${replica?.server.port} is a replica of 127.0.0.1:${replica?.link.port}`)
  })

  it('a server that is loading its data', async () => {
    // A kilobyte a key, and 5 ms: it answers once a key, and is busy for seconds.
    const slow = [
      '--key-load-delay',
      '5000',
      '--loading-process-events-interval-bytes',
      '1024',
      '--rdbcompression',
      'no',
    ]
    const server = await startSingle({ config: [...slow, '--enable-debug-command', 'yes'] })
    cleanup.push(() => server.stop())
    await sendCommand(server, 'DEBUG', 'POPULATE', '1000', 'k', '1024')
    const reload = sendCommand(server, 'DEBUG', 'RELOAD').catch(() => undefined)
    cleanup.push(async () => {
      await server.kill()
      await reload
    })
    const isLoading = async (): Promise<boolean> =>
      String(await sendCommand(server, 'INFO', 'persistence')).includes('\nloading:1')
    await waitFor(isLoading, { what: 'the server to load' })
    const error = await refusal({ addresses: [server.url] })
    expect(error).toMatchObject({ type: 'LEADER_NOT_AVAILABLE', retriable: true })
    expect(error.message).toContain('loading')
  })

  it('nothing because of an eviction policy, but warns of it', async () => {
    const server = await startSingle({ config: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] })
    cleanup.push(() => server.stop())
    const { primaries } = await connectRedis(options({ addresses: [server.url] }))
    expect(primaries).toMatchObject([{ maxmemory: 104_857_600, maxmemoryPolicy: 'allkeys-lru' }])
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`127.0.0.1:${server.port} .*allkeys-lru.*noeviction`))])
  })
})
