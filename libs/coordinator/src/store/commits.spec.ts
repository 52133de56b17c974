import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { TestGroups } from '../../spec-support/test-groups.js'
import { names, offset, partition, SESSION, TestMember, topicId } from '../../spec-support/test-member.js'

let groups: TestGroups
beforeAll(async () => {
  groups = await TestGroups.open()
})
afterAll(() => groups.close())

let groupId = ''
let count = 0
beforeEach(() => {
  groupId = `commits-${count++}`
})

/** Two members, each the owner of two partitions. */
async function settled() {
  const one = new TestMember(groups.store, groupId, 'one')
  const two = new TestMember(groups.store, groupId, 'two')
  await one.join()
  await two.join()
  await two.install({ one: ['orders-0', 'orders-1'], two: ['orders-2', 'orders-3'] })
  await one.sync()
  await two.sync()
  return { one, two }
}

const committed = async (name: string) => (await groups.store.committed(groupId, [partition(name)]))[0]?.offset

describe('a commit of a member', () => {
  it('is stored with its time, its leader epoch and its metadata, each partition for itself', async () => {
    const { one } = await settled()
    const leaderEpoch = { number: 2, replicationId: 'cafebabe', startOffset: 5 }
    const outcomes = await groups.store.commit(groupId, 'one', [
      offset('orders-0', 2 ** 53 - 1, { ...one.own('orders-0'), leaderEpoch, metadata: ' ünïcode ☃\r\n ' }),
      offset('orders-2', 8),
      offset('orders-1', 0, { ...one.own('orders-1'), metadata: '' }),
    ])
    expect(outcomes).toMatchObject([null, { type: 'ILLEGAL_GENERATION', details: { partition: 2 } }, null])
    const asked = ['orders-1', 'orders-2', 'orders-0'].map(partition)
    expect(await groups.store.committed(groupId, asked)).toEqual([
      { offset: 0, leaderEpoch: null, metadata: '', committedAt: groups.now },
      null,
      { offset: 2 ** 53 - 1, leaderEpoch, metadata: ' ünïcode ☃\r\n ', committedAt: groups.now },
    ])
    expect([...(await groups.store.allCommitted(groupId)).keys()].toSorted()).toEqual(
      [0, 1].map((number) => `${topicId('orders')}:${number}`),
    )
  })

  it('counts under the grant of the owner, and after that has let go until another one is given', async () => {
    const { one, two } = await settled()
    const before = one.own('orders-0')
    expect(await one.commit('orders-0', 1, before.grant - 1)).toBe('ILLEGAL_GENERATION')
    expect(await one.commit('orders-0', 1, before.grant + 1)).toBe('ILLEGAL_GENERATION')
    expect(await two.commit('orders-0', 1, before.grant)).toBe('ILLEGAL_GENERATION')
    expect(await one.commit('orders-0', 1)).toBeNull()

    await one.sync({ record: { ...one.record, clientHost: '/other' }, raiseEpoch: true })
    await one.install({ one: ['orders-1'], two: ['orders-0', 'orders-2', 'orders-3'] })
    await one.release('orders-0')
    expect(await one.commit('orders-0', 2, before.grant)).toBeNull()
    expect(await committed('orders-0')).toBe(2)
    await two.sync()
    expect(names(two.owned)).toContain('orders-0')
    expect(await one.commit('orders-0', 3, before.grant)).toBe('ILLEGAL_GENERATION')
    expect(await committed('orders-0')).toBe(2)
    expect(await two.commit('orders-0', 4)).toBeNull()
    // the new owner has let go of it again: the old one's commit must not overtake its
    await two.sync({ release: [two.own('orders-0')], owned: [] })
    expect(await one.commit('orders-0', 5, before.grant)).toBe('ILLEGAL_GENERATION')
    expect(await committed('orders-0')).toBe(4)
  })

  it('without a grant counts where nobody owns the partition', async () => {
    const { one, two } = await settled()
    expect(await one.commit('orders-2', 1, 0)).toBe('ILLEGAL_GENERATION')
    expect(await one.commit('orders-0', 1, 0)).toBe('ILLEGAL_GENERATION')
    expect(await one.commit('payments-0', 1, 0)).toBeNull()
    await two.leave()
    expect(await one.commit('orders-2', 2, 0)).toBeNull()
    expect(await committed('orders-2')).toBe(2)
  })

  it('under a grant that the group does not know is refused', async () => {
    const { one } = await settled()
    expect(await one.commit('payments-0', 1, 1)).toBe('ILLEGAL_GENERATION')
    expect(await committed('payments-0')).toBeUndefined()
  })

  it('is refused as a whole once it is no member any more', async () => {
    const { one, two } = await settled()
    const { grant } = one.own('orders-0')
    await one.leave()
    await expect(one.commit('orders-0', 1, grant)).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    await expect(one.commit('orders-0', 1, 0)).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    await expect(groups.store.commit(groupId, '', [offset('orders-0', 1)])).rejects.toMatchObject({
      type: 'UNKNOWN_MEMBER_ID',
    })
    await expect(groups.store.commit('no such group', 'one', [offset('orders-0', 1)])).rejects.toMatchObject({
      type: 'UNKNOWN_MEMBER_ID',
    })
    expect(await groups.store.commit(groupId, 'two', [])).toEqual([])
    expect(await two.commit('orders-0', 1, 0)).toBeNull()
  })

  it('with metadata that is too long fails for that partition alone', async () => {
    const { one } = await settled()
    const outcomes = await groups.store.commit(groupId, 'one', [
      offset('orders-0', 1, { ...one.own('orders-0'), metadata: 'ü'.repeat(2_049) }),
      offset('orders-1', 2, { ...one.own('orders-1'), metadata: 'ü'.repeat(2_048) }),
    ])
    expect(outcomes).toMatchObject([{ type: 'OFFSET_METADATA_TOO_LARGE' }, null])
    expect([await committed('orders-0'), await committed('orders-1')]).toEqual([undefined, 2])
  })
})

