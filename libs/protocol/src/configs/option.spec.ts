import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { KafkaError } from '../errors.js'
import { adminOptions, clientOptions, retryOptions } from './client-options.js'
import { consumerOptions, runOptions } from './consumer-options.js'
import { type OptionDefinitions, parseOptions, unknownOptions } from './option.js'
import { producerOptions } from './producer-options.js'

const refusal = (definitions: OptionDefinitions, given: Record<string, unknown>): KafkaError => {
  try {
    parseOptions(definitions, given)
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
  throw new Error('it was accepted')
}

const all: [name: string, definitions: OptionDefinitions][] = [
  ['client', clientOptions],
  ['admin', adminOptions],
  ['retry', retryOptions],
  ['producer', producerOptions],
  ['consumer', consumerOptions],
  ['run', runOptions],
]

describe.each(all)('the %s options', (_, definitions) => {
  it('may all be left out, and then have their defaults', () => {
    const defaults = Object.fromEntries(Object.entries(definitions).map(([name, { default: value }]) => [name, value]))
    expect(parseOptions(definitions, {})).toEqual(defaults)
    expect(parseOptions(definitions, Object.fromEntries(Object.keys(definitions).map((n) => [n, undefined])))).toEqual(
      defaults,
    )
  })

  it('refuse what no type accepts, naming the option', () => {
    for (const name of Object.keys(definitions)) {
      expect(refusal(definitions, { [name]: Symbol('x') })).toMatchObject({
        type: 'INVALID_OPTION',
        details: { option: name },
      })
    }
  })
})

describe('parseOptions', () => {
  it('keeps the precise types of functions and fills in the types of defaults', () => {
    interface Partitioner {
      (): (message: { topic: string }) => number
    }
    const given: { createPartitioner: Partitioner; lingerMs?: number } = { createPartitioner: () => () => 3 }
    const options = parseOptions(producerOptions, given)
    const partition: number = options.createPartitioner()({ topic: 'orders' })
    const linger: number = options.lingerMs
    const transactionalId: string | undefined = options.transactionalId
    expect([partition, linger, transactionalId]).toEqual([3, 0, undefined])
  })

  it('keeps null where null means something', () => {
    expect(parseOptions(runOptions, { autoCommitInterval: null }).autoCommitInterval).toBe(null)
    expect(refusal(runOptions, { autoCommit: null }).message).toBe('autoCommit must be true or false, not null')
  })

  it('either returns a number in its range or refuses it, naming option and value', () => {
    const anyClientOptions: OptionDefinitions = clientOptions
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double(), fc.string(), fc.anything()), (value: unknown) => {
        fc.pre(value !== undefined)
        try {
          const { requestTimeout } = parseOptions(anyClientOptions, { requestTimeout: value })
          return (
            typeof requestTimeout === 'number' &&
            requestTimeout >= 1 &&
            requestTimeout < 2 ** 31 &&
            requestTimeout % 1 === 0
          )
        } catch (error) {
          // A text with an @ may be a URL with a login, an object may hold one: they are not passed on in the details.
          const mayHoldLogin = typeof value === 'string' ? value.includes('@') : Object(value) === value
          return (
            error instanceof KafkaError &&
            error.message.startsWith('requestTimeout must be an integer from 1 to 2147483647, not ') &&
            (mayHoldLogin ? !('value' in error.details) : Object.is(error.details['value'], value))
          )
        }
      }),
    )
  })

  it('names an option inside an option by its path, and does not fill that in', () => {
    expect(refusal(clientOptions, { retry: { retries: -1 } })).toMatchObject({
      message: 'retry.retries must be a number of at least 0, or Infinity, not -1',
      details: { option: 'retry.retries', value: -1 },
    })
    expect(refusal(clientOptions, { retry: 5 }).message).toBe('retry must be an object of retry options, not 5')
    expect(parseOptions(clientOptions, { retry: { retries: Infinity } }).retry).toEqual({ retries: Infinity })
  })

  it('never shows a password', () => {
    const error = refusal(clientOptions, { sasl: { username: 'u', password: 12345 } })
    expect(error.message).toBe('sasl.password must be a text')
    expect(JSON.stringify(error)).not.toContain('12345')
  })

  it('says what to do instead of an option that is not taken', () => {
    expect(refusal(clientOptions, { socketFactory: () => undefined }).message).toContain(
      'connections are made by ioredis',
    )
    expect(refusal(clientOptions, { sasl: { mechanism: 'scram-sha-256' } }).message).toBe(
      'sasl.mechanism must be \'plain\', not "scram-sha-256"',
    )
  })

  it('takes brokers as a list or a function, and nothing empty', () => {
    parseOptions(clientOptions, { brokers: ['127.0.0.1:6379'] })
    parseOptions(clientOptions, { brokers: () => ['127.0.0.1:6379'] })
    for (const brokers of [[], [''], [6379], '127.0.0.1:6379']) {
      expect(refusal(clientOptions, { brokers }).message).toMatch(/^brokers must be a list such as/)
    }
  })

  it('takes a time as the place to start reading', () => {
    expect(parseOptions(consumerOptions, { autoOffsetReset: { timestamp: 5 } }).autoOffsetReset).toEqual({
      timestamp: 5,
    })
    for (const autoOffsetReset of ['first', { timestamp: -1 }, { timestamp: '5' }, {}, null]) {
      expect(refusal(consumerOptions, { autoOffsetReset }).message).toContain(
        "'latest', 'earliest' or 'none', or { timestamp",
      )
    }
  })

  it('refuses options that are no object', () => {
    for (const given of [null, 5, 'x', []]) {
      expect(() => void Reflect.apply(parseOptions, undefined, [clientOptions, given])).toThrow(
        /^Options must be an object/,
      )
    }
  })
})

describe('unknownOptions', () => {
  it('names each unknown option, and what it may have been meant to be', () => {
    expect(unknownOptions(producerOptions, { lingerMs: 1, 'linger.ms': 5, toString: 1, acks: -1 })).toEqual([
      'There is no option "linger.ms". Did you mean \'lingerMs\'?',
      'There is no option "toString"',
      'There is no option "acks"',
    ])
  })
})
