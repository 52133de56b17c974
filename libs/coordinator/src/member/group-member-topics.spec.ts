import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { GroupWorld, pass } from '../../spec-support/group-world.js'

let world: GroupWorld

beforeEach(() => {
  world = GroupWorld.open({ 'orders-eu': 2 })
})

afterEach(() => world.close())

const pattern = { subscription: { topics: [], patterns: [/^orders-/] } }
const named = { subscription: { topics: ['orders-eu'], patterns: [] } }

describe.each([
  ['by pattern', pattern],
  ['by name', { subscription: { topics: ['orders-eu', 'orders-us'], patterns: [] } }],
])('a topic subscribed to %s', (_, options) => {
  it('is shared out when it appears', async () => {
    await world.join('a', options)
    await world.join('b', options)
    world.topics.create('orders-us', 2)
    await pass(100)
    expect(world.owned).toEqual({ a: 'orders-eu-0 orders-us-0', b: 'orders-eu-1 orders-us-1' })
  })

  it('is nobody’s when it is deleted', async () => {
    const a = await world.join('a', options)
    await world.join('b', options)
    await pass(5000)
    world.topics.delete('orders-eu')
    await pass(100)
    expect(world.owned).toEqual({ a: '', b: '' })
    expect(a.listener.calls.slice(-3)).toEqual(['rebalancing', 'revoked orders-eu-0', 'settled'])
  })

  it('is another one when it is made again', async () => {
    const a = await world.join('a', options)
    await world.join('b', options)
    world.topics.delete('orders-eu')
    world.topics.create('orders-eu', 1)
    await pass(100)
    expect(world.owned).toEqual({ a: 'orders-eu-0', b: '' })
    expect(a.member.owned.map(({ topicId }) => topicId)).toEqual(['id2'])
  })

  it('is shared out anew when it gets partitions', async () => {
    await world.join('a', options)
    await world.join('b', options)
    world.topics.addPartitions('orders-eu', 4)
    await pass(100)
    expect(world.owned).toEqual({ a: 'orders-eu-0 orders-eu-2', b: 'orders-eu-1 orders-eu-3' })
  })
})

describe('a change of a topic', () => {
  it('raises the epoch once, however many members tell of it', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await world.join(name, named)
    await pass(5000)
    const before = world.groups.group('g').epoch
    world.topics.addPartitions('orders-eu', 8)
    await pass(5000)
    expect(world.groups.group('g').epoch).toBe(before + 1)
  })

  it('that is a deletion raises the epoch once, too', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await world.join(name, named)
    await pass(5000)
    const before = world.groups.group('g').epoch
    world.topics.delete('orders-eu')
    await pass(5000)
    expect(world.groups.group('g').epoch).toBe(before + 1)
  })

  it('that only some have noticed brings them to no end of assignments', async () => {
    await world.join('a', named)
    world.topics.announces = false
    world.topics.addPartitions('orders-eu', 4)
    const before = world.topics.lookups
    // b has seen all four; a believes that there are two, and is told otherwise by its target.
    await world.join('b', named)
    await pass(30_000)
    expect(world.owned).toEqual({ a: 'orders-eu-0 orders-eu-2', b: 'orders-eu-1 orders-eu-3' })
    expect(world.groups.group('g').epoch).toBe(2)
    // b's own, the assigner's, and a's, whose target has what it did not know.
    expect(world.topics.lookups - before).toBe(3)
  })

  it('is noticed when metadata is old, where nothing is announced', async () => {
    const { member } = world.add('a', pattern, { metadataMaxAge: 10_000 })
    void member.join()
    await pass(100)
    world.topics.announces = false
    world.topics.create('orders-us', 1)
    await pass(9800)
    expect(world.owned).toEqual({ a: 'orders-eu-0 orders-eu-1' })
    await pass(300)
    expect(world.owned).toEqual({ a: 'orders-eu-0 orders-eu-1 orders-us-0' })
  })

  it('that concerns nobody changes nothing', async () => {
    const { store } = await world.join('a', pattern)
    const before = [...store.calls]
    world.topics.create('payments', 3)
    await pass(1000)
    expect(store.calls).toEqual(before)
  })
})

describe('members that want different topics', () => {
  it('get what they want', async () => {
    world.topics.create('payments', 2)
    await world.join('a', named)
    await world.join('b', { subscription: { topics: ['payments'], patterns: [/^orders/] } })
    expect(world.owned).toEqual({ a: 'orders-eu-0', b: 'orders-eu-1 payments-0 payments-1' })
  })
})
