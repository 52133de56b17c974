import { afterEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { sendCommand, startReplicated, startSingle, TcpProxy, waitFor } from '@rivulet/testing'
import { connectRedis } from './connect.js'
import type { Connection } from './connection.js'
import { silentLogger, type ConnectionRole } from './redis-target.js'
import { DEFAULT_RETRY } from './retry.js'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanup.splice(0).toReversed()) await step()
})

async function single(): Promise<RedisServerProcess> {
  const server = await startSingle()
  cleanup.push(() => server.stop())
  return server
}

async function proxied(): Promise<{ server: RedisServerProcess; proxy: TcpProxy }> {
  const server = await single()
  const proxy = await TcpProxy.start(server)
  cleanup.push(() => proxy.close())
  return { server, proxy }
}

async function open(
  addresses: string[],
  { role = 'command', requestTimeout = 1_000 }: { role?: ConnectionRole; requestTimeout?: number } = {},
): Promise<Connection> {
  const server = await connectRedis({
    target: { addresses },
    clientId: 'spec',
    connectionTimeout: 300,
    requestTimeout,
    retry: { ...DEFAULT_RETRY, retries: 0 },
    logger: silentLogger,
  })
  const connection = await server.open(role)
  cleanup.push(() => connection.close())
  return connection
}

const ping = (connection: Connection): Promise<string> => connection.command((client) => client.ping())

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

describe('a lost connection', () => {
  it('fails the commands in flight at once, and none of them is sent again', async () => {
    const { server, proxy } = await proxied()
    const connection = await open([proxy.url])
    await ping(connection)
    proxy.blackhole('replies')
    const increments = Array.from({ length: 3 }, () => failure(connection.command((client) => client.incr('count'))))
    await waitFor(async () => (await sendCommand(server, 'GET', 'count')) === '3', { what: 'the increments to arrive' })
    await proxy.heal()
    proxy.cut()
    const started = performance.now()
    for (const error of await Promise.all(increments)) {
      expect(error).toMatchObject({ type: 'NETWORK_EXCEPTION', retriable: true })
      expect(error.message).toContain(`127.0.0.1:${proxy.port}`)
    }
    expect(performance.now() - started).toBeLessThan(200)
    await connection.ready()
    await ping(connection)
    expect(await sendCommand(server, 'GET', 'count')).toBe('3')
  })

  it('comes back by itself, and tells', async () => {
    const { proxy } = await proxied()
    const connection = await open([proxy.url])
    let reconnects = 0
    connection.onReconnect(() => reconnects++)
    for (let round = 1; round <= 3; round++) {
      proxy.cut()
      await waitFor(() => reconnects === round, { what: 'the reconnect' })
      expect(await ping(connection)).toBe('PONG')
    }
  })

  it('is waited for until the request timeout, and then named', async () => {
    const { proxy } = await proxied()
    const connection = await open([proxy.url], { requestTimeout: 300 })
    await proxy.refuse()
    proxy.cut()
    await waitFor(() => !connection.usable, { what: 'the loss to be noticed' })
    const started = performance.now()
    const error = await failure(ping(connection))
    const took = performance.now() - started
    expect(error).toMatchObject({ type: 'NETWORK_EXCEPTION', retriable: true })
    expect(error.message).toContain(`127.0.0.1:${proxy.port} within 300 ms`)
    expect(took).toBeGreaterThan(250)
    expect(took).toBeLessThan(1_000)
    await proxy.accept()
    await connection.ready(5_000)
    expect(await ping(connection)).toBe('PONG')
  })

  it('goes to the address that is the primary now', async () => {
    const replicated = await startReplicated({ replicas: 1 })
    cleanup.push(() => replicated.stop())
    const [replica] = replicated.replicas
    if (replica === undefined) throw new Error('no replica')
    const old = replicated.primary
    const connection = await open([old.url, replica.server.url], { requestTimeout: 5_000 })
    await old.kill()
    await replicated.promote(replica)
    await connection.command((client) => client.set('k', 'v'))
    expect(await sendCommand(replica.server, 'GET', 'k')).toBe('v')
    expect(connection.label).toBe(`127.0.0.1:${replica.server.port}`)
  })

  it('is not made to a server that has become a replica', async () => {
    const replicated = await startReplicated({ replicas: 1 })
    cleanup.push(() => replicated.stop())
    const [replica] = replicated.replicas
    if (replica === undefined) throw new Error('no replica')
    const old = replicated.primary
    const connection = await open([old.url, replica.server.url], { requestTimeout: 5_000 })
    await replicated.promote(replica)
    await replicated.follow(old)
    // READONLY: the connection is given up, and what is then connected to must be a primary
    const error = await failure(connection.command((client) => client.set('k', 'v')))
    expect(error).toMatchObject({ retriable: true })
    await waitFor(() => connection.command((client) => client.set('k', 'v')), { what: 'the primary to be found' })
    expect(await sendCommand(replica.server, 'GET', 'k')).toBe('v')
  })
})

