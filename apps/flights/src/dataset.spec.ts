import { describe, expect, it } from '@jest/globals'
import { readFlights } from './dataset.js'

describe('readFlights', () => {
  it('gives as many flights as asked for, in chunks, the earliest departures first', async () => {
    const sizes: number[] = []
    const flights = []
    for await (const chunk of readFlights(2500, 1000)) {
      sizes.push(chunk.length)
      flights.push(...chunk)
    }
    expect(sizes).toEqual([1000, 1000, 500])
    expect(flights[0]).toEqual({
      departure: Date.UTC(2001, 0, 1, 0, 1),
      delay: 33,
      distance: 2176,
      origin: 'LAS',
      destination: 'PHL',
    })
    const departures = flights.map(({ departure }) => departure)
    expect(departures).toEqual(departures.toSorted((a, b) => a - b))
  })

  it("goes on after the file's first group of rows, where that ends", async () => {
    let count = 0
    for await (const chunk of readFlights(272_730, 100_000)) count += chunk.length
    expect(count).toBe(272_730)
  })
})
