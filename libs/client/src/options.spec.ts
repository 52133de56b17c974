import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { KafkaJSNonRetriableError, KafkaJSNotImplemented } from './errors.js'
import { parseClientOptions } from './options.js'

const brokers = ['localhost:6379']

const refused = (config: object): Error => {
  try {
    Reflect.apply(parseClientOptions, undefined, [config])
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('The options were accepted')
}

describe('parseClientOptions', () => {
  it('fills in the defaults', () => {
    expect(parseClientOptions({ brokers })).toEqual({
      clientId: 'rivulet',
      retry: {},
      logLevel: 4,
      logCreator: undefined,
      storage: {
        redis: { addresses: brokers },
        namespace: 'rivulet',
        shards: 12,
        clientId: 'rivulet',
        connectionTimeout: 1000,
        requestTimeout: 30_000,
      },
    })
  })

  it('takes brokers as a function', () => {
    const list = async () => ['redis://localhost:6379', 'unix:/tmp/redis.sock']
    expect(parseClientOptions({ brokers: list }).storage.redis.addresses).toBe(list)
  })

  it("makes ssl and sasl plain TLS and Redis's login, however plain is written", () => {
    const ssl = { rejectUnauthorized: false }
    for (const mechanism of ['plain', 'PLAIN']) {
      const sasl = { mechanism, username: 'app', password: 'secret' }
      const options: unknown = Reflect.apply(parseClientOptions, undefined, [{ brokers, ssl, sasl }])
      expect(options).toHaveProperty('storage.redis', {
        addresses: brokers,
        tls: ssl,
        username: 'app',
        password: 'secret',
      })
    }
    expect(parseClientOptions({ brokers, ssl: false }).storage.redis).toEqual({ addresses: brokers })
    expect(parseClientOptions({ brokers, ssl: true }).storage.redis).toEqual({ addresses: brokers, tls: true })
  })

  it("takes ioredis's options, a Cluster or an instance as they are, before brokers", () => {
    for (const redis of [{ host: 'a', port: 1 }, { cluster: { nodes: [{ host: 'a', port: 1 }] } }]) {
      expect(parseClientOptions({ redis }).storage.redis).toEqual({ redis })
      expect(parseClientOptions({ brokers, redis }).storage.redis).toEqual({ redis })
    }
  })

  it.each([
    [{}, /brokers is missing/],
    [{ brokers: [] }, /brokers must be a list/],
    [{ brokers: 'localhost:6379' }, /brokers .*"localhost:6379"/],
    [{ brokers: [6379] }, /brokers/],
    [{ brokers, namespace: 'a b' }, /namespace .*"a b"/],
    [{ brokers, clientId: 7 }, /clientId .*7/],
    [{ brokers, connectionTimeout: '1s' }, /connectionTimeout .*"1s"/],
    [{ brokers, requestTimeout: -1 }, /requestTimeout .*-1/],
    [{ brokers, ssl: 'yes' }, /ssl .*"yes"/],
    [{ brokers, sasl: 'app' }, /^sasl must be an object(?!.*app)/],
    [{ brokers, logLevel: 'info' }, /logLevel .*"info"/],
    [{ brokers, logCreator: {} }, /logCreator/],
    [{ brokers, retry: { retries: 'many' } }, /retry\.retries .*"many"/],
    [{ brokers, redis: 'localhost' }, /redis .*"localhost"/],
    [{ brokers, socketFactory: () => undefined }, /socketFactory .*redis/],
  ])('refuses %j, naming option and value', (config, message) => {
    const error = refused(config)
    expect(error).toBeInstanceOf(KafkaJSNonRetriableError)
    expect(error.message).toMatch(message)
  })

  it.each(['scram-sha-256', 'scram-sha-512', 'aws', 'oauthbearer', 'custom'])(
    'names the mechanism %s as not supported',
    (mechanism) => {
      const error = refused({ brokers, sasl: { mechanism, username: 'app', password: 'secret' } })
      expect(error).toBeInstanceOf(KafkaJSNotImplemented)
      expect(error.message).toContain(`"${mechanism}"`)
    },
  )

  it('never shows a password', () => {
    const error = refused({ brokers, sasl: { mechanism: 'plain', username: 'app', password: 12345 } })
    expect(error.message).toContain('sasl.password')
    expect(inspect(error, { depth: 10 })).not.toContain('12345')
  })
})
