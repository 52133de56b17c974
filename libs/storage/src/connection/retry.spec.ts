import { expect, it } from '@jest/globals'
import { DEFAULT_RETRY, retry, retryTime } from './retry.js'

it('the waits are those of kafkajs: multiplied each time, varied by the factor, bounded', () => {
  const middle = (attempts: number): number => retryTime(DEFAULT_RETRY, attempts, () => 0.5)
  expect([1, 2, 3, 20].map(middle)).toEqual([300, 600, 1_200, 30_000])
  expect(retryTime(DEFAULT_RETRY, 1, () => 0)).toBeCloseTo(240)
  expect(retryTime(DEFAULT_RETRY, 1, () => 1)).toBeCloseTo(360)
})

it('what fails is tried until it succeeds, at most as often as allowed, and not again after a final error', async () => {
  const options = { ...DEFAULT_RETRY, retries: 3, initialRetryTime: 1 }
  const failing = (failures: number) => {
    let attempts = 0
    return async () => {
      if (attempts++ < failures) throw new Error(String(attempts))
      return attempts
    }
  }
  expect(await retry(options, failing(3), () => true)).toBe(4)
  await expect(retry(options, failing(4), () => true)).rejects.toThrow('4')
  await expect(retry(options, failing(4), () => false)).rejects.toThrow('1')
})
