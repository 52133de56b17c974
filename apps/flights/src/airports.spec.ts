import { describe, expect, it } from '@jest/globals'
import { parseAirports, readAirports } from './airports.js'

describe('parseAirports', () => {
  it('reads names that are quoted, and the columns in any order', () => {
    const airports = parseAirports(
      'iata,state,name\nBTR,LA,"Baton Rouge Metropolitan, Ryan"\r\nDBN,GA,"W. H. ""Bud"" Barron"\nX,NA,\n',
    )
    expect([...airports]).toEqual([
      ['BTR', { name: 'Baton Rouge Metropolitan, Ryan', state: 'LA' }],
      ['DBN', { name: 'W. H. "Bud" Barron', state: 'GA' }],
      ['X', { name: '', state: '' }],
    ])
  })

  it('refuses a table without a column that it needs', () => {
    expect(() => parseAirports('iata,name\nORD,Chicago')).toThrow('state')
  })
})

describe('readAirports', () => {
  it('knows the airports of the data set', async () => {
    const airports = await readAirports()
    expect(airports.get('ORD')).toEqual({ name: "Chicago O'Hare International", state: 'IL' })
    expect(airports.size).toBeGreaterThan(3000)
  })
})
