import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { TestGroups } from '../../spec-support/test-groups.js'
import { facts, SESSION, STALL, TestMember, type TestMemberOptions } from '../../spec-support/test-member.js'

let groups: TestGroups
beforeAll(async () => {
  groups = await TestGroups.open()
})
afterAll(() => groups.close())

let groupId = ''
let count = 0
beforeEach(() => {
  groupId = `members-${count++}`
  groups.replicationId = 'cafebabe'
})

const member = (id: string, options?: TestMemberOptions): TestMember =>
  new TestMember(groups.store, groupId, id, options)

async function joined(id: string, options?: TestMemberOptions): Promise<TestMember> {
  const one = member(id, options)
  await one.join()
  return one
}

const snapshot = async () => {
  const found = await groups.store.snapshot(groupId)
  if (found === null) throw new Error('there is no group')
  return found
}
const memberIds = async (): Promise<string[]> => [...(await snapshot()).members.keys()].toSorted()

describe('joining', () => {
  it('makes the group, raises the epoch, and the first member is to assign', async () => {
    expect(await groups.store.snapshot(groupId)).toBeNull()
    const one = member('one')
    expect(await one.join()).toEqual({
      ...{ epoch: 1, assignmentEpoch: 0, assign: true, leaderId: '', assigner: '' },
      ...{ target: [], owned: [], granted: [], waiting: [], nextExpiry: 2 ** 31 - 1 },
    })
    expect(await snapshot()).toEqual({
      ...{ groupId, epoch: 1, assignmentEpoch: 0, assigner: '', leaderId: '', emptySince: null, now: groups.now },
      members: new Map([['one', one.record]]),
      target: new Map([['one', []]]),
      owned: new Map([['one', []]]),
    })
  })

  it('raises the epoch for each member, and tells when the first other session ends', async () => {
    await joined('one')
    groups.now += 1_000
    const two = member('two', { sessionTimeout: 10_000 })
    expect(await two.join()).toMatchObject({ epoch: 2, nextExpiry: SESSION - 1_000 })
    expect(await joined('three')).toMatchObject({ epoch: 3 })
    expect(await two.heartbeat()).toMatchObject({ epoch: 3, nextExpiry: SESSION - 1_000 })
    expect(await memberIds()).toEqual(['one', 'three', 'two'])
  })

  it('can be repeated when the answer was lost: the epoch is raised once', async () => {
    const one = await joined('one')
    expect(await one.join()).toMatchObject({ epoch: 1, assign: true })
    expect(await memberIds()).toEqual(['one'])
  })

  it('takes a changed record, which raises the epoch where it is to', async () => {
    const one = await joined('one')
    const record = { ...one.record, assigners: [{ name: 'range', metadata: 'AAAA' }] }
    expect(await one.sync({ record })).toMatchObject({ epoch: 1 })
    expect((await snapshot()).members.get('one')).toEqual(record)
    const more = { ...record, topics: ['orders', 'payments'] }
    expect(await one.sync({ record: more, raiseEpoch: true })).toMatchObject({ epoch: 2 })
    expect((await snapshot()).members.get('one')).toEqual(more)
  })

  it('raises the epoch for a topic of another id and for more partitions, not for fewer or a topic known already', async () => {
    const one = await joined('one', { topics: { orders: 4 } })
    expect(await joined('two', { topics: { orders: 4 } })).toMatchObject({ epoch: 2 })
    expect(await one.sync({ topics: facts({ orders: 5 }) })).toMatchObject({ epoch: 3 })
    expect(await one.sync({ topics: facts({ orders: 4 }) })).toMatchObject({ epoch: 3 })
    expect(await one.sync({ topics: facts({ orders: 5, payments: 1 }) })).toMatchObject({ epoch: 4 })
    const again = [{ topic: 'orders', topicId: 'made-again', partitions: 2 }]
    expect(await one.sync({ topics: again })).toMatchObject({ epoch: 5 })
    expect(await one.sync({ topics: again })).toMatchObject({ epoch: 5 })
  })

  it('keeps apart what goes by like names: ids, hosts and instance ids of any characters', async () => {
    const ids = ['a b', 'ünïcode ☃ "quoted" \\', '-5 orders x', 'x\ny']
    const all = []
    for (const id of ids) all.push(await joined(id, { instanceId: `instance ${id}`, topics: { orders: 4 } }))
    const [first, ...others] = all
    await first?.sync()
    expect(await first?.install(Object.fromEntries(ids.map((id, i) => [id, [`orders-${i}`]])))).toBe(true)
    for (const [i, one] of [...(first === undefined ? [] : [first]), ...others].entries()) {
      expect((await one.sync()).owned).toMatchObject([{ topic: 'orders', partition: i }])
      expect(await one.commit(`orders-${i}`, 1)).toBeNull()
    }
    const { members, owned } = await snapshot()
    expect(new Set(members.keys())).toEqual(new Set(ids))
    expect(ids.map((id) => owned.get(id)?.map((own) => own.partition))).toEqual([[0], [1], [2], [3]])
  })
})

