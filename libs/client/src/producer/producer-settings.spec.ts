import { describe, expect, it } from '@jest/globals'

import { parseProducerConfig } from './producer-settings.js'

describe('parseProducerConfig', () => {
  it('refuses to let a record wait for others until its time is up, naming both options', () => {
    const refused = expect.objectContaining({
      name: 'KafkaJSNonRetriableError',
      message: expect.stringMatching(/^lingerMs must be less than deliveryTimeoutMs.* 500 and 400 ms$/),
    })
    expect(() => parseProducerConfig({ lingerMs: 500, deliveryTimeoutMs: 400 }, {})).toThrow(refused)
    expect(() => parseProducerConfig({ lingerMs: 120_000 }, {})).toThrow('deliveryTimeoutMs')
    expect(parseProducerConfig({ lingerMs: 400, deliveryTimeoutMs: 500 }, {})).toMatchObject({ lingerMs: 400 })
  })

  it("takes kafkajs's retries: five, and without an end where idempotent, unless retry says otherwise", () => {
    const retriesOf = (config: object): number => parseProducerConfig(config, { retries: 5 }).retry.retries
    expect(retriesOf({})).toBe(5)
    expect(retriesOf({ idempotent: true })).toBe(Infinity)
    expect(retriesOf({ idempotent: true, retry: { retries: 3 } })).toBe(3)
    expect(retriesOf({ idempotent: true, retry: { retries: undefined } })).toBe(Infinity)
  })
})
