import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '@rivulet/testing'
import { TestGroups } from '../../spec-support/test-groups.js'
import { facts, names, SESSION, TestMember, topicId, type TestMemberOptions } from '../../spec-support/test-member.js'
import type { GroupMessage } from '../types.js'

let groups: TestGroups
beforeAll(async () => {
  groups = await TestGroups.open()
})
afterAll(() => groups.close())

let groupId = ''
let count = 0
let messages: GroupMessage[] = []
let unwatch: () => Promise<void>
beforeEach(async () => {
  groupId = `partitions-${count++}`
  groups.replicationId = 'cafebabe'
  await unwatch?.()
  const heard: GroupMessage[] = []
  messages = heard
  unwatch = await groups.store.watch(groupId, (message) => heard.push(message))
})

const ALL = ['orders-0', 'orders-1', 'orders-2', 'orders-3']

async function joined(id: string, options?: TestMemberOptions): Promise<TestMember> {
  const member = new TestMember(groups.store, groupId, id, options)
  await member.join()
  return member
}

/** One member that owns all partitions, and another that is to own half of them. */
async function moving() {
  const one = await joined('one')
  await one.install({ one: ALL })
  await one.sync()
  const two = await joined('two')
  expect(await two.install({ one: ['orders-0', 'orders-1'], two: ['orders-2', 'orders-3'] })).toBe(true)
  return { one, two }
}

const owners = async (): Promise<Record<string, string>> => {
  const found = await groups.store.snapshot(groupId)
  return Object.fromEntries(
    [...(found?.owned ?? [])].flatMap(([id, owned]) => names(owned).map((name) => [name, id] as const)),
  )
}
const freed = (): string[] =>
  messages.flatMap((message) => (message.kind === 'free' ? message.partitions : [])).toSorted()
const ids = (...numbers: number[]): string[] => numbers.map((number) => `${topicId('orders')}:${number}`)

