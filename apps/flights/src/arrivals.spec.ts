import { describe, expect, it } from '@jest/globals'
import { type Arrival, Arrivals } from './arrivals.js'
import { Delivery } from './delivery.js'
import { toRecord } from './flight.js'

const FLIGHT = { departure: 978_307_260_000, delay: 1, distance: 2, origin: 'ORD', destination: 'JFK' }

/** Flights `from` up to `to` of one airport, which are the records of those offsets. */
const flights = (from: number, to: number, partition = 0): Arrival => ({
  partition,
  offset: from,
  records: Array.from({ length: to - from }, (_, i) => [FLIGHT.origin, JSON.stringify(toRecord(FLIGHT, from + i))]),
})

function arrive(...arrivals: readonly Arrival[]) {
  const delivery = new Delivery()
  const all = new Arrivals(delivery, new Map([[0, 0]]))
  const taken = arrivals.map((arrival) => all.add(arrival))
  return { taken, repeated: all.repeated, count: delivery.received.count, faults: all.faults() }
}

describe('Arrivals', () => {
  it('counts once what was given twice, whatever the borders', () => {
    expect(arrive(flights(0, 10), flights(10, 20), flights(10, 14), flights(14, 25))).toEqual({
      taken: [10, 10, 0, 5],
      repeated: 10,
      count: 25,
      faults: [],
    })
  })

  it('lets wait what is ahead of its turn', () => {
    expect(arrive(flights(10, 20), flights(20, 30), flights(0, 10))).toEqual({
      taken: [0, 0, 30],
      repeated: 0,
      count: 30,
      faults: [],
    })
  })

  it('names what never came', () => {
    expect(arrive(flights(0, 10), flights(12, 20)).faults).toEqual(['partition 0: offset 10 never came, 12 did'])
  })
})
