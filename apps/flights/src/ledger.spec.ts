import { describe, expect, it } from '@jest/globals'
import { Ledger } from './ledger.js'

function ledgerOf(...values: readonly (readonly [key: string, value: string])[]): Ledger {
  const ledger = new Ledger()
  for (const [key, value] of values) ledger.add(key, Buffer.from(value))
  return ledger
}

describe('Ledger', () => {
  it('counts values, keys and bytes, and numbers the values of a key', () => {
    const ledger = ledgerOf(['a', '12'], ['b', '345'], ['a', ''])
    expect([ledger.count, ledger.keys, ledger.bytes]).toEqual([3, 2, 5])
    expect([ledger.next('a'), ledger.next('b'), ledger.next('c')]).toEqual([2, 1, 0])
  })

  it('has the same checksum whatever the order between keys, another one for another order within a key', () => {
    const checksum = ledgerOf(['a', '1'], ['b', '2'], ['a', '3']).checksum()
    expect(checksum).toMatch(/^[0-9a-f]{8}$/)
    expect(ledgerOf(['b', '2'], ['a', '1'], ['a', '3']).checksum()).toBe(checksum)
    expect(ledgerOf(['a', '3'], ['b', '2'], ['a', '1']).checksum()).not.toBe(checksum)
    expect(ledgerOf(['a', '13'], ['b', '2']).checksum()).not.toBe(checksum)
  })
})
