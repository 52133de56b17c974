import { describe, expect, it } from '@jest/globals'
import { Ledger } from './ledger.js'
import { reportDelays, reportDelivery } from './report.js'
import { DelayStatistics } from './statistics.js'
import { Stopwatch } from './stopwatch.js'

const LONG = 'An airport with a name that is much longer than a terminal is wide, which has to be cut somewhere'

function ledgerOf(count: number): Ledger {
  const ledger = new Ledger()
  for (let i = 0; i < count; i++) ledger.add('ORD', Buffer.from('{"seq":1}'))
  return ledger
}

describe('reportDelays', () => {
  it('shows the worst airports within 100 columns, unknown ones by their code', () => {
    const statistics = new DelayStatistics()
    for (let i = 0; i < 2000; i++) {
      statistics.add({ origin: 'ORD', destination: 'XXX', delay: 1234, date: '2001-06-30T10:00' })
      statistics.add({ origin: 'XXX', destination: 'ORD', delay: i % 20, date: '2001-01-01T10:00' })
    }
    const lines = reportDelays(statistics, 3_000_000 / 2, new Map([['ORD', { name: LONG, state: 'IL' }]]))
    expect(lines[0]).toBe('Airports with the worst delays, 2001-01-01 to 2001-06-30')
    expect(lines.at(-2)).toMatch(/^ORD {2}An airport with .*… {2}IL +2,000 +1234\.0 min +9\.5 min +100\.0 %$/)
    expect(lines.at(-1)).toMatch(/^XXX +2,000 +9\.5 min +1234\.0 min +20\.0 %$/)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100)
  })

  it('leaves out airports with less than a thousandth of the flights', () => {
    const statistics = new DelayStatistics()
    statistics.add({ origin: 'ORD', destination: 'JFK', delay: 5, date: '2001-01-01T10:00' })
    expect(reportDelays(statistics, 1000, new Map()).at(-1)).toContain('ORD')
    expect(reportDelays(statistics, 1001, new Map()).at(-1)).not.toContain('ORD')
  })
})

describe('reportDelivery', () => {
  const phases = [
    { name: 'Produced', account: ledgerOf(1000), elapsed: 500 },
    { name: 'Consumed', account: ledgerOf(1000), elapsed: 250 },
  ] as const

  it('gives totals, rates, the memory of a record and the verdict', () => {
    const lines = reportDelivery(phases, 3000, [])
    const checksum = phases[0].account.checksum()
    expect(lines).toContain(`Produced    1,000     1  9.0 kB  0.5 s      2,000  18.0 kB  ${checksum}`)
    expect(lines).toContain('Redis holds them in 3.0 kB: 3.0 bytes for a record with its 9.0 bytes of JSON (33.3 %)')
    expect(lines.at(-1)).toBe("Check passed: each of the 1,000 flights came back, unchanged and in its key's order")
  })

  it('says nothing of memory that nobody could measure, and tells all faults', () => {
    const lines = reportDelivery(phases, null, ['ORD: 2 were sent, 1 came back'])
    expect(lines.join('\n')).not.toContain('Redis holds')
    expect(lines.slice(-2)).toEqual([
      'Check FAILED: what came back is not what was sent',
      '  ORD: 2 were sent, 1 came back',
    ])
  })
})

describe('Stopwatch', () => {
  it('says how long each phase took, and all of them together', () => {
    const times = [1000, 1200, 3200]
    const stopwatch = new Stopwatch(() => times.shift() ?? NaN)
    expect([stopwatch.lap('Redis'), stopwatch.lap('produce')]).toEqual([200, 2000])
    expect(stopwatch.summary()).toBe('Took 2.2 s: Redis 0.2 s, produce 2.0 s')
  })
})
