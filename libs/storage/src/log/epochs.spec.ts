import { describe, expect, it } from '@jest/globals'
import { validatePosition } from './epochs.js'
import type { SeenEpoch } from './types.js'

const epoch = (number: number, replicationId: string, startOffset: number): SeenEpoch => ({
  number,
  replicationId,
  startOffset,
})

function log(logEndOffset: number, epochs: SeenEpoch[], logStartOffset = 0) {
  const last = epochs.at(-1) ?? epoch(0, 'aaaaaaaa', 0)
  return { logStartOffset, logEndOffset, epochs, leaderEpoch: last, replicationId: last.replicationId }
}

describe('validatePosition', () => {
  it('accepts a position of the epoch that the log is in', () => {
    const history = log(100, [epoch(0, 'aaaaaaaa', 0)])
    expect(validatePosition(history, 60, [epoch(0, 'aaaaaaaa', 10)])).toEqual({ kind: 'valid' })
    expect(validatePosition(history, 100, [epoch(0, 'aaaaaaaa', 10)])).toEqual({ kind: 'valid' })
  })

  it('accepts a position from before an epoch that lost nothing', () => {
    const history = log(100, [epoch(0, 'aaaaaaaa', 0), epoch(1, 'bbbbbbbb', 60)])
    expect(validatePosition(history, 60, [epoch(0, 'aaaaaaaa', 0)])).toEqual({ kind: 'valid' })
    expect(validatePosition(history, 30, [epoch(0, 'aaaaaaaa', 0)])).toEqual({ kind: 'valid' })
  })

  it('finds where the log parted from a tail that was lost, also when as much was written anew', () => {
    const history = log(100, [epoch(0, 'aaaaaaaa', 0), epoch(1, 'bbbbbbbb', 40)])
    expect(validatePosition(history, 60, [epoch(0, 'aaaaaaaa', 0)])).toEqual({ kind: 'truncated', divergence: 40 })
  })

  it('finds a lost tail while nothing has been written after it', () => {
    const history = log(40, [epoch(0, 'aaaaaaaa', 0)])
    expect(validatePosition(history, 60, [epoch(0, 'aaaaaaaa', 0)])).toEqual({ kind: 'truncated', divergence: 40 })
  })

  it('tells epochs of one number apart that two primaries invented', () => {
    const history = log(100, [epoch(0, 'aaaaaaaa', 0), epoch(1, 'cccccccc', 40)])
    const seen = [epoch(0, 'aaaaaaaa', 0), epoch(1, 'bbbbbbbb', 50)]
    expect(validatePosition(history, 70, seen)).toEqual({ kind: 'truncated', divergence: 40 })
  })

  it('goes back over several lost epochs to the last common one', () => {
    const history = log(90, [epoch(0, 'aaaaaaaa', 0), epoch(4, 'dddddddd', 80)])
    const seen = [epoch(0, 'aaaaaaaa', 0), epoch(1, 'bbbbbbbb', 50), epoch(2, 'cccccccc', 60)]
    expect(validatePosition(history, 85, seen)).toEqual({ kind: 'truncated', divergence: 50 })
  })

  it('begins where the log has what the reader cannot have seen, when everything of the reader was lost', () => {
    const seen = [epoch(0, 'aaaaaaaa', 50)]
    expect(validatePosition(log(90, [epoch(1, 'bbbbbbbb', 0)]), 80, seen)).toEqual({ kind: 'truncated', divergence: 0 })
    expect(validatePosition(log(0, [epoch(0, 'bbbbbbbb', 0)]), 80, seen)).toEqual({ kind: 'truncated', divergence: 0 })
  })

  it('accepts a position older than all that the history remembers', () => {
    const history = log(100, [epoch(200, 'bbbbbbbb', 60)])
    expect(validatePosition(history, 50, [epoch(3, 'aaaaaaaa', 10)])).toEqual({ kind: 'valid' })
  })

  it('says so when a position is outside of the log', () => {
    const history = log(100, [epoch(0, 'aaaaaaaa', 0)], 20)
    const outOfRange = { kind: 'out-of-range', logStartOffset: 20, logEndOffset: 100 }
    expect(validatePosition(history, 19, [])).toEqual(outOfRange)
    expect(validatePosition(history, 101, [])).toEqual(outOfRange)
    expect(validatePosition(history, 20, [])).toEqual({ kind: 'valid' })
  })

  it('answers out of range, not a divergence, when the log begins after the point of divergence', () => {
    const history = log(100, [epoch(0, 'aaaaaaaa', 0), epoch(1, 'bbbbbbbb', 40)], 70)
    const seen = [epoch(0, 'aaaaaaaa', 0)]
    expect(validatePosition(history, 80, seen)).toMatchObject({ kind: 'out-of-range', logStartOffset: 70 })
  })
})
