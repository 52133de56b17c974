import { describe, expect, it } from '@jest/globals'
import { DelayStatistics } from './statistics.js'

function flight(origin: string, destination: string, delay: number, date = '2001-01-01T00:00') {
  return { origin, destination, delay, date }
}

describe('DelayStatistics', () => {
  it('averages the delays of flights from and to each airport, the worst first', () => {
    const statistics = new DelayStatistics()
    for (const delay of [10, 15, 20, -5]) statistics.add(flight('ORD', 'JFK', delay))
    for (const delay of [16, 30]) statistics.add(flight('JFK', 'ORD', delay))
    expect(statistics.worst(10, 1)).toEqual([
      { airport: 'JFK', flights: 2, meanFrom: 23, meanTo: 10, lateShare: 1 },
      { airport: 'ORD', flights: 4, meanFrom: 10, meanTo: 23, lateShare: 0.25 },
    ])
  })

  it('leaves out airports with too few departures, and knows of those that nobody came to', () => {
    const statistics = new DelayStatistics()
    statistics.add(flight('AAA', 'BBB', 1))
    for (const delay of [2, 4]) statistics.add(flight('CCC', 'BBB', delay))
    expect(statistics.worst(10, 2)).toEqual([{ airport: 'CCC', flights: 2, meanFrom: 3, meanTo: null, lateShare: 0 }])
  })

  it('gives as many airports as asked for', () => {
    const statistics = new DelayStatistics()
    for (const origin of ['AAA', 'BBB', 'CCC']) statistics.add(flight(origin, 'DDD', 1))
    expect(statistics.worst(2, 1)).toHaveLength(2)
  })

  it('knows the first and the last day, whatever the order', () => {
    const statistics = new DelayStatistics()
    for (const day of ['02', '01', '05', '03']) statistics.add(flight('AAA', 'BBB', 0, `2001-01-${day}T12:00`))
    expect(statistics.days).toEqual(['2001-01-01', '2001-01-05'])
  })
})
