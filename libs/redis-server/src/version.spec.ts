import { describe, expect, it } from '@jest/globals'
import { isSupported, parseInfo, parseVersion, parseVersionOutput } from './version.js'

describe('what a server says of its version', () => {
  it('is read from --version of Redis and of Valkey', () => {
    const redis = 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=e08dbad3e06f3fb\n'
    expect(parseVersionOutput(redis)).toEqual({ product: 'Redis', text: '7.0.15', major: 7, minor: 0 })
    const valkey = 'Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ad0f3ed608b40934\n'
    expect(parseVersionOutput(valkey)).toEqual({ product: 'Valkey', text: '8.1.1', major: 8, minor: 1 })
    expect(parseVersionOutput('GNU bash, version 5.2.15')).toBeNull()
  })

  it("is read from INFO, where Valkey's own counts and not the Redis it imitates", () => {
    expect(parseInfo('# Server\r\nredis_version:8.0.2\r\n')?.text).toBe('8.0.2')
    const valkey = '# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n'
    expect(parseInfo(valkey)).toEqual({ product: 'Valkey', text: '8.1.1', major: 8, minor: 1 })
    expect(parseInfo('')).toBeNull()
  })

  it("is read from a Debian package's version, with its epoch", () => {
    expect(parseVersion('5:7.0.15-1~deb12u10')).toEqual({ major: 7, minor: 0 })
    expect(parseVersion('(none)')).toBeNull()
  })

  it.each([
    [6, 2, false],
    [7, 0, true],
    [7, 4, true],
    [8, 0, true],
    [10, 0, true],
  ])('%i.%i is supported: %p', (major, minor, expected) => {
    expect(isSupported({ major, minor })).toBe(expected)
  })
})