describe('the assigners of a group', () => {
  it('must have one in common, or the joiner is refused and nothing is changed', async () => {
    const one = await joined('one', { assigners: ['range', 'sticky'] })
    await joined('two', { assigners: ['sticky', 'range', 'own'] })
    await expect(member('three', { assigners: ['own'] }).join()).rejects.toMatchObject({
      type: 'INCONSISTENT_GROUP_PROTOCOL',
      message: expect.stringContaining(groupId),
    })
    expect(await memberIds()).toEqual(['one', 'two'])
    expect(await one.heartbeat()).toMatchObject({ epoch: 2 })
  })

  it('are those that all know so far: each joiner narrows them, an installation sets them', async () => {
    const one = await joined('one', { assigners: ['range', 'sticky'] })
    const two = await joined('two', { assigners: ['sticky'] })
    await expect(member('three', { assigners: ['range'] }).join()).rejects.toMatchObject({
      type: 'INCONSISTENT_GROUP_PROTOCOL',
    })
    await two.leave()
    await one.sync()
    expect(await one.install({ one: [] }, ['range', 'sticky'])).toBe(true)
    await expect(member('three', { assigners: ['range'] }).join()).resolves.toMatchObject({ epoch: 4 })
  })

  it('are the joiner’s own where there is nobody else', async () => {
    const one = await joined('one', { assigners: ['range'] })
    await one.leave()
    await joined('two', { assigners: ['another one'] })
    expect(await memberIds()).toEqual(['two'])
    await expect(member('three', { assigners: ['range'] }).join()).rejects.toMatchObject({
      type: 'INCONSISTENT_GROUP_PROTOCOL',
    })
  })
})

