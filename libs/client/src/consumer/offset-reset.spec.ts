import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decideStart, parseOffset, startAt } from './offset-reset.js'

const bounds = { logStartOffset: 10, logEndOffset: 20 }

describe('offsets', () => {
  it.each([
    [5, 5],
    ['5', 5],
    [5n, 5],
    ['-1', -1],
    ['', null],
    ['5.5', null],
    [5.5, null],
    [NaN, null],
    ['9007199254740993', null],
    [undefined, null],
    [null, null],
  ])('%p is read as %p', (given, expected) => {
    expect(parseOffset(given)).toBe(expected)
  })

  it('-1 and -2 are the end and the start, other negative ones nothing', () => {
    expect([startAt(-1), startAt(-2), startAt(-3), startAt(0)]).toEqual([
      { kind: 'latest' },
      { kind: 'earliest' },
      null,
      { kind: 'offset', offset: 0 },
    ])
  })
})

describe('the decision where to start', () => {
  it('takes an offset that the log holds or is about to, and no other', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.constantFrom('earliest', 'latest', 'none'), (offset, policy) => {
        const decision = decideStart({ kind: 'offset', offset }, policy, bounds)
        const isHeld = offset >= 10 && offset <= 20
        expect(decision).toEqual(isHeld ? { kind: 'position', offset } : decideStart({ kind: 'reset' }, policy, bounds))
      }),
    )
  })

  it.each([
    ['earliest', { kind: 'position', offset: 10 }],
    ['latest', { kind: 'position', offset: 20 }],
    ['none', { kind: 'out-of-range' }],
    [{ timestamp: 7 }, { kind: 'lookup', timestamp: 7 }],
  ] as const)('by the policy %j', (policy, expected) => {
    expect(decideStart({ kind: 'reset' }, policy, bounds)).toEqual(expected)
  })
})
