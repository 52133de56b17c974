import { describe, expect, it } from '@jest/globals'
import type {
  GroupSnapshot,
  MemberRecord,
  OwnedPartition,
  TargetAssignment,
  TopicFacts,
  TopicPartition,
} from '../types.js'
import { assignmentInput, checkTarget, sharedAssigners, subscribedTopics } from './assignment-input.js'

function record(topics: readonly string[], assigners: Readonly<Record<string, string>> = { range: '' }): MemberRecord {
  return {
    clientId: 'client',
    clientHost: '/host',
    instanceId: null,
    topics,
    assigners: Object.entries(assigners).map(([name, text]) => ({
      name,
      metadata: Buffer.from(text).toString('base64'),
    })),
    sessionTimeout: 1,
    rebalanceTimeout: 1,
  }
}

const p = (topic: string, partition: number, topicId = `${topic}-id`): TopicPartition => ({ topic, topicId, partition })
const owned = (partition: TopicPartition, grant: number): OwnedPartition => ({ ...partition, grant })
const facts = (topic: string, partitions: number): TopicFacts => ({ topic, topicId: `${topic}-id`, partitions })
const topics = new Map([facts('orders', 3), facts('payments', 2)].map((one) => [one.topic, one]))

function snapshot(parts: {
  readonly members: Readonly<Record<string, MemberRecord>>
  readonly target?: TargetAssignment
  readonly owned?: ReadonlyMap<string, readonly OwnedPartition[]>
}): GroupSnapshot {
  return {
    groupId: 'g',
    epoch: 2,
    assignmentEpoch: 1,
    assigner: 'range',
    leaderId: 'a',
    target: new Map(),
    owned: new Map(),
    emptySince: null,
    now: 0,
    ...parts,
    members: new Map(Object.entries(parts.members)),
  }
}

describe('sharedAssigners', () => {
  it.each([
    ['no members', [], []],
    ['one member', [['x', 'y']], ['x', 'y']],
    [
      'those that all know, as the first prefers',
      [
        ['x', 'y', 'z'],
        ['z', 'y'],
        ['y', 'z', 'x'],
      ],
      ['y', 'z'],
    ],
    ['nothing in common', [['x'], ['y']], []],
  ])('%s', (_, known, expected) => {
    const members = known.map((names) => record([], Object.fromEntries(names.map((name) => [name, '']))))
    expect(sharedAssigners(members)).toEqual(expected)
  })
})

describe('subscribedTopics', () => {
  it('is what any member wants, once each, sorted', () => {
    expect(subscribedTopics([record(['b', 'a']), record(['c', 'b'])])).toEqual(['a', 'b', 'c'])
  })
})

describe('assignmentInput', () => {
  it('has what each member told the assigner, and nothing for one that told it nothing', () => {
    const members = { a: record(['orders'], { range: 'ra', other: 'oa' }), b: record(['payments'], { other: 'ob' }) }
    const input = assignmentInput(snapshot({ members }), topics, 'range')
    expect([...input.members].map(([id, { metadata, topics: wanted }]) => [id, metadata.toString(), wanted])).toEqual([
      ['a', 'ra', ['orders']],
      ['b', '', ['payments']],
    ])
    expect(input.topics).toBe(topics)
  })

  it('starts from the target before, and for what is in none from what is owned', () => {
    const members = { a: record(['orders']), b: record(['orders']) }
    const { previous } = assignmentInput(
      snapshot({
        members,
        target: new Map([
          ['a', [p('orders', 0)]],
          ['b', [p('orders', 1)]],
        ]),
        owned: new Map([
          ['a', [owned(p('orders', 0), 1), owned(p('orders', 1), 2)]],
          ['b', [owned(p('orders', 2), 3)]],
        ]),
      }),
      topics,
      'range',
    )
    expect([...previous]).toEqual([
      ['a', [p('orders', 0)]],
      ['b', [p('orders', 1), p('orders', 2)]],
    ])
  })

  it('leaves out members and partitions that are gone', () => {
    const { previous } = assignmentInput(
      snapshot({
        members: { a: record(['orders']) },
        target: new Map([
          ['a', [p('orders', 0), p('orders', 7), p('orders', 1, 'old-id'), p('gone', 0)]],
          ['dead', [p('orders', 2)]],
        ]),
      }),
      topics,
      'range',
    )
    expect([...previous]).toEqual([['a', [p('orders', 0)]]])
  })
})

describe('checkTarget', () => {
  const members = { a: record(['orders']), b: record(['orders', 'payments']) }
  const input = assignmentInput(snapshot({ members }), topics, 'range')
  const check = (target: Readonly<Record<string, readonly TopicPartition[]>>) =>
    checkTarget(new Map(Object.entries(target)), input)

  it('leaves a proper target as it is, and gives every member an entry', () => {
    const { target, refused, unsubscribed } = check({ b: [p('payments', 1), p('orders', 0)] })
    expect([...target]).toEqual([
      ['a', []],
      ['b', [p('payments', 1), p('orders', 0)]],
    ])
    expect([refused, unsubscribed.size]).toEqual([[], 0])
  })

  it.each([
    ['a member that does not exist', { x: [p('orders', 0)] }, 'x is no member'],
    ['a topic that does not exist', { b: [p('gone', 0)] }, 'gone-0 for b: there is no such partition'],
    ['a topic that was made again', { b: [p('orders', 0, 'old-id')] }, 'orders-0 for b: there is no such partition'],
    ['a partition past the end', { b: [p('orders', 3)] }, 'orders-3 for b: there is no such partition'],
    ['a negative partition', { b: [p('orders', -1)] }, 'orders--1 for b: there is no such partition'],
    ['no number', { b: [p('orders', NaN)] }, 'orders-NaN for b: there is no such partition'],
    ['half a partition', { b: [p('orders', 0.5)] }, 'orders-0.5 for b: there is no such partition'],
    ['a topic not subscribed to', { a: [p('payments', 0)] }, 'payments-0 for a: the member is not subscribed to it'],
  ])('leaves out %s', (_, returned, line) => {
    const { target, refused } = check(returned)
    expect([...target.values()].flat()).toEqual([])
    expect(refused).toEqual([line])
  })

  it('gives a partition to the first of those that were given it', () => {
    const { target, refused } = check({ a: [p('orders', 0), p('orders', 0)], b: [p('orders', 0), p('orders', 1)] })
    expect([...target]).toEqual([
      ['a', [p('orders', 0)]],
      ['b', [p('orders', 1)]],
    ])
    expect(refused).toEqual(['orders-0 for a: a has it already', 'orders-0 for b: a has it already'])
  })

  it('names the topics that a member does not want, each once', () => {
    const { unsubscribed } = check({ a: [p('payments', 0), p('payments', 1)] })
    expect([...unsubscribed]).toEqual([['a', new Set(['payments'])]])
  })
})
