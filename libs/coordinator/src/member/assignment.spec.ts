import { expect, it } from '@jest/globals'
import { waitFor } from '@rivulet/testing'
import { DealingAssigner } from '../../spec-support/group-members.js'
import type { GroupSnapshot, MemberRecord } from '../types.js'
import { Assignment } from './assignment.js'

const record: MemberRecord = {
  clientId: 'a',
  clientHost: '/host',
  instanceId: null,
  topics: [],
  assigners: [{ name: 'dealing', metadata: '' }],
  sessionTimeout: 30_000,
  rebalanceTimeout: 60_000,
}

it('that is asked for while one that sees no need for it is about to end is made', async () => {
  const group = { epoch: 1, assignmentEpoch: 1 }
  const snapshot = (): GroupSnapshot => ({
    ...{ groupId: 'g', assigner: '', leaderId: '', emptySince: null, now: 0, ...group },
    ...{ members: new Map([['a', record]]), target: new Map(), owned: new Map() },
  })
  const failures: unknown[] = []
  const assignment = new Assignment({
    store: {
      snapshot: () => Promise.resolve(snapshot()),
      install: (_, epoch) => {
        group.assignmentEpoch = epoch
        return Promise.resolve(true)
      },
    },
    topics: { refresh: () => Promise.resolve(null) },
    groupId: 'g',
    assigners: [new DealingAssigner('dealing')],
    timeout: 1000,
    isOver: () => false,
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    onUnsubscribedTopics: () => undefined,
    onInstalled: () => undefined,
    onInterrupted: (error) => failures.push(error),
    onFailed: (error) => failures.push(error),
  })
  assignment.begin('a')
  group.epoch = 2
  assignment.begin('a')
  await waitFor(() => group.assignmentEpoch === 2, { what: 'the assignment' })
  expect(failures).toEqual([])
})
