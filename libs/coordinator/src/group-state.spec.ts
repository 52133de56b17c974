import { describe, expect, it } from '@jest/globals'
import { groupState } from './group-state.js'
import type { GroupSnapshot, MemberRecord, TopicPartition } from './types.js'

const partition = (index: number, topicId = 'id-1'): TopicPartition => ({ topic: 'orders', topicId, partition: index })

const record: MemberRecord = {
  clientId: 'shop',
  clientHost: '/host',
  instanceId: null,
  topics: ['orders'],
  assigners: [{ name: 'uniform', metadata: '' }],
  sessionTimeout: 30_000,
  rebalanceTimeout: 60_000,
}

/** A group whose members own what they shall own: the first two partitions, and the third. */
const stable: GroupSnapshot = {
  groupId: 'g',
  epoch: 4,
  assignmentEpoch: 4,
  assigner: 'uniform',
  leaderId: 'a',
  members: new Map([
    ['a', record],
    ['b', record],
  ]),
  target: new Map([
    ['a', [partition(0), partition(1)]],
    ['b', [partition(2)]],
  ]),
  owned: new Map([
    [
      'a',
      [
        { ...partition(1), grant: 2 },
        { ...partition(0), grant: 1 },
      ],
    ],
    ['b', [{ ...partition(2), grant: 3 }]],
  ]),
  emptySince: null,
  now: 1_000,
}

const empty: GroupSnapshot = { ...stable, members: new Map(), target: new Map(), owned: new Map(), emptySince: 900 }

describe('the state of a group', () => {
  it.each<[string, GroupSnapshot | null, string]>([
    ['there is none', null, 'Dead'],
    ['it has no members', empty, 'Empty'],
    ['its last member left before anything was assigned', { ...empty, assignmentEpoch: 0 }, 'Empty'],
    ['a target was never computed', { ...stable, epoch: 1, assignmentEpoch: 0, target: new Map() }, 'Assigning'],
    ['the target is older than the group', { ...stable, epoch: 5 }, 'Assigning'],
    ['every member owns what it shall own', stable, 'Stable'],
    [
      'a member has nothing to own',
      {
        ...stable,
        members: new Map([...stable.members, ['c', record]]),
        target: new Map([...stable.target, ['c', []]]),
      },
      'Stable',
    ],
    ['a partition is not taken yet', { ...stable, owned: new Map([...stable.owned, ['b', []]]) }, 'Reconciling'],
    [
      'a partition is not let go of yet',
      { ...stable, target: new Map([...stable.target, ['a', [partition(0)]]]) },
      'Reconciling',
    ],
    [
      'a member owns another partition than it shall',
      { ...stable, target: new Map([...stable.target, ['b', [partition(3)]]]) },
      'Reconciling',
    ],
    [
      'a member owns the partition of a topic that was made again since',
      { ...stable, target: new Map([...stable.target, ['b', [partition(2, 'id-2')]]]) },
      'Reconciling',
    ],
  ])('when %s', (_, snapshot, state) => {
    expect(groupState(snapshot)).toBe(state)
  })
})
