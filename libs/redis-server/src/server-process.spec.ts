import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { existsSync } from 'node:fs'
import { findRedisBinary, type RedisBinary } from './find-binary.js'
import { type RedisServerProcess, startRedisServer, type StartOptions } from './server-process.js'

describe('startRedisServer', () => {
  let binary: RedisBinary
  const started: RedisServerProcess[] = []

  beforeAll(async () => {
    binary = await findRedisBinary()
  }, 60_000)

  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.stop()))
  })

  async function start(options: StartOptions = {}): Promise<RedisServerProcess> {
    const server = await startRedisServer({ binary, ...options })
    started.push(server)
    return server
  }

  async function ask<T>(server: RedisServerProcess, question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(server.url, { lazyConnect: true, retryStrategy: null, enableReadyCheck: false })
    redis.on('error', () => {}) // the question rejects
    try {
      await redis.connect()
      return await question(redis)
    } finally {
      if (redis.status !== 'end') redis.disconnect()
    }
  }

  it('starts a server that persists nothing, evicts nothing and is reachable from this machine only', async () => {
    const server = await start()
    const settings = await ask(server, (redis) =>
      redis.config('GET', 'bind', 'protected-mode', 'save', 'appendonly', 'maxmemory-policy', 'dir'),
    )
    const pairs = Array.isArray(settings) ? settings.map(String) : []
    const setting = (name: string): string | undefined => pairs[pairs.indexOf(name) + 1]
    expect(setting('bind')).toBe('127.0.0.1')
    expect(setting('protected-mode')).toBe('yes')
    expect(setting('save')).toBe('')
    expect(setting('appendonly')).toBe('no')
    expect(setting('maxmemory-policy')).toBe('noeviction')
    expect(setting('dir')).toContain(server.folder)
    expect(server.version).toBe(binary.version.text)
    expect(await ask(server, (redis) => redis.info('server'))).toContain(`process_id:${server.pid}\r\n`)
  })

  it('gives several that start at once ports and folders of their own', async () => {
    const servers = await Promise.all([start(), start(), start()])
    expect(new Set(servers.map(({ port }) => port)).size).toBe(3)
    for (const server of servers) await ask(server, (redis) => redis.set('port', server.port))
    for (const server of servers) expect(await ask(server, (redis) => redis.get('port'))).toBe(String(server.port))
  })

  it('lets further settings win, a password among them', async () => {
    const server = await start({ config: ['--requirepass', 'open sesame', '--maxmemory', '50mb'] })
    await expect(ask(server, (redis) => redis.get('x'))).rejects.toThrow(/NOAUTH/)
  })

  it('brings back what the append-only file holds when it is restarted after SIGKILL', async () => {
    const server = await start({ appendonly: true, config: ['--appendfsync', 'always'] })
    await ask(server, (redis) => redis.set('kept', 'yes'))
    const before = server.pid
    await server.kill('SIGKILL')
    expect(server.running).toBe(false)
    await expect(ask(server, (redis) => redis.ping())).rejects.toThrow(/closed|ECONNREFUSED/)
    await server.restart()
    expect(server.pid).not.toBe(before)
    expect(await ask(server, (redis) => redis.get('kept'))).toBe('yes')
  })

  it('restarts empty on the same port when nothing is persisted', async () => {
    const server = await start()
    const { port } = server
    await ask(server, (redis) => redis.set('gone', 'soon'))
    await server.restart()
    expect(server.port).toBe(port)
    expect(await ask(server, (redis) => redis.get('gone'))).toBeNull()
  })

  it('halts and goes on at SIGSTOP and SIGCONT', async () => {
    const server = await start()
    await server.kill('SIGSTOP')
    const answer = ask(server, (redis) => redis.ping())
    await server.kill('SIGCONT')
    expect(await answer).toBe('PONG')
  })

  it('leaves no process and no folder when it is stopped, even halted, and cannot be started again', async () => {
    const server = await start()
    const { pid, folder } = server
    await server.kill('SIGSTOP')
    await server.stop()
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
    expect(existsSync(folder)).toBe(false)
    await server.stop()
    await expect(server.restart()).rejects.toThrow(/was stopped for good/)
  })

  it('says what the server said when it does not come up', async () => {
    await expect(start({ config: ['--maxmemory', 'plenty'] })).rejects.toThrow(/ended at once[^]*maxmemory/)
  })

  it('does not take the port of another', async () => {
    const { port } = await start()
    await expect(start({ port })).rejects.toThrow(/in use/)
  })
})
