import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { didYouMean, nearMatches } from './near-matches.js'

const names = ['retention.ms', 'retention.bytes', 'segment.ms', 'lingerMs', 'batchSize']

describe('nearMatches', () => {
  it('finds a name that is written differently, or with a slip', () => {
    expect(nearMatches('retentionMs', names)).toEqual(['retention.ms'])
    expect(nearMatches('linger.ms', names)).toEqual(['lingerMs'])
    expect(nearMatches('retetion.ms', names)).toEqual(['retention.ms'])
    expect(nearMatches('batchsise', names)).toEqual(['batchSize'])
  })

  it('finds nothing where nothing is near', () => {
    expect(nearMatches('cleanup.policy', names)).toEqual([])
    expect(nearMatches('', names)).toEqual([])
  })

  it('puts the nearest first, and of any candidates a name itself', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 8 }), (candidates) => {
        const [name = ''] = candidates
        const found = nearMatches(name, candidates)
        return found[0] === name && found.length <= 3
      }),
    )
  })
})

describe('didYouMean', () => {
  it('ends a sentence with the names, or not at all', () => {
    expect(didYouMean('segments.ms', names)).toBe(". Did you mean 'segment.ms'?")
    expect(didYouMean('x', names)).toBe('')
  })
})