describe('partitions of a target', () => {
  it('are granted by the member’s next sync, each under a number of its own', async () => {
    const one = await joined('one')
    await one.install({ one: ALL })
    const { granted, owned, target, waiting } = await one.sync()
    expect(names(target)).toEqual(ALL)
    expect(names(owned)).toEqual(ALL)
    expect(granted.map(({ grant, committed }) => [grant, committed])).toEqual(
      [1, 2, 3, 4].map((grant) => [grant, null]),
    )
    expect(waiting).toEqual([])
    // they stay, and nothing is granted twice
    expect(await one.sync()).toMatchObject({ granted: [], owned: one.owned })
  })

  it('are waited for while another member owns them, and free as soon as that lets go', async () => {
    const { one, two } = await moving()
    expect(names((await two.sync()).waiting)).toEqual(['orders-2', 'orders-3'])
    const seen = await one.sync()
    expect({ target: names(seen.target), owned: names(seen.owned) }).toEqual({ target: ALL.slice(0, 2), owned: ALL })
    expect(names((await one.release('orders-3')).owned)).toEqual(ALL.slice(0, 3))
    await waitFor(() => freed().length > 0, { what: 'the announcement' })
    expect(freed()).toEqual(ids(3))
    expect(await two.sync()).toMatchObject({ owned: [{ partition: 3, grant: 5 }], waiting: [{ partition: 2 }] })
    expect(await owners()).toEqual({ 'orders-0': 'one', 'orders-1': 'one', 'orders-2': 'one', 'orders-3': 'two' })
  })

  it('are free when their owner leaves, or its session ends', async () => {
    const { one, two } = await moving()
    await two.sync()
    await one.leave()
    await waitFor(() => freed().length === 4, { what: 'the announcement' })
    expect(freed()).toEqual(ids(0, 1, 2, 3))
    expect(names((await two.sync()).owned)).toEqual(['orders-2', 'orders-3'])

    const three = await joined('three')
    await three.install({ three: ALL })
    await three.sync()
    messages.length = 0
    groups.now += SESSION / 2
    await three.heartbeat()
    groups.now += SESSION / 2
    await three.heartbeat()
    await waitFor(() => freed().length === 2, { what: 'the announcement' })
    expect(freed()).toEqual(ids(2, 3))
    expect(names((await three.sync()).owned)).toEqual(ALL)
  })

  it('come back under a new grant when they are let go of and still in the target, without being announced', async () => {
    const one = await joined('one')
    await one.install({ one: ALL })
    await one.sync()
    const before = one.own('orders-2')
    const { granted } = await one.release('orders-2')
    expect(granted).toMatchObject([{ partition: 2, grant: 5 }])
    expect(await one.commit('orders-2', 1, before.grant)).toBe('ILLEGAL_GENERATION')
    await one.leave()
    await waitFor(() => freed().length > 0, { what: 'the announcement of leaving' })
    expect(messages.filter(({ kind }) => kind === 'free')).toHaveLength(1)
  })

  it('are granted anew when the answer that granted them was lost', async () => {
    const one = await joined('one')
    await one.install({ one: ALL })
    await one.sync()
    one.owned = []
    const { granted } = await one.sync()
    expect(granted.map(({ grant }) => grant)).toEqual([5, 6, 7, 8])
  })

  it('are free where the answer that granted them was lost, and the target has changed since', async () => {
    const { one, two } = await moving()
    one.owned = []
    expect(await one.sync()).toMatchObject({ owned: [{ partition: 0 }, { partition: 1 }] })
    expect(names((await two.sync()).owned)).toEqual(['orders-2', 'orders-3'])
    await waitFor(() => freed().length > 0, { what: 'the announcement' })
    expect(freed()).toEqual(ids(2, 3))
  })

  it('are not let go of under an old grant, or by another member', async () => {
    const { one, two } = await moving()
    const held = one.owned
    await two.sync({ release: held })
    await one.sync({ release: held.map((own) => ({ ...own, grant: own.grant + 1 })) })
    expect(await owners()).toEqual(Object.fromEntries(ALL.map((name) => [name, 'one'])))
  })

  it('bring the offset that was committed last', async () => {
    const { one, two } = await moving()
    await two.sync()
    const leaderEpoch = { number: 3, replicationId: 'cafebabe', startOffset: 12 }
    await groups.store.commit(groupId, 'one', [
      { ...one.own('orders-3'), offset: 40, leaderEpoch, metadata: 'note\nthis' },
      { ...one.own('orders-2'), offset: 0, leaderEpoch: null, metadata: '' },
    ])
    await one.release('orders-2', 'orders-3')
    const { granted } = await two.sync()
    expect(granted.map(({ committed }) => committed)).toEqual([
      { offset: 0, leaderEpoch: null, metadata: '', committedAt: groups.now },
      { offset: 40, leaderEpoch, metadata: 'note\nthis', committedAt: groups.now },
    ])
  })

  it('can be thousands', async () => {
    const topics = { orders: 2_500, payments: 700 }
    const one = await joined('one', { topics })
    const all = Object.entries(topics).flatMap(([topic, n]) => Array.from({ length: n }, (_, i) => `${topic}-${i}`))
    await one.install({ one: all })
    expect((await one.sync()).granted).toHaveLength(3_200)
    const commits = one.owned.map((own) => ({ ...own, offset: own.grant, leaderEpoch: null, metadata: null }))
    const outcomes = await groups.store.commit(groupId, 'one', commits)
    expect(new Set(outcomes)).toEqual(new Set([null]))
    const committed = await groups.store.committed(groupId, commits)
    expect(committed.map((found) => found?.offset)).toEqual(commits.map(({ offset }) => offset))
    expect((await one.sync({ release: one.owned })).granted.map((own) => own.committed?.offset)).toEqual(
      commits.map(({ offset }) => offset),
    )
    await one.leave()
    expect((await groups.store.snapshot(groupId))?.owned).toEqual(new Map())
  })
})

