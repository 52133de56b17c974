import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { TestGroups } from '../../spec-support/test-groups.js'
import { names, partition, SESSION, TestMember, type TestMemberOptions } from '../../spec-support/test-member.js'

let groups: TestGroups
beforeAll(async () => {
  groups = await TestGroups.open()
})
afterAll(() => groups.close())

let groupId = ''
let count = 0
beforeEach(() => {
  groupId = `static-${count++}`
})

const member = (id: string, options?: TestMemberOptions): TestMember =>
  new TestMember(groups.store, groupId, id, options)

/** A static member that owns orders-0 and orders-1, beside another one that owns the rest. */
async function settled() {
  const old = member('old', { instanceId: 'web 1' })
  const other = member('other', { instanceId: 'web 2' })
  await old.join()
  await other.join()
  await old.sync()
  expect(await old.install({ old: ['orders-0', 'orders-1'], other: ['orders-2', 'orders-3'] })).toBe(true)
  await old.sync()
  await other.sync()
  return { old, other }
}

const memberIds = async (): Promise<string[]> => {
  const found = await groups.store.snapshot(groupId)
  return [...(found?.members.keys() ?? [])].toSorted()
}

describe('a static member that comes back under another member id', () => {
  it('gets its partitions at once, under new grants, with the offsets, and nobody else notices', async () => {
    const { old, other } = await settled()
    expect(await old.commit('orders-1', 17)).toBeNull()
    const back = member('back', { instanceId: 'web 1' })
    const result = await back.join()
    expect(result).toMatchObject({ epoch: 2, assignmentEpoch: 2, assign: false, leaderId: 'back' })
    expect(names(result.target)).toEqual(['orders-0', 'orders-1'])
    expect(result.granted).toMatchObject([
      { topic: 'orders', partition: 0, grant: 5, committed: null },
      { topic: 'orders', partition: 1, grant: 6, committed: { offset: 17 } },
    ])
    expect(await other.heartbeat()).toMatchObject({ epoch: 2, assignmentEpoch: 2, assign: false })
    expect(await memberIds()).toEqual(['back', 'other'])
    expect(await back.commit('orders-0', 3)).toBeNull()
  })

  it('fences the one that it replaces, whatever that does, and also after a second one has come', async () => {
    const { old } = await settled()
    const back = member('back', { instanceId: 'web 1' })
    await back.join()
    await member('again', { instanceId: 'web 1' }).join()
    for (const fenced of [old, back]) {
      await expect(fenced.heartbeat()).rejects.toMatchObject({ type: 'FENCED_INSTANCE_ID' })
      await expect(fenced.sync()).rejects.toMatchObject({ type: 'FENCED_INSTANCE_ID' })
      await expect(fenced.join()).rejects.toMatchObject({ type: 'FENCED_INSTANCE_ID' })
      await expect(fenced.commit('orders-0', 1)).rejects.toMatchObject({ type: 'FENCED_INSTANCE_ID' })
      await fenced.leave()
    }
    expect(await memberIds()).toEqual(['again', 'other'])
  })

  it('can join again when the answer was lost: it is not replaced by itself', async () => {
    await settled()
    const back = member('back', { instanceId: 'web 1' })
    const first = await back.join()
    back.owned = []
    const again = await back.join()
    expect(again).toMatchObject({ epoch: 2, assign: false })
    expect(names(again.owned)).toEqual(names(first.owned))
    expect(Math.min(...again.owned.map(({ grant }) => grant))).toBeGreaterThan(6)
  })

  it('asks for another assignment where it subscribes other topics or knows other assigners', async () => {
    await settled()
    const more = member('more', { instanceId: 'web 1', topics: { orders: 4, payments: 1 } })
    expect(await more.join()).toMatchObject({ epoch: 3, assign: true })
    expect(await member('another', { instanceId: 'web 2', assigners: ['range', 'own'] }).join()).toMatchObject({
      epoch: 4,
      assign: false,
    })
  })

  it('raises the epoch while an assignment is due, which may be on its way with the old id', async () => {
    const { other } = await settled()
    await member('third').join()
    await other.sync()
    const computed = { epoch: other.epoch, target: new Map([['old', [partition('orders-0')]]]) }
    expect(await member('back', { instanceId: 'web 1' }).join()).toMatchObject({ epoch: 4 })
    const installation = { assigner: 'range', leaderId: 'other', topics: [], protocols: ['range'] }
    expect(await groups.store.install(groupId, computed.epoch, { ...installation, target: computed.target })).toBe(
      false,
    )
  })

  it('may bring other assigners where it was the only member', async () => {
    await member('one', { instanceId: 'only', assigners: ['range'] }).join()
    const back = member('two', { instanceId: 'only', assigners: ['own'] })
    expect(await back.join()).toMatchObject({ epoch: 2, assign: true })
  })

  it('is a new one after its session has ended, and the one before it is unknown, not fenced', async () => {
    const { old, other } = await settled()
    groups.now += SESSION / 2
    await other.heartbeat()
    groups.now += SESSION / 2
    await other.heartbeat()
    expect(await memberIds()).toEqual(['other'])
    await expect(old.heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    const back = member('back', { instanceId: 'web 1' })
    expect(await back.join()).toMatchObject({ epoch: 4, owned: [] })
    await expect(old.heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
  })

  it('leaves nothing of those before it when it leaves', async () => {
    await settled()
    const back = member('back', { instanceId: 'web 1' })
    await back.join()
    await back.leave()
    const fields = await groups.test.redis.hkeys(await groups.key(groupId, 'group'))
    expect(fields.filter((field) => field.startsWith('instance:'))).toEqual(['instance:web 2'])
  })

  it('has those before it remembered for a day', async () => {
    const { other } = await settled()
    const key = await groups.key(groupId, 'group')
    const fenced = async () => (await groups.test.redis.hkeys(key)).filter((field) => field.startsWith('fenced:'))
    await member('second', { instanceId: 'web 1' }).join()
    groups.now += 86_400_000
    await member('third', { instanceId: 'web 1' }).join()
    expect(await fenced()).toEqual(['fenced:old', 'fenced:second'])
    groups.now += 1
    await member('fourth', { instanceId: 'web 1' }).join()
    expect(await fenced()).toEqual(['fenced:second', 'fenced:third'])
    expect(await other.heartbeat()).toMatchObject({ epoch: 2 })
  })

  it('has no more than a thousand of those before it remembered, the latest ones', async () => {
    await settled()
    const key = await groups.key(groupId, 'group')
    const traces = Array.from({ length: 1001 }, (_, i) => [`fenced:${i}`, groups.now - 1001 + i] as const)
    await groups.test.redis.hset(key, Object.fromEntries(traces))
    await member('back', { instanceId: 'web 1' }).join()
    const left = (await groups.test.redis.hkeys(key)).filter((field) => field.startsWith('fenced:'))
    const latest = traces.slice(500).map(([field]) => field)
    expect(left.toSorted()).toEqual([...latest, 'fenced:old'].toSorted())
  })
})
