import { describe, expect, it } from '@jest/globals'
import {
  checkVersion,
  evictionWarning,
  mergeFacts,
  serverInfoFromHello,
  serverInfoFromInfo,
  type ServerInfo,
} from './server-facts.js'

const info = (fields: Record<string, string>): string =>
  ['# Server', ...Object.entries(fields).map(([name, value]) => `${name}:${value}`), ''].join('\r\n')

describe('INFO', () => {
  it('of Redis is read', () => {
    const text = info({
      redis_version: '7.2.4',
      redis_mode: 'standalone',
      cluster_enabled: '0',
      role: 'master',
      loading: '0',
      maxmemory: '1000',
      maxmemory_policy: 'noeviction',
      total_system_memory: '5000',
    })
    expect(serverInfoFromInfo(text, 'h:1')).toEqual({
      address: 'h:1',
      product: 'redis',
      version: '7.2.4',
      redisVersion: '7.2.4',
      cluster: false,
      role: 'primary',
      primary: null,
      loading: false,
      maxmemory: 1000,
      maxmemoryPolicy: 'noeviction',
      totalSystemMemory: 5000,
    })
  })

  it('of Valkey gives its own version and the one of Redis that it is compatible with', () => {
    const text = info({
      redis_version: '7.2.4',
      server_name: 'valkey',
      valkey_version: '8.1.0',
      role: 'slave',
      master_host: 'p',
      master_port: '2',
    })
    expect(serverInfoFromInfo(text, 'h:1')).toMatchObject({
      product: 'valkey',
      version: '8.1.0',
      redisVersion: '7.2.4',
      role: 'replica',
      primary: 'p:2',
    })
  })

  it('without a version is no INFO of Redis', () => {
    expect(() => serverInfoFromInfo('hello', 'h:1')).toThrow(expect.objectContaining({ type: 'UNSUPPORTED_SERVER' }))
  })
})

it('HELLO is read as a list and as an object', () => {
  const expected = { product: 'redis', version: '8.0.2', cluster: true, role: 'primary', maxmemory: null }
  const list = ['server', 'redis', 'version', '8.0.2', 'proto', 2, 'mode', 'cluster', 'role', 'master', 'modules', []]
  expect(serverInfoFromHello(list, 'h:1')).toMatchObject(expected)
  const object = { server: 'redis', version: '8.0.2', mode: 'cluster', role: 'master' }
  expect(serverInfoFromHello(object, 'h:1')).toMatchObject(expected)
  expect(serverInfoFromHello(new Map(Object.entries(object)), 'h:1')).toMatchObject(expected)
})

describe('a server', () => {
  const server = (fields: Partial<ServerInfo>): ServerInfo => ({
    ...serverInfoFromInfo(info({ redis_version: '8.0.0' }), 'h:1'),
    ...fields,
  })

  it.each(['2.8.0', '6.2.14', 'x'])('of version %s is refused, naming it', (version) => {
    expect(() => checkVersion(server({ version, redisVersion: version }))).toThrow(
      expect.objectContaining({ type: 'UNSUPPORTED_SERVER', message: expect.stringContaining(`redis ${version}`) }),
    )
  })

  it.each(['7.0.0', '7.2.4', '8.0.2', '10.1.0'])('of version %s is accepted', (version) => {
    expect(() => checkVersion(server({ version, redisVersion: version }))).not.toThrow()
  })

  it('that evicts is warned of', () => {
    expect(evictionWarning(server({ maxmemoryPolicy: 'allkeys-lru' }))).toMatch(/h:1.*allkeys-lru/)
    expect(evictionWarning(server({ maxmemoryPolicy: 'noeviction' }))).toBeNull()
    expect(evictionWarning(server({ maxmemoryPolicy: null }))).toBeNull()
  })

  it.each([
    [[100, 200], 300],
    [[100, 0], 0],
    [[100, null], null],
  ])('of several with maxmemory %j has %j altogether', (limits, expected) => {
    const rights = { infoInScripts: true, clientUnblock: true, waitaof: true }
    expect(
      mergeFacts(
        limits.map((maxmemory) => server({ maxmemory })),
        rights,
      ).maxmemory,
    ).toBe(expected)
  })
})
