import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } from './errors.js'
import { createRetry, firstRetryTime, nextRetryTime, retrySettings } from './retry.js'

const quick = { initialRetryTime: 1, maxRetryTime: 2 }
const failing = (error: Error) => () => Promise.reject(error)

describe('createRetry', () => {
  it("has kafkajs's defaults", () => {
    expect(retrySettings()).toEqual(createRequire(import.meta.url)('kafkajs/src/retry/defaults'))
  })

  it('tries again until it succeeds, counting the tries', async () => {
    const counts: number[] = []
    const result = await createRetry(quick)(async (_, retryCount) => {
      counts.push(retryCount)
      if (retryCount < 3) throw new KafkaJSError('not yet')
      return 'done'
    })
    expect([result, counts]).toEqual(['done', [0, 1, 2, 3]])
  })

  it('ends with the number of retries and the last error as the cause', async () => {
    const last = new KafkaJSError('still not')
    const error: unknown = await createRetry({ ...quick, retries: 2 })(failing(last)).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(KafkaJSNumberOfRetriesExceeded)
    expect(error).toMatchObject({ retryCount: 2, retriable: false, cause: last, message: 'still not' })
    expect(error).toHaveProperty('retryTime', expect.any(Number))
  })

  it.each([
    ['an error that says so', new KafkaJSNonRetriableError('no')],
    ['an error of programming', new TypeError('x is not a function')],
  ])('does not try again after %s', async (_, cause) => {
    let tries = 0
    const error: unknown = await createRetry(quick)(() => {
      tries++
      return Promise.reject(cause)
    }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(KafkaJSNonRetriableError)
    expect(error).toMatchObject({ cause, message: cause.message })
    expect(tries).toBe(1)
  })

  it('ends with the very error that it is bailed out with, whatever the operation does after', async () => {
    const error = new KafkaJSError('enough')
    const bailing = createRetry(quick)(async (bail) => {
      bail(error)
      throw new Error('another')
    })
    await expect(bailing).rejects.toBe(error)
    await expect(createRetry(quick)(async (bail) => bail(error))).rejects.toBe(error)
  })

  it('gives up a wait when its signal is aborted', async () => {
    const abort = new AbortController()
    const reason = new KafkaJSNonRetriableError('closed')
    const retrying = createRetry(
      { initialRetryTime: 60_000 },
      abort.signal,
    )(async () => {
      setImmediate(() => abort.abort(reason))
      throw new KafkaJSError('not yet')
    })
    await expect(retrying).rejects.toBe(reason)
  })

  it('waits longer each time, within the randomness given and never longer than the maximum', () => {
    const settings = fc.record({
      maxRetryTime: fc.integer({ min: 1, max: 60_000 }),
      initialRetryTime: fc.integer({ min: 1, max: 10_000 }),
      factor: fc.double({ min: 0, max: 1, noNaN: true }),
      multiplier: fc.double({ min: 1, max: 5, noNaN: true }),
      retries: fc.constant(5),
    })
    fc.assert(
      fc.property(settings, (s) => {
        const first = firstRetryTime(s)
        expect(Math.abs(first - s.initialRetryTime)).toBeLessThanOrEqual(s.factor * s.initialRetryTime + 1)
        const next = nextRetryTime(s, first)
        expect(next).toBeLessThanOrEqual(s.maxRetryTime)
        expect(next).toBeGreaterThanOrEqual(Math.min(s.maxRetryTime, (first - s.factor * first) * s.multiplier - 1e-6))
      }),
    )
  })
})
