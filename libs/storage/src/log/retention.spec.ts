import { describe, expect, it } from '@jest/globals'
import { decideRetention } from './retention.js'
import type { Segment } from './types.js'

const NOTHING = { logStartOffset: null, rollFirst: false }

/** Segments of ten records each; the last one is active. */
function segments(...all: { bytes: number; maxTimestamp: number }[]) {
  const list = all.map((segment, number): Segment => ({
    ...segment,
    number,
    baseOffset: number * 10,
    endOffset: number * 10 + 10,
    active: number === all.length - 1,
  }))
  return { segments: list, size: list.reduce((sum, { bytes }) => sum + bytes, 0) }
}

describe('decideRetention', () => {
  const log = segments(
    { bytes: 100, maxTimestamp: 1_000 },
    { bytes: 100, maxTimestamp: 2_000 },
    { bytes: 100, maxTimestamp: 3_000 },
  )

  it('keeps everything where neither time nor size is limited', () => {
    expect(decideRetention(log, { retentionMs: -1, retentionBytes: -1 }, 1_000_000)).toEqual(NOTHING)
  })

  it('lets go the segments whose newest record is older than retention.ms', () => {
    expect(decideRetention(log, { retentionMs: 500, retentionBytes: -1 }, 1_500)).toEqual(NOTHING)
    expect(decideRetention(log, { retentionMs: 500, retentionBytes: -1 }, 1_501).logStartOffset).toBe(10)
    expect(decideRetention(log, { retentionMs: 500, retentionBytes: -1 }, 2_501).logStartOffset).toBe(20)
  })

  it('rolls the active segment when all of it is too old', () => {
    const verdict = { logStartOffset: 30, rollFirst: true }
    expect(decideRetention(log, { retentionMs: 500, retentionBytes: -1 }, 3_501)).toEqual(verdict)
  })

  it('leaves an empty active segment alone', () => {
    const empty = segments({ bytes: 0, maxTimestamp: -1 })
    expect(decideRetention(empty, { retentionMs: 0, retentionBytes: 0 }, 9_999)).toEqual(NOTHING)
  })

  it('lets segments go while at least retention.bytes remain without them', () => {
    expect(decideRetention(log, { retentionMs: -1, retentionBytes: 201 }, 0)).toEqual(NOTHING)
    expect(decideRetention(log, { retentionMs: -1, retentionBytes: 200 }, 0).logStartOffset).toBe(10)
    expect(decideRetention(log, { retentionMs: -1, retentionBytes: 100 }, 0).logStartOffset).toBe(20)
  })

  it('never lets the active segment go for its size', () => {
    expect(decideRetention(log, { retentionMs: -1, retentionBytes: 0 }, 0)).toEqual({
      logStartOffset: 20,
      rollFirst: false,
    })
  })

  it('stops at the first segment that stays, whatever comes behind it', () => {
    const mixed = segments(
      { bytes: 100, maxTimestamp: 9_000 },
      { bytes: 100, maxTimestamp: 1_000 },
      { bytes: 100, maxTimestamp: 9_000 },
    )
    expect(decideRetention(mixed, { retentionMs: 500, retentionBytes: -1 }, 5_000)).toEqual(NOTHING)
  })
})