describe('what a member believes to own', () => {
  it('counts where the group has never heard of the grant: a failover has lost it', async () => {
    const one = await joined('one')
    await one.install({ one: ALL })
    await one.sync()
    await forget(ids(0, 1))
    const lost = one.owned.map((own) => ({ ...own, grant: own.grant + 100 }))
    one.owned = lost
    expect(await one.sync()).toMatchObject({ owned: lost, granted: [] })
    expect(await one.commit('orders-0', 1)).toBeNull()
    // the numbers go on behind those that were lost
    expect((await one.release('orders-3')).granted).toMatchObject([{ grant: 105 }])
  })

  it('does not count against a newer grant, or one that was let go of', async () => {
    const { one, two } = await moving()
    const held = one.owned
    await one.release('orders-2', 'orders-3')
    one.owned = held
    await two.sync()
    expect(names((await one.sync()).owned)).toEqual(['orders-0', 'orders-1'])
    expect(names(two.owned)).toEqual(['orders-2', 'orders-3'])
  })

  it('does not count where it was let go of, or another member got the same number in another history', async () => {
    const { one, two } = await moving()
    const held = one.owned
    await one.release('orders-2')
    one.owned = held
    expect(names((await one.sync()).owned)).toEqual(['orders-0', 'orders-1', 'orders-3'])
    two.owned = [one.own('orders-1')]
    expect((await two.sync()).owned).toMatchObject([{ partition: 2 }])
    expect(await one.commit('orders-1', 1)).toBeNull()
  })

  it('has everybody sync where another one is believed to own it by an older grant', async () => {
    const { one, two } = await moving()
    await one.release('orders-2', 'orders-3')
    await two.sync()
    const { epoch } = two
    one.owned = [...one.owned, { ...two.own('orders-2'), grant: 50 }]
    expect(await one.sync()).toMatchObject({ epoch: epoch + 1 })
    expect(await two.commit('orders-2', 1)).toBe('ILLEGAL_GENERATION')
    expect(names((await two.sync()).owned)).toEqual(['orders-3'])
    expect(names(two.owned)).toEqual(['orders-3'])
  })

  it('does not count for whoever joins, not even under its old id', async () => {
    const one = await joined('one')
    await one.install({ one: ALL })
    await one.sync()
    const held = one.owned
    await one.leave()
    const again = await joined('one')
    expect(again.owned).toEqual([])
    await again.leave()
    await groups.store.delete(groupId)
    expect((await one.join({ owned: held })).owned).toEqual([])
  })

  async function forget(fields: string[]): Promise<void> {
    await groups.test.redis.hdel(await groups.key(groupId, 'owners'), ...fields)
  }
})

describe('installing', () => {
  it('counts once for an epoch, and only while the group is that old', async () => {
    const one = await joined('one')
    expect(await one.install({ one: ALL })).toBe(true)
    expect(await one.install({ one: [] })).toBe(false)
    await joined('two')
    expect(await one.install({ one: [] })).toBe(false)
    expect(names((await one.sync()).target)).toEqual(ALL)
    expect(await new TestMember(groups.store, 'no such group', 'one').install({})).toBe(false)
  })

  it('tells the members whose target has changed, and those that had none', async () => {
    const one = await joined('one')
    const two = await joined('two')
    await two.install({ one: ALL.slice(0, 2), two: ALL.slice(2) })
    const three = await joined('three')
    await three.install({ one: ALL.slice(0, 2), two: ALL.slice(2, 3), three: ALL.slice(3) })
    await one.sync({ topics: facts({ orders: 4, payments: 1 }) })
    await one.install({ one: ['orders-1', 'orders-0'], two: ALL.slice(2, 3), three: [] })
    await one.sync({ topics: facts({ orders: 4, payments: 2 }) })
    await one.install({ one: ['orders-1', 'orders-0'], two: ALL.slice(2, 3) })
    groups.now += 1
    await two.heartbeat()
    await three.leave()
    await waitFor(() => messages.some(({ kind }) => kind === 'assign'), { what: 'the leave' })
    const told = messages.map((message) => ('memberIds' in message ? [...message.memberIds].toSorted() : message))
    expect(told).toEqual([['one', 'two'], ['three', 'two'], ['three'], { kind: 'assign', memberId: 'two' }])
  })

  it('replaces the facts, so that a topic subscribed anew is news again', async () => {
    const one = await joined('one', { topics: { orders: 4, payments: 2 } })
    await one.install({})
    one.topics = { orders: 4 }
    await one.sync({ record: { ...one.record, topics: ['orders'] }, raiseEpoch: true })
    expect(one.epoch).toBe(2)
    await one.install({})
    expect(await one.sync({ topics: facts({ orders: 4, payments: 2 }) })).toMatchObject({ epoch: 3 })
  })

  it('drops the records of partitions that nobody owns or is to own', async () => {
    const { one } = await moving()
    await one.release('orders-3')
    const records = async () =>
      Object.keys(await groups.test.redis.hgetall(await groups.key(groupId, 'owners'))).toSorted()
    await one.sync({ topics: facts({ orders: 5 }) })
    // orders-2 is still one's, orders-3 nobody's
    await one.install({ one: ALL.slice(0, 2), two: [] })
    expect(await records()).toEqual(['', ...ids(0, 1, 2)])
  })

  it('gives a member without an entry nothing, and nothing to one that the group does not have', async () => {
    const one = await joined('one')
    await one.install({ nobody: ALL })
    expect((await one.sync()).target).toEqual([])
    expect((await groups.store.snapshot(groupId))?.target).toEqual(new Map([['one', []]]))
  })
})
