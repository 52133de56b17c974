import { describe, expect, it } from '@jest/globals'
import { compare } from './comparison.js'
import { formatReport } from './report.js'
import type { WorkDefinition } from './works/work.js'

const work: WorkDefinition = {
  number: 1,
  title: 'sends',
  peers: ['rivulet', 'kafkajs', 'platformatic'],
  figures: [
    {
      name: 'rate',
      title: 'sends',
      unit: 'records/s',
      targets: [
        { peer: 'kafkajs', atLeast: 7 },
        { peer: 'platformatic', atLeast: 2.5 },
      ],
    },
    { name: 'memory', title: 'memory', unit: 'ratio', targets: [{ atMost: 1.2 }] },
  ],
}

const results = new Map([
  ['rivulet' as const, [700, 900, 800].map((rate) => ({ rate, memory: 1.25 }))],
  ['kafkajs' as const, [100, 100, 110].map((rate) => ({ rate, memory: 1 }))],
])

describe('a comparison', () => {
  it('takes medians, and Rivulet over each peer', () => {
    const [rate] = compare(work, results)
    expect(rate?.peers).toEqual({
      rivulet: { median: 800, min: 700, max: 900, rounds: [700, 900, 800], ratio: null },
      kafkajs: { median: 100, min: 100, max: 110, rounds: [100, 100, 110], ratio: 8 },
    })
  })

  it('says for each target whether it is met, missed or cannot be compared', () => {
    const [rate, memory] = compare(work, results)
    expect(rate?.targets).toEqual([
      { peer: 'kafkajs', atLeast: 7, value: 8, met: true },
      { peer: 'platformatic', atLeast: 2.5, value: null, met: null },
    ])
    expect(memory?.targets).toEqual([{ atMost: 1.2, value: 1.25, met: false }])
  })

  it('has no ratios without Rivulet', () => {
    const [rate] = compare(work, new Map([['kafkajs' as const, [{ rate: 100 }]]]))
    expect(rate?.peers.kafkajs?.ratio).toBeNull()
    expect(rate?.targets[0]).toMatchObject({ value: null, met: null })
  })
})

describe('the table', () => {
  it('shows medians, spread, ratios and verdicts, and names who is missing and why', () => {
    const missing = new Map([['platformatic' as const, 'not installed']])
    const lines = formatReport(compare(work, results), missing, () => work.peers)
    const table = lines.map((line) => line.replace(/ {2,}/g, '  '))
    expect(table).toEqual([
      expect.stringMatching(/^# {2}work {2}peer {2}median/),
      expect.stringMatching(/^─+$/),
      '1  sends  rivulet  800 records/s  700 – 900',
      expect.stringMatching(/^ +kafkajs {2}100 records\/s {2}100 – 110 {2}8\.00 × {2}≥ 7 × {2}met$/),
      expect.stringMatching(/^ +platformatic {2}missing {2}≥ 2\.5 × {2}not compared$/),
      '1  memory  rivulet  1.250  1.250 – 1.250  ≤ 1.2  MISSED',
      expect.stringMatching(/^ +kafkajs {2}1\.000 {2}1\.000 – 1\.000 {2}1\.25 ×$/),
      expect.stringMatching(/^ +platformatic {2}missing$/),
      '',
      'Missing: platformatic: not installed',
      'Targets: 1 met, 1 missed, 1 not compared',
    ])
  })
})