describe('a connection without life', () => {
  it('is noticed when the server is stopped: the call times out, and the connection comes back with the server', async () => {
    const server = await single()
    const connection = await open([server.url], { requestTimeout: 400 })
    await ping(connection)
    await server.kill('SIGSTOP')
    cleanup.push(() => server.kill('SIGCONT'))
    const started = performance.now()
    const calls = Array.from({ length: 3 }, () => failure(ping(connection)))
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ type: 'REQUEST_TIMED_OUT', retriable: true })
    const took = performance.now() - started
    expect(took).toBeGreaterThanOrEqual(390)
    expect(took).toBeLessThan(1_000)
    // The stopped server's port still accepts connections: they must not be taken for usable.
    expect(await failure(ping(connection))).toMatchObject({ retriable: true })
    await server.kill('SIGCONT')
    await connection.ready(5_000)
    expect(await ping(connection)).toBe('PONG')
  })

  it('is noticed by a subscriber, which sends nothing by itself', async () => {
    const { proxy } = await proxied()
    const connection = await open([proxy.url], { role: 'subscriber', requestTimeout: 300 })
    await connection.command((client) => client.subscribe('channel'))
    let reconnects = 0
    connection.onReconnect(() => reconnects++)
    proxy.freeze()
    await waitFor(() => !connection.usable, { what: 'the silence to be noticed' })
    await proxy.heal()
    proxy.cut()
    await waitFor(() => reconnects > 0, { what: 'the reconnect' })
    expect(await ping(connection)).toBe('PONG')
  })

  it('is not assumed of a read that blocks longer than the request timeout', async () => {
    const server = await single()
    const connection = await open([server.url], { role: 'reader-block', requestTimeout: 200 })
    connection.replyTimeout = 200 + 800
    const started = performance.now()
    expect(await connection.command((client) => client.blpop('list', 0.8))).toBeNull()
    expect(performance.now() - started).toBeGreaterThan(700)
  })

  it('is not assumed of a process that was itself busy for longer than the timeout', async () => {
    const server = await single()
    const connection = await open([server.url], { requestTimeout: 200 })
    const answer = ping(connection)
    const until = performance.now() + 500
    while (performance.now() < until);
    expect(await answer).toBe('PONG')
  })
})

describe('closing', () => {
  it('lets commands in flight finish', async () => {
    const { proxy } = await proxied()
    const connection = await open([proxy.url])
    proxy.delay(50)
    const answers = Promise.all([ping(connection), ping(connection)])
    await connection.close()
    expect(await answers).toEqual(['PONG', 'PONG'])
  })

  it('takes at most a second with a stopped server, and rejects what is in flight', async () => {
    const server = await single()
    const connection = await open([server.url], { requestTimeout: 10_000 })
    await server.kill('SIGSTOP')
    cleanup.push(() => server.kill('SIGCONT'))
    const call = failure(ping(connection))
    const started = performance.now()
    await connection.close()
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(await call).toMatchObject({ type: 'CLIENT_CLOSED' })
    expect(await failure(ping(connection))).toMatchObject({ type: 'CLIENT_CLOSED' })
  })

  it('ends a read that blocks, and whoever waits for a lost connection', async () => {
    const { proxy } = await proxied()
    const blocking = await open([proxy.url], { role: 'reader-block' })
    blocking.replyTimeout = 60_000
    const read = failure(blocking.command((client) => client.blpop('list', 0)))
    const started = performance.now()
    await blocking.close()
    expect(await read).toMatchObject({ type: 'CLIENT_CLOSED' })
    expect(performance.now() - started).toBeLessThan(500)

    const lost = await open([proxy.url], { requestTimeout: 60_000 })
    await proxy.refuse()
    proxy.cut()
    await waitFor(() => !lost.usable, { what: 'the loss to be noticed' })
    const waiting = failure(ping(lost))
    await lost.close()
    expect(await waiting).toMatchObject({ type: 'CLIENT_CLOSED' })
  })
})
