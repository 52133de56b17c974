import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Backoff, clientOptions, clusterOptions, connectionName, retryDelay } from './client-options.js'

const settings = { clientId: 'c', connectionTimeout: 123, requestTimeout: 456 }

describe('the options of a connection', () => {
  it("keep the user's own, but for what the storage relies upon", () => {
    const redis = {
      family: 6,
      keyPrefix: 'p:',
      maxRetriesPerRequest: null,
      enableAutoPipelining: true,
      commandTimeout: 5,
    }
    const options = clientOptions({ redis, username: 'u', password: 'p', tls: true }, null, settings)
    expect(options).toMatchObject({
      family: 6,
      username: 'u',
      password: 'p',
      tls: {},
      keyPrefix: '',
      maxRetriesPerRequest: 0,
      enableAutoPipelining: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      connectTimeout: 123,
    })
    expect(options.commandTimeout).toBeUndefined()
  })

  it("prefer an address's own login", () => {
    const address = { host: 'h', port: 1, username: 'a', password: 'b', label: 'h:1' }
    expect(clientOptions({ username: 'u', password: 'p' }, address, settings)).toMatchObject({
      host: 'h',
      port: 1,
      username: 'a',
      password: 'b',
    })
  })

  it('of a Cluster pass its description on, and log in at each node', () => {
    const natMap = { 'inner:1': { host: 'outer', port: 2 } }
    const redis = { cluster: { nodes: [], options: { natMap, redisOptions: { family: 4 } } } }
    const options = clusterOptions({ redis, password: 'p', tls: { servername: 'x' } }, 'command', settings)
    expect(options).toMatchObject({
      natMap,
      retryDelayOnFailover: 0,
      redisOptions: { family: 4, password: 'p', tls: { servername: 'x' }, maxRetriesPerRequest: 0 },
    })
  })

  it('name the client and the role, in what Redis accepts for a name', () => {
    expect(connectionName('my app\nü', 'appender')).toBe('rivulet:my_app__:appender')
  })
})

describe('the delay before connecting again', () => {
  it('grows to two seconds, at most a half of it left to chance', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
        const full = Math.min(2_000, 50 * 2 ** attempt)
        expect(retryDelay(attempt, () => chance)).toBeLessThanOrEqual(full)
        expect(retryDelay(attempt, () => chance)).toBeGreaterThanOrEqual(full / 2)
      }),
    )
  })

  it('starts from the beginning only after a connection that lasted', () => {
    const backoff = new Backoff()
    for (let now = 0; now < 10; now++) backoff.next(now)
    backoff.connected(100)
    expect(backoff.next(200)).toBeGreaterThanOrEqual(1_000)
    backoff.connected(300)
    expect(backoff.next(2_000)).toBeLessThanOrEqual(50)
  })
})
