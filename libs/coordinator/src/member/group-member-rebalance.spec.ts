import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { names } from '../../spec-support/group-members.js'
import { GroupWorld, pass } from '../../spec-support/group-world.js'
import { groupAssigners } from '../assignors/group-assigners.js'

let world: GroupWorld

beforeEach(() => {
  world = GroupWorld.open({ orders: 4 })
})

afterEach(() => world.close())

describe('a member that comes', () => {
  it('gets its share when those who had it have let go', async () => {
    const a = await world.join('a')
    const b = await world.join('b')
    expect(world.owned).toEqual({ a: 'orders-0 orders-2', b: 'orders-1 orders-3' })
    expect(a.listener.calls.slice(2)).toEqual(['rebalancing', 'revoked orders-1 orders-3', 'settled orders-0 orders-2'])
    expect(b.listener.calls).toEqual(['assigned orders-1 orders-3', 'settled orders-1 orders-3'])
  })

  it('waits for what is still being worked on, and for nothing else', async () => {
    const a = await world.join('a')
    let done: () => void = () => undefined
    a.listener.behaviour.onRevoked = () => new Promise((resolve) => (done = resolve))
    world.topics.create('payments', 2)
    const b = await world.join('b', { subscription: { topics: ['orders', 'payments'], patterns: [] } })
    expect(world.owned).toEqual({
      a: 'orders-0 orders-1 orders-2 orders-3',
      b: 'payments-0 payments-1',
    })
    expect(b.listener.settled).toEqual([])
    // Heartbeats of both go on meanwhile.
    await pass(50_000)
    expect([a.member.isLive, b.member.isLive]).toEqual([true, true])
    done()
    await pass(20)
    expect(world.owned).toEqual({ a: 'orders-0 orders-2', b: 'orders-1 orders-3 payments-0 payments-1' })
    expect(b.listener.settled).toMatchObject([{ duration: expect.any(Number) }])
    expect(b.listener.settled[0]?.duration).toBeGreaterThan(50_000)
  })

  it('waits no longer than the rebalance timeout of those who have it', async () => {
    const a = await world.join('a', { rebalanceTimeout: 5000 })
    a.listener.behaviour.onRevoked = () => new Promise(() => undefined)
    const b = await world.join('b')
    await pass(4700)
    expect(names(b.member.owned)).toEqual([])
    await pass(400)
    expect(world.owned).toEqual({ a: 'orders-0 orders-2', b: 'orders-1 orders-3' })
    expect(a.logs).toEqual([expect.stringContaining('revocation has not ended')])
    expect(a.member.isLive).toBe(true)
  })

  it('gets what is free while another revocation is under way', async () => {
    const a = await world.join('a')
    a.listener.behaviour.onRevoked = () => new Promise(() => undefined)
    await world.join('b')
    const c = await world.join('c')
    void c.member.leave(1000)
    world.topics.addPartitions('orders', 6)
    await pass(100)
    expect(world.owned).toMatchObject({ a: 'orders-0 orders-1 orders-2 orders-3 orders-4', b: 'orders-5' })
    expect(a.listener.calls.at(-1)).toBe('assigned orders-4')
  })
})

describe('a partition that is being revoked', () => {
  it('is let go of and given anew when it is given back meanwhile', async () => {
    const a = await world.join('a')
    let done: () => void = () => undefined
    a.listener.behaviour.onRevoked = () => new Promise((resolve) => (done = resolve))
    const b = await world.join('b')
    const before = a.member.owned.filter(({ partition }) => partition % 2 === 1).map(({ grant }) => grant)
    void b.member.leave(1000)
    await pass(100)
    expect(a.listener.calls.filter((call) => call.startsWith('revoked'))).toEqual(['revoked orders-1 orders-3'])
    done()
    await pass(100)
    expect(a.listener.calls.slice(-2)).toEqual([
      'assigned orders-1 orders-3',
      'settled orders-0 orders-1 orders-2 orders-3',
    ])
    const after = a.member.owned.filter(({ partition }) => partition % 2 === 1).map(({ grant }) => grant)
    expect(Math.min(...after)).toBeGreaterThan(Math.max(...before))
  })

  it('is not revoked a second time before the first revocation has ended, though it was lost and given anew', async () => {
    const a = await world.join('a')
    const ends: (() => void)[] = []
    a.listener.behaviour.onRevoked = () => new Promise((resolve) => void ends.push(resolve))
    const b = await world.join('b')
    world.groups.group('g').expel(a.member.memberId)
    void b.member.leave(1000)
    await pass(4000)
    expect(world.owned).toMatchObject({ a: 'orders-0 orders-1 orders-2 orders-3' })
    await world.join('c')
    expect(ends).toHaveLength(1)
    ends[0]?.()
    await pass(100)
    expect(a.listener.calls.filter((call) => call.startsWith('revoked'))).toEqual([
      'revoked orders-1 orders-3',
      'revoked orders-1 orders-3',
    ])
    ends[1]?.()
    await pass(100)
    expect(world.owned).toMatchObject({ a: 'orders-0 orders-2', c: 'orders-1 orders-3' })
  })
})

describe('a group', () => {
  it('of three shares out everything, and tells every member of every target', async () => {
    for (const name of ['a', 'b', 'c']) await world.join(name)
    await pass(4000)
    expect(Object.values(world.owned).join(' ').split(' ').sort()).toEqual([
      'orders-0',
      'orders-1',
      'orders-2',
      'orders-3',
    ])
    const epochs = world.members.map(({ listener }) => listener.settled.map(({ epoch }) => epoch))
    expect(epochs.map((all) => all.at(-1))).toEqual([3, 3, 3])
    expect(new Set(world.members.map(({ member }) => member.leaderId)).size).toBe(1)
  })

  it('does not disturb whom a change does not concern', async () => {
    world.topics.create('payments', 2)
    const a = await world.join('a')
    await world.join('b', { subscription: { topics: ['payments'], patterns: [] } })
    await pass(4000)
    expect(a.listener.calls).toEqual([
      'assigned orders-0 orders-1 orders-2 orders-3',
      'settled orders-0 orders-1 orders-2 orders-3',
      'settled orders-0 orders-1 orders-2 orders-3',
    ])
  })

  it('of ten that all come at once settles within a second', async () => {
    world.topics.addPartitions('orders', 40)
    for (let i = 0; i < 10; i++) {
      const { member } = world.add(`m${i}`, { assigners: [groupAssigners.uniform] })
      void member.join()
    }
    await pass(1000)
    expect(world.members.map(({ member }) => member.owned.length)).toEqual(Array.from({ length: 10 }, () => 4))
    expect(new Set(world.members.flatMap(({ member }) => names(member.owned))).size).toBe(40)
  })

  it('settles within a second when half of it leaves', async () => {
    world.topics.addPartitions('orders', 40)
    for (let i = 0; i < 10; i++) await world.join(`m${i}`, { assigners: [groupAssigners.uniform] })
    for (const { member } of world.members.slice(0, 5)) void member.leave(1000)
    await pass(1000)
    expect(world.members.slice(5).map(({ member }) => member.owned.length)).toEqual([8, 8, 8, 8, 8])
  })

  it('settles without any message, by heartbeats alone', async () => {
    for (const name of ['a', 'b']) {
      const added = world.add(name)
      added.store.deaf = true
      void added.member.join()
      await pass(100)
    }
    await pass(10_000)
    expect(world.owned).toEqual({ a: 'orders-0 orders-2', b: 'orders-1 orders-3' })
  })
})
