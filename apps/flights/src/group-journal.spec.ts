import { describe, expect, it } from '@jest/globals'
import { formatRanges, GroupJournal } from './group-journal.js'

describe('GroupJournal', () => {
  it('has a row for each change, and one for changes that follow each other closely', () => {
    let time = 100
    const journal = new GroupJournal(() => time)
    journal.owns('a', [0, 1, 2, 3])
    time = 500
    journal.owns('a', [0, 1])
    time = 510
    journal.owns('b', [2, 3])
    time = 520
    journal.owns('b', null)
    time = 2200
    journal.owns('a', [0, 1, 2, 3])
    expect(journal.table()).toEqual([
      ' From  a    b',
      '──────────────────',
      '0.1 s  0–3',
      '0.5 s  0–1  2–3',
      '0.5 s  0–1  killed',
      '2.2 s  0–3  killed',
    ])
  })
})

describe('formatRanges', () => {
  it.each([
    [[], '–'],
    [[3], '3'],
    [[7, 0, 1, 2, 5], '0–2, 5, 7'],
    [[10, 9], '9–10'],
  ])('%j is %s', (numbers, text) => {
    expect(formatRanges(numbers)).toBe(text)
  })
})
