import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { seededRandom } from './seeded-random.js'

const ascending = (a: number, b: number): number => a - b

describe('seededRandom', () => {
  it('repeats itself with the same seed, and not with another', () => {
    const sequence = (seed: number): number[] => {
      const random = seededRandom(seed)
      return Array.from({ length: 20 }, () => random.int(0, 1_000_000))
    }
    expect(sequence(7)).toEqual(sequence(7))
    expect(sequence(7)).not.toEqual(sequence(8))
  })

  it('stays within its bounds, reaches both ends, and shuffles without loss', () => {
    const random = seededRandom(1)
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.nat(20), fc.array(fc.nat()), (min, span, items) => {
        const number = random.int(min, min + span)
        expect(number >= min && number <= min + span && Number.isInteger(number)).toBe(true)
        expect(random.shuffle(items).sort(ascending)).toEqual([...items].sort(ascending))
        expect(['a', ...items]).toContain(random.pick(['a', ...items]))
      }),
    )
    const thrown = new Set(Array.from({ length: 200 }, () => random.int(1, 6)))
    expect([...thrown].sort(ascending)).toEqual([1, 2, 3, 4, 5, 6])
    const heads = Array.from({ length: 1_000 }, () => random.bool(0.2)).filter(Boolean).length
    expect(heads).toBeGreaterThan(120)
    expect(heads).toBeLessThan(280)
    expect(() => random.pick([])).toThrow(RangeError)
  })
})