describe('a commit of nobody', () => {
  it('makes the group, and counts while it has no members', async () => {
    expect(await groups.store.commit(groupId, null, [offset('orders-0', 5), offset('orders-1', 6)])).toEqual([
      null,
      null,
    ])
    expect(await groups.store.snapshot(groupId)).toMatchObject({ epoch: 0, emptySince: groups.now, members: new Map() })
    expect(await groups.store.list()).toContain(groupId)
    const one = new TestMember(groups.store, groupId, 'one')
    expect(await one.join()).toMatchObject({ epoch: 1 })
    await expect(groups.store.commit(groupId, null, [offset('orders-0', 9)])).rejects.toMatchObject({
      type: 'NON_EMPTY_GROUP',
    })
    await one.install({ one: ['orders-0'] })
    expect((await one.sync()).granted).toMatchObject([{ committed: { offset: 5 } }])
    await one.leave()
    expect(await groups.store.commit(groupId, null, [offset('orders-0', 9)])).toEqual([null])
    expect(await committed('orders-0')).toBe(9)
  })

  it('counts once the sessions of all members have ended, of whom nothing is left then', async () => {
    const { one, two } = await settled()
    groups.now += 10
    await two.heartbeat()
    groups.now += SESSION - 1
    await expect(groups.store.commit(groupId, null, [offset('orders-0', 1)])).rejects.toMatchObject({
      type: 'NON_EMPTY_GROUP',
    })
    groups.now += 1
    expect(await groups.store.commit(groupId, null, [offset('orders-0', 1)])).toEqual([null])
    for (const late of [one, two]) {
      await expect(late.heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    }
    expect(await groups.store.snapshot(groupId)).toMatchObject({ epoch: 3, emptySince: groups.now })
    const back = new TestMember(groups.store, groupId, 'back')
    await back.join()
    await back.install({ back: ['orders-0'] })
    expect((await back.sync()).granted).toMatchObject([{ grant: 5, committed: { offset: 1 } }])
  })
})

it('offsets of a group that does not exist are none', async () => {
  expect(await groups.store.committed('nowhere', ['orders-0', 'orders-1'].map(partition))).toEqual([null, null])
  expect(await groups.store.allCommitted('nowhere')).toEqual(new Map())
  expect(await groups.store.committed(groupId, [])).toEqual([])
})
