import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { TestGroups } from '../../spec-support/test-groups.js'
import { offset, partition, SESSION, TestMember, type TestMemberOptions } from '../../spec-support/test-member.js'
import { hasExpired } from './committed-offset.js'

const RETENTION = 60_000

let groups: TestGroups
beforeAll(async () => {
  groups = await TestGroups.open()
  await groups.test.storage.alterNamespaceConfigs({ 'offsets.retention.minutes': '1' })
})
afterAll(() => groups.close())

let groupId = ''
let count = 0
beforeEach(() => {
  groupId = `expired-${count++}`
})

describe('an offset', () => {
  const now = 1_000_000
  const committed = (ago: number) => ({ topicId: 'T', committedAt: now - ago })
  const expired = (ago: number, emptyFor: number | null, topicIds: string[] = []) =>
    hasExpired(
      committed(ago),
      { emptySince: emptyFor === null ? null : now - emptyFor, topicIds: new Set(topicIds) },
      RETENTION,
      now,
    )

  it('of a group without members expires a while after it became empty, or after the commit if that was later', () => {
    expect(expired(RETENTION, RETENTION)).toBe(true)
    expect(expired(9 * RETENTION, RETENTION)).toBe(true)
    expect(expired(RETENTION, 9 * RETENTION)).toBe(true)
    expect(expired(RETENTION - 1, 9 * RETENTION)).toBe(false)
    expect(expired(9 * RETENTION, RETENTION - 1)).toBe(false)
    expect(expired(9 * RETENTION, RETENTION, ['T'])).toBe(true)
  })

  it('of a group with members expires a while after the commit if nobody subscribes its topic, else never', () => {
    expect(expired(RETENTION, null)).toBe(true)
    expect(expired(RETENTION - 1, null)).toBe(false)
    expect(expired(9 * RETENTION, null, ['other'])).toBe(true)
    expect(expired(9 * RETENTION, null, ['other', 'T'])).toBe(false)
  })
})

const ascending = (a: number, b: number): number => a - b
const found = async () => {
  const all = [...(await groups.store.allCommitted(groupId)).values()].map((one) => one.offset).toSorted(ascending)
  const asked = await groups.store.committed(groupId, ['orders-0', 'orders-1'].map(partition))
  expect(asked.flatMap((one) => (one === null ? [] : [one.offset])).toSorted(ascending)).toEqual(all)
  return all
}
const stored = async () => (await groups.test.redis.hlen(await groups.key(groupId, 'offsets'))) - 1

async function joined(id: string, options?: TestMemberOptions): Promise<TestMember> {
  const member = new TestMember(groups.store, groupId, id, options)
  await member.join()
  return member
}

it('counts as none when it has expired, and is gone when somebody joins', async () => {
  await groups.store.commit(groupId, null, [offset('orders-0', 10)])
  groups.now += RETENTION / 2
  await groups.store.commit(groupId, null, [offset('orders-1', 11)])
  groups.now += RETENTION / 2
  expect(await found()).toEqual([11])
  expect(await stored()).toBe(2)
  const one = await joined('one')
  expect(await stored()).toBe(1)
  await one.install({ one: ['orders-0', 'orders-1'] })
  expect((await one.sync()).granted.map(({ committed }) => committed?.offset)).toEqual([undefined, 11])
})

it('lives as long as members do who subscribe the topic', async () => {
  const one = await joined('one')
  await groups.store.commit(groupId, 'one', [offset('orders-0', 10)])
  groups.now += 5 * RETENTION
  await one.heartbeat()
  expect(await found()).toEqual([10])
  await one.leave()
  groups.now += RETENTION - 1
  expect(await found()).toEqual([10])
  groups.now += 1
  expect(await found()).toEqual([])
})

it('expires from the end of the last session where members died', async () => {
  await joined('one')
  await groups.store.commit(groupId, 'one', [offset('orders-0', 10)])
  groups.now += SESSION + RETENTION - 1
  expect(await found()).toEqual([10])
  groups.now += 1
  expect(await found()).toEqual([])
})

it('of a topic that is not subscribed any more expires, and is gone when it is subscribed again', async () => {
  const one = await joined('one', { topics: { orders: 2 } })
  await one.install({})
  await groups.store.commit(groupId, 'one', [offset('orders-1', 10)])
  one.topics = { payments: 1 }
  await one.sync({ record: { ...one.record, topics: ['payments'] }, raiseEpoch: true })
  await one.install({})
  groups.now += RETENTION - 1
  await one.heartbeat()
  await groups.store.commit(groupId, 'one', [offset('orders-0', 20)])
  expect(await found()).toEqual([10, 20])
  groups.now += 1
  expect(await found()).toEqual([20])
  one.topics = { orders: 2 }
  await one.sync({ record: { ...one.record, topics: ['orders'] }, raiseEpoch: true })
  expect(await found()).toEqual([20])
  expect(await stored()).toBe(1)
})

it('of a topic that was deleted is gone when another topic comes, in a group that never ends', async () => {
  const one = await joined('one', { topics: { orders: 2, monday: 1 } })
  await one.install({})
  const commits = ['orders-0', 'monday-0'].map((name) => offset(name, 10))
  await groups.store.commit(groupId, 'one', commits)
  one.topics = { orders: 2 }
  await one.sync({ record: { ...one.record, topics: ['orders'] }, raiseEpoch: true })
  await one.install({})
  groups.now += RETENTION
  await one.heartbeat()
  expect(await stored()).toBe(2)
  one.topics = { orders: 2, tuesday: 1 }
  await one.sync({ record: { ...one.record, topics: ['orders', 'tuesday'] }, raiseEpoch: true })
  expect([await stored(), await found()]).toEqual([1, [10]])
})

it('that has not expired while the group was empty is there for whoever subscribes the topic first', async () => {
  await groups.store.commit(groupId, null, [offset('payments-0', 30)])
  const one = await joined('one')
  groups.now += RETENTION - 1
  await one.leave()
  groups.now += RETENTION - 1
  const two = await joined('two', { topics: { payments: 1 } })
  await two.install({ two: ['payments-0'] })
  expect((await two.sync()).granted).toMatchObject([{ committed: { offset: 30 } }])
})
