import { describe, expect, it } from '@jest/globals'
import { formatBytes, formatInteger, formatSeconds, formatShare, formatTable, rate } from './format.js'

describe('numbers', () => {
  it('have separators for thousands', () => {
    expect([0, 999, 1000, 1_234_567.8].map(formatInteger)).toEqual(['0', '999', '1,000', '1,234,568'])
  })

  it('have the unit in which they are short', () => {
    const sizes = [0, 999, 1000, 28_933_120, 999_949, 999_950, 1.5e13, 1e16]
    expect(sizes.map(formatBytes)).toEqual([
      ...['0 B', '999 B', '1.0 kB', '28.9 MB', '999.9 kB', '1.0 MB', '15.0 TB', '10000.0 TB'],
    ])
    expect([formatSeconds(1249), formatShare(0.1234)]).toEqual(['1.2 s', '12.3 %'])
  })

  it('are no rate where no time has passed', () => {
    expect([rate(500, 2000), rate(500, 0)]).toEqual([250, 0])
  })
})

describe('formatTable', () => {
  it('aligns its columns, makes them as wide as need be, and cuts what is too long', () => {
    const columns = [{ title: 'Airport', maxWidth: 9 }, { title: 'State' }, { title: 'N', align: 'right' as const }]
    const rows = [
      ['Chicago O’Hare', 'IL', '1,000'],
      ['Guam', '', '7'],
    ]
    expect(formatTable(columns, rows)).toEqual([
      'Airport    State      N',
      '───────────────────────',
      'Chicago …  IL     1,000',
      'Guam                  7',
    ])
  })
})
