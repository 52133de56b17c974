import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { AssignedPartition } from './assigned-partition.js'
import { BufferBudget } from './buffer-budget.js'
import { ProgressWatch } from './progress-watch.js'
import { WorkInHand } from './work-in-hand.js'

let works: Set<WorkInHand>
let stuck: number[]
let watch: ProgressWatch

beforeEach(() => {
  jest.useFakeTimers()
  works = new Set()
  stuck = []
  watch = new ProgressWatch(
    1000,
    () => works,
    ({ partition }) => stuck.push(partition.partition),
  )
})
afterEach(() => {
  watch.stop()
  jest.useRealTimers()
})

function begin(partition: number): WorkInHand {
  const assigned = new AssignedPartition({
    topic: 't',
    partition,
    start: { kind: 'earliest' },
    policy: 'earliest',
    ownership: null,
    budget: new BufferBudget(1000),
    uncommitted: new Set(),
  })
  const work = new WorkInHand(assigned, 0)
  works.add(work)
  return work
}

describe('the watch for progress', () => {
  it('tells of a handler that makes none for so long, and of no other', () => {
    begin(0)
    const other = begin(1)
    for (let i = 0; i < 12; i++) {
      other.partition.resolve(i)
      jest.advanceTimersByTime(100)
    }
    expect(new Set(stuck)).toEqual(new Set([0]))
  })

  it('takes a sign of life for progress', () => {
    const work = begin(0)
    for (let i = 0; i < 30; i++) {
      work.signsOfLife++
      jest.advanceTimersByTime(100)
    }
    expect(stuck).toEqual([])
    jest.advanceTimersByTime(1200)
    expect(stuck).toContain(0)
  })

  it('begins anew with each piece of work', () => {
    for (let i = 0; i < 5; i++) {
      const work = begin(0)
      jest.advanceTimersByTime(900)
      works.delete(work)
    }
    expect(stuck).toEqual([])
  })
})