describe('a session', () => {
  it('ends when its time is over, by the heartbeat of another member, which is then to assign', async () => {
    const one = await joined('one')
    const two = await joined('two')
    await two.install({})
    groups.now += STALL
    await two.heartbeat()
    groups.now += SESSION - STALL - 1
    expect(await two.heartbeat()).toMatchObject({ epoch: 2, assign: false, nextExpiry: 1 })
    groups.now += 1
    expect(await two.heartbeat()).toMatchObject({ epoch: 3, assign: true, nextExpiry: 2 ** 31 - 1 })
    expect(await memberIds()).toEqual(['two'])
    await expect(one.heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    await expect(one.sync()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
  })

  it('goes on with a late heartbeat as long as nobody has ended it', async () => {
    const one = await joined('one')
    groups.now += STALL
    await one.heartbeat()
    groups.now += SESSION + 1
    expect(await one.heartbeat()).toMatchObject({ epoch: 1 })
  })

  it('is renewed by a sync as by a heartbeat', async () => {
    const one = await joined('one')
    const two = await joined('two')
    groups.now += STALL
    await one.sync()
    groups.now += STALL
    expect(await two.heartbeat()).toMatchObject({ epoch: 2, nextExpiry: SESSION - STALL })
  })

  it('has the length that its member asks for', async () => {
    await joined('short', { sessionTimeout: 6_000 })
    const long = await joined('long')
    groups.now += 5_999
    expect(await long.heartbeat()).toMatchObject({ epoch: 2, nextExpiry: 1 })
    groups.now += 1
    expect(await long.heartbeat()).toMatchObject({ epoch: 3 })
    expect(await memberIds()).toEqual(['long'])
  })

  it('of a member that the group never had is refused, as is any of a group that does not exist', async () => {
    await expect(member('nobody').heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    await joined('one')
    await expect(member('nobody').heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    await expect(member('nobody').sync()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    await expect(member('').heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    await expect(member('').join()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
  })
})

describe('a stall', () => {
  it('expels nobody: after a time without any heartbeat all sessions begin anew', async () => {
    const one = await joined('one')
    const two = await joined('two')
    await joined('dead')
    groups.now += 10 * SESSION
    expect(await one.heartbeat()).toMatchObject({ epoch: 3, nextExpiry: SESSION })
    groups.now += STALL
    await two.heartbeat()
    groups.now += SESSION - STALL
    // what was forgiven once is not forgiven again
    expect(await one.heartbeat()).toMatchObject({ epoch: 4 })
    expect(await memberIds()).toEqual(['one', 'two'])
  })

  it('that a join breaks gives the others just the time to be heard: those who lived no longer are dead', async () => {
    await joined('dead')
    const slow = await joined('slow', { sessionTimeout: 4 * SESSION })
    groups.now += 2 * SESSION
    const back = await joined('back')
    // A heartbeat interval, which is twice the time to a stall without a session; and 2 s.
    expect(await back.heartbeat()).toMatchObject({ epoch: 3, nextExpiry: 2 * STALL - SESSION + 2000 })
    groups.now += 2000
    expect(await back.heartbeat()).toMatchObject({ epoch: 4 })
    expect(await memberIds()).toEqual(['back', 'slow'])
    expect(await slow.heartbeat()).toMatchObject({ epoch: 4 })
  })

  it('is none as long as anybody is heard of', async () => {
    const one = await joined('one')
    await joined('dead')
    for (let i = 0; i < 3; i++) {
      groups.now += STALL
      await one.heartbeat()
    }
    expect(await memberIds()).toEqual(['one'])
  })

  it('counts a clock that went back as one: sessions last as long as ever from then on', async () => {
    const one = await joined('one')
    await joined('dead')
    groups.now -= 3_600_000
    expect(await one.heartbeat()).toMatchObject({ epoch: 2, nextExpiry: SESSION })
    groups.now += STALL
    await one.heartbeat()
    groups.now += SESSION - STALL
    expect(await one.heartbeat()).toMatchObject({ epoch: 3 })
    expect(await memberIds()).toEqual(['one'])
    groups.now += 3_600_000
  })
})

describe('another replication id', () => {
  it('begins all sessions anew, and has everybody sync', async () => {
    const one = await joined('one')
    const two = await joined('two')
    await two.install({})
    await one.heartbeat()
    groups.now += STALL
    await one.heartbeat()
    groups.now += SESSION - STALL
    groups.replicationId = 'deadbeef'
    const { epoch, assign, nextExpiry } = await one.heartbeat()
    expect({ assign, nextExpiry }).toEqual({ assign: true, nextExpiry: SESSION })
    expect(epoch).toBeGreaterThan(2)
    expect(await two.heartbeat()).toMatchObject({ epoch, assign: false })
    expect(await memberIds()).toEqual(['one', 'two'])
  })

  it('leads to epochs that the lost history cannot have had, whoever comes first', async () => {
    const [one, two] = [await joined('one'), await joined('two')]
    const lost = 7
    two.epoch += lost
    two.assignmentEpoch = two.epoch
    groups.replicationId = 'deadbeef'
    const { epoch } = await one.heartbeat()
    expect(epoch).toBeGreaterThan(two.epoch)
    expect(await two.heartbeat()).toMatchObject({ epoch })
  })

  it('is not noticed where INFO is not permitted, but an epoch that a member knows and the group does not is', async () => {
    const blind = await TestGroups.open({ infoInScripts: false })
    try {
      const one = new TestMember(blind.store, 'blind', 'one')
      const two = new TestMember(blind.store, 'blind', 'two')
      await one.join()
      await two.join()
      await two.install({})
      blind.replicationId = 'deadbeef'
      expect(await one.heartbeat()).toMatchObject({ epoch: 2, assignmentEpoch: 2 })
      one.epoch = 9
      const first = await one.heartbeat()
      expect(first.epoch).toBeGreaterThan(9)
      expect(first.assign).toBe(true)
      await one.install({})
      expect(await one.heartbeat()).toMatchObject({ epoch: first.epoch, assignmentEpoch: first.epoch })
      // the same epoch, but an installation that is lost
      await blind.test.redis.hset(await blind.key('blind', 'group'), 'assignment', '2')
      expect((await one.heartbeat()).epoch).toBeGreaterThan(first.epoch)
    } finally {
      await blind.close()
    }
  })
})

describe('the lease', () => {
  it('has one member assign at a time; the next one after 300 ms', async () => {
    const one = await joined('one')
    const two = member('two')
    expect(await two.join()).toMatchObject({ epoch: 2, assign: false })
    expect(await one.heartbeat()).toMatchObject({ assign: true })
    groups.now += 299
    expect(await two.heartbeat()).toMatchObject({ assign: false })
    groups.now += 1
    expect(await two.heartbeat()).toMatchObject({ assign: true })
    expect(await one.heartbeat()).toMatchObject({ assign: false })
  })

  it('tells its holder again and again, and nobody once a target is installed', async () => {
    const one = await joined('one')
    groups.now += 200
    expect(await one.heartbeat()).toMatchObject({ assign: true })
    groups.now += 200
    const two = member('two')
    expect(await two.join()).toMatchObject({ assign: false })
    expect(await two.install({})).toBe(true)
    expect(await two.heartbeat()).toMatchObject({ assign: false, assignmentEpoch: 2 })
    expect(await one.heartbeat()).toMatchObject({ assign: false, assignmentEpoch: 2 })
  })

  it('stays with its holder when another member leaves', async () => {
    const two = await joined('two')
    const one = await joined('one')
    const three = await joined('three')
    groups.now += 1
    await three.heartbeat()
    await one.leave()
    expect(await three.heartbeat()).toMatchObject({ assign: false })
    expect(await two.heartbeat()).toMatchObject({ assign: true })
  })

  it('passes at once when its holder leaves, and is over where the clock went back', async () => {
    const one = await joined('one')
    const two = await joined('two')
    const three = await joined('three')
    await one.leave()
    // told by the leaver, for 300 ms
    const told = await three.heartbeat()
    const [holder, other] = told.assign ? [three, two] : [two, three]
    expect(await holder.heartbeat()).toMatchObject({ assign: true })
    expect(await other.heartbeat()).toMatchObject({ assign: false })
    groups.now -= 1_000_000
    expect(await other.heartbeat()).toMatchObject({ assign: true })
    groups.now += 1_000_000
  })
})

describe('leaving', () => {
  it('raises the epoch, and makes the group empty with the last member', async () => {
    const one = await joined('one')
    const two = await joined('two')
    await one.leave()
    expect(await two.heartbeat()).toMatchObject({ epoch: 3, assign: true })
    expect(await memberIds()).toEqual(['two'])
    groups.now += 5
    await two.leave()
    expect(await snapshot()).toMatchObject({ epoch: 4, emptySince: groups.now })
    await expect(two.heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    expect(await joined('three')).toMatchObject({ epoch: 5 })
    expect((await snapshot()).emptySince).toBeNull()
  })

  it('of whoever is no member does nothing', async () => {
    await member('nobody').leave()
    expect(await groups.store.snapshot(groupId)).toBeNull()
    const one = await joined('one')
    await member('nobody').leave()
    await member('').leave()
    expect(await one.heartbeat()).toMatchObject({ epoch: 1 })
  })
})

describe('a group whose members have all died', () => {
  it('is without members as soon as their sessions are over, though nobody is left to end them', async () => {
    await joined('one')
    groups.now += 10
    await joined('two')
    groups.now += SESSION - 1
    expect(await memberIds()).toEqual(['one', 'two'])
    groups.now += 1
    const found = await snapshot()
    expect(found).toMatchObject({ emptySince: groups.now, members: new Map(), target: new Map(), owned: new Map() })
  })
})
