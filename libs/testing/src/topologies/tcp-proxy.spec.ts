import { afterEach, afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { Redis, type RedisOptions } from 'ioredis'
import { once } from 'node:events'
import { connect } from 'node:net'
import { sendCommand } from './servers.js'
import { startSingle } from './single.js'
import { type Command, TcpProxy } from './tcp-proxy.js'
import { waitFor } from './wait-for.js'

describe('TcpProxy', () => {
  let server: RedisServerProcess
  let proxy: TcpProxy
  const clients: Redis[] = []

  beforeAll(async () => {
    server = await startSingle()
  }, 60_000)

  beforeEach(async () => {
    proxy = await TcpProxy.start(server)
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect()
    await proxy.close()
  })

  afterAll(() => server.stop())

  async function client(options: RedisOptions = {}): Promise<Redis> {
    const redis = new Redis(proxy.url, {
      ...{ lazyConnect: true, retryStrategy: null, enableReadyCheck: false, disableClientInfo: true },
      ...{ maxRetriesPerRequest: 0, ...options },
    })
    clients.push(redis)
    redis.on('error', () => {})
    await redis.connect()
    return redis
  }

  /** What the server holds, past the proxy. */
  const held = (key: string): Promise<unknown> => sendCommand(server, 'GET', key)

  const isIncr = ({ name }: Command): boolean => name === 'INCR'

  it('starts out transparent, for large values and many at once too', async () => {
    const redis = await client()
    const large = Buffer.alloc(5 << 20, 'rivulet')
    await redis.set('large', large)
    expect((await redis.getBuffer('large'))?.equals(large)).toBe(true)
    const answers = await Promise.all(Array.from({ length: 2_000 }, (_, number) => redis.echo(String(number))))
    expect(answers).toEqual(Array.from({ length: 2_000 }, (_, number) => String(number)))
    expect(proxy.connections).toBe(1)
  })

  it('cuts the connections there are, and accepts new ones', async () => {
    const redis = await client()
    const closed = once(redis, 'end')
    proxy.cut()
    await closed
    expect(await (await client()).ping()).toBe('PONG')
    expect(proxy.accepted).toBe(2)
    await waitFor(() => proxy.connections === 1, { what: 'the first connection to be forgotten' })
  })

  it('refuses new connections as a closed port does, keeps the old, and accepts again on the same port', async () => {
    const redis = await client()
    await proxy.refuse()
    const [error]: unknown[] = await once(connect(proxy.port, proxy.host), 'error').catch((error: unknown) => [error])
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    expect(await redis.ping()).toBe('PONG')
    await proxy.accept()
    expect(await (await client()).ping()).toBe('PONG')
  })

  it('freezes: nothing arrives, nothing is lost, and all goes on when it thaws', async () => {
    const redis = await client()
    await redis.set('frozen', 0)
    proxy.freeze()
    const answers = Promise.all([redis.incr('frozen'), redis.incr('frozen')])
    const other = client()
    expect(await settlesWithin(Promise.race([answers, other.then((redis) => redis.ping())]), 100)).toBe(false)
    expect(await held('frozen')).toBe('0')
    proxy.thaw()
    expect(await answers).toEqual([1, 2])
    expect(await (await other).ping()).toBe('PONG')
  })

  it('delays both ways without changing the order', async () => {
    const redis = await client()
    proxy.delay(40)
    const start = performance.now()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, number) => redis.echo(String(number))))
    const took = performance.now() - start
    expect(answers).toEqual(Array.from({ length: 200 }, (_, number) => String(number)))
    expect(took).toBeGreaterThanOrEqual(80)
    // a delay, not a pace: what is sent together arrives together
    expect(took).toBeLessThan(1_000)
  })

  it('loses requests or replies, one way only', async () => {
    const redis = await client()
    await redis.set('lost', 0)
    proxy.blackhole('replies')
    const unanswered = redis.incr('lost').catch(String)
    await waitFor(async () => (await held('lost')) === '1', { what: 'the request to arrive' })
    expect(await settlesWithin(unanswered, 50)).toBe(false)
    await proxy.heal()
    proxy.blackhole('requests')
    const second = await client().catch(String)
    expect(typeof second).toBe('object')
    if (typeof second === 'string') return
    const unheard = second.incr('lost').catch(String)
    expect(await settlesWithin(unheard, 50)).toBe(false)
    expect(await held('lost')).toBe('1')
  })

  it('drops a reply: the server has done it, earlier replies arrive, the connection breaks', async () => {
    const redis = await client()
    await redis.mset('before', 0, 'dropped', 0, 'after', 0)
    const happened = proxy.dropReply((command) => isIncr(command) && command.bytes.includes('dropped'))
    const answers = await Promise.allSettled([redis.incr('before'), redis.incr('dropped'), redis.incr('after')])
    expect(answers[0]).toEqual({ status: 'fulfilled', value: 1 })
    expect(answers[1]?.status).toBe('rejected')
    expect(answers[2]?.status).toBe('rejected')
    await happened
    expect(await held('dropped')).toBe('1')
    // once: the next try gets through
    expect(await (await client()).incr('dropped')).toBe(2)
  })

  it('drops a request: the server has not done it, what was before it has been done, the connection breaks', async () => {
    const redis = await client()
    await redis.mset('before', 0, 'dropped', 0)
    const happened = proxy.dropRequest((command) => isIncr(command) && command.bytes.includes('dropped'))
    const answers = await Promise.allSettled([redis.incr('before'), redis.incr('dropped')])
    expect(answers[1]?.status).toBe('rejected')
    await happened
    await waitFor(async () => (await held('before')) === '1', { what: 'the command before it' })
    expect(await held('dropped')).toBe('0')
    expect(await (await client()).incr('dropped')).toBe(1)
  })

  it('drops the reply to a command of many chunks', async () => {
    const redis = await client()
    const happened = proxy.dropReply(({ name }) => name === 'SET')
    const value = Buffer.alloc(3 << 20, 'x')
    await expect(redis.set('big', value)).rejects.toThrow(/closed/)
    await happened
    expect(await sendCommand(server, 'STRLEN', 'big')).toBe(value.length)
  })

  it('sends new connections elsewhere, and closes when the target is gone', async () => {
    const other = await startSingle()
    try {
      proxy.retarget(other)
      const redis = await client()
      expect(await redis.info('server')).toContain(`tcp_port:${other.port}`)
      const closed = once(redis, 'end')
      await other.kill()
      await closed
      await expect(client().then((redis) => redis.ping())).rejects.toThrow(/closed|ECONNRE/)
    } finally {
      await other.stop()
    }
  })
})

async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), milliseconds)))
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
