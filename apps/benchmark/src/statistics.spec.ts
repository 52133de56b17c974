import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { median, quantile, summarize } from './statistics.js'

describe('quantile', () => {
  it('sorts by number, not by text', () => {
    expect(quantile([100, 9, 20], 0.5)).toBe(20)
  })

  it('lies between two neighbours in proportion', () => {
    expect(quantile([10, 20], 0.5)).toBe(15)
    expect(quantile([0, 10, 20, 30, 40], 0.9)).toBeCloseTo(36)
  })

  it('of none is not a number', () => {
    expect(quantile([], 0.5)).toBeNaN()
  })

  it('leaves the values in their order', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })

  it('never leaves the range of the values, and never falls as q grows', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 })
    const q = fc.double({ noNaN: true, min: 0, max: 1 })
    fc.assert(
      fc.property(values, q, q, (numbers, a, b) => {
        const [low, high] = [quantile(numbers, Math.min(a, b)), quantile(numbers, Math.max(a, b))]
        const slack = 1e-6 // of the interpolation
        return low >= Math.min(...numbers) - slack && high <= Math.max(...numbers) + slack && low <= high + slack
      }),
    )
  })
})

describe('summarize', () => {
  it('gives the median and the spread', () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 })
  })
})
