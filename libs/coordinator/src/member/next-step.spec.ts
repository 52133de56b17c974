import { describe, expect, it } from '@jest/globals'
import { beatDelay, nextStep, type LoopState, type Step } from './next-step.js'

const idle: LoopState = { now: 1000, needsSync: false, isWaiting: false, isAsked: false, beatAt: 4000, retryAt: 0 }

describe('nextStep', () => {
  const cases: [string, Partial<LoopState>, Step][] = [
    ['waits until a heartbeat is due', {}, { kind: 'wait', ms: 3000 }],
    ['sends a heartbeat when it is due', { now: 4000 }, { kind: 'heartbeat' }],
    ['sends one earlier when somebody asks', { isAsked: true }, { kind: 'heartbeat' }],
    ['syncs at once when it needs to', { needsSync: true }, { kind: 'sync' }],
    ['looks for partitions that it waits for with each heartbeat', { now: 4000, isWaiting: true }, { kind: 'sync' }],
    ['does not look for them in between', { isWaiting: true }, { kind: 'wait', ms: 3000 }],
    ['sends nothing until a failure is long enough ago', { needsSync: true, retryAt: 1100 }, { kind: 'wait', ms: 100 }],
    ['then goes on where it was', { now: 1100, needsSync: true, retryAt: 1100 }, { kind: 'sync' }],
  ]

  it.each(cases)('%s', (_, state, expected) => {
    expect(nextStep({ ...idle, ...state })).toEqual(expected)
  })
})

describe('beatDelay', () => {
  const answer = { epoch: 5, assignmentEpoch: 5, assign: false, nextExpiry: 25_000 }
  const cases: [string, Partial<typeof answer>, readonly [number, number]][] = [
    ['is the heartbeat interval', {}, [3000, 3000]],
    ['ends a little after another member may have died', { nextExpiry: 500 }, [500, 550]],
    ['is never so short that heartbeats chase each other', { nextExpiry: 0 }, [20, 50]],
    ['ends when whoever computes the assignment may have died', { assignmentEpoch: 4 }, [300, 600]],
    ['is as ever for the one that computes it', { assignmentEpoch: 4, assign: true }, [3000, 3000]],
  ]

  it.each(cases)('%s', (_, change, [least, most]) => {
    expect(beatDelay({ ...answer, ...change }, 3000, 0)).toBe(least)
    expect(beatDelay({ ...answer, ...change }, 3000, 1)).toBe(most)
  })
})
