import { beforeEach, describe, expect, it } from '@jest/globals'
import { Announcements } from './announcements.js'

const state = { memberId: 'me', assignmentEpoch: 5, waiting: new Set(['id:0']) }
const seen = { assignmentEpoch: 5, waiting: [] }
const stillWaiting = { assignmentEpoch: 5, waiting: [{ topic: 't', topicId: 'id', partition: 0 }] }
const target = (epoch: number, ...memberIds: string[]) => ({ kind: 'target', epoch, memberIds }) as const
const free = (...partitions: string[]) => ({ kind: 'free', partitions }) as const

describe('Announcements', () => {
  let announcements: Announcements

  beforeEach(() => {
    announcements = new Announcements()
    announcements.begin()
    announcements.end(seen)
  })

  it('calls for a sync at first', () => {
    expect(new Announcements().callForSync).toBe(true)
  })

  it.each([
    ['a newer target for the member', target(6, 'you', 'me'), true],
    ['a target that it knows', target(5, 'me'), false],
    ["somebody else's target", target(6, 'you'), false],
    ['a free partition that it waits for', free('id:7', 'id:0'), true],
    ['another free partition', free('id:7'), false],
    ['messages that were missed', { kind: 'missed' } as const, true],
    ['an assignment that somebody is to compute', { kind: 'assign', memberId: 'me' } as const, false],
  ])('%s: sync %#', (_, message, calls) => {
    announcements.heard(message, state)
    expect(announcements.callForSync).toBe(calls)
  })

  describe('while a sync is under way', () => {
    beforeEach(() => announcements.begin())

    it('takes a target that the sync has seen for known', () => {
      announcements.heard(target(6, 'me'), state)
      announcements.end({ ...seen, assignmentEpoch: 6 })
      expect(announcements.callForSync).toBe(false)
    })

    it('calls again after a target that the sync has not seen', () => {
      announcements.heard(target(6, 'me'), state)
      announcements.end(seen)
      expect(announcements.callForSync).toBe(true)
    })

    it('calls again after a free partition, while some are waited for', () => {
      announcements.heard(free('id:0'), { ...state, waiting: new Set() })
      announcements.end(stillWaiting)
      expect(announcements.callForSync).toBe(true)
    })

    it('does not call again after a free partition when none is waited for any more', () => {
      announcements.heard(free('id:0'), state)
      announcements.end(seen)
      expect(announcements.callForSync).toBe(false)
    })

    it('calls again after missed messages', () => {
      announcements.heard({ kind: 'missed' }, state)
      announcements.end(seen)
      expect(announcements.callForSync).toBe(true)
    })

    it('calls again when there was no answer', () => {
      announcements.end(null)
      expect(announcements.callForSync).toBe(true)
    })
  })
})
