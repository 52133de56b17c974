import { describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import fc from 'fast-check'
import { parseAddress, parseAddresses } from './addresses.js'

describe('an address', () => {
  it.each([
    ['localhost', { host: 'localhost', port: 6379, label: 'localhost:6379' }],
    ['redis-1.example:7000', { host: 'redis-1.example', port: 7000, label: 'redis-1.example:7000' }],
    ['127.0.0.1:6380', { host: '127.0.0.1', port: 6380, label: '127.0.0.1:6380' }],
    ['[::1]:6380', { host: '::1', port: 6380, label: '[::1]:6380' }],
    ['redis://h', { host: 'h', port: 6379, label: 'h:6379' }],
    ['redis://h:1/2', { host: 'h', port: 1, db: 2, label: 'h:1' }],
    ['redis://u:p%40ss@h:1', { host: 'h', port: 1, username: 'u', password: 'p@ss', label: 'h:1' }],
    ['redis://:p@h:1/', { host: 'h', port: 1, password: 'p', label: 'h:1' }],
    ['rediss://[::1]:1', { host: '::1', port: 1, tls: true, label: '[::1]:1' }],
    ['unix:/run/redis.sock', { path: '/run/redis.sock', label: 'unix:/run/redis.sock' }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock', label: 'unix:/run/redis.sock' }],
  ])('%s is understood', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected)
  })

  it.each([
    '',
    ' ',
    'h:0',
    'h:65536',
    'h:port',
    'http://h',
    'redis://',
    'redis://h/db',
    'unix:relative',
    'a b:1',
    'u:p@h:1',
  ])('"%s" is refused', (text) => {
    expect(() => parseAddress(text)).toThrow(KafkaError)
    expect(() => parseAddress(text)).toThrow(/host:port/)
  })

  it('is never shown with its password', () => {
    const scheme = fc.constantFrom('', 'redis://', 'rediss://', 'http://', 'unix:')
    fc.assert(
      fc.property(scheme, fc.constantFrom('/x', ':99999', '', ':1'), (prefix, suffix) => {
        let shown: string
        try {
          shown = parseAddress(`${prefix}user:top/secret@host${suffix}`).label
        } catch (error) {
          shown = error instanceof Error ? error.message : ''
        }
        expect(shown).not.toContain('secret')
      }),
    )
  })

  it('is needed', () => {
    expect(() => parseAddresses([])).toThrow(/brokers is empty/)
  })
})
