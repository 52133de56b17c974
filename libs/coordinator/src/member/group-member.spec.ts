import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { names } from '../../spec-support/group-members.js'
import { GroupWorld, pass } from '../../spec-support/group-world.js'

const lost = (): KafkaError => new KafkaError('NETWORK_EXCEPTION', 'the connection was lost')

let world: GroupWorld

beforeEach(() => {
  world = GroupWorld.open({ orders: 3 })
})

afterEach(() => world.close())

describe('joining', () => {
  it('resolves when the member owns what it shall own and the listener knows', async () => {
    const { member, listener } = world.add('a')
    let ready: () => void = () => undefined
    listener.behaviour.onAssigned = () => new Promise((resolve) => (ready = resolve))
    let joined = false
    void member.join().then(() => (joined = true))
    await pass(100)
    expect([joined, listener.calls]).toEqual([false, ['assigned orders-0 orders-1 orders-2']])
    ready()
    await pass(0)
    expect(joined).toBe(true)
    expect(listener.calls).toEqual(['assigned orders-0 orders-1 orders-2', 'settled orders-0 orders-1 orders-2'])
    expect(listener.settled).toEqual([
      { epoch: 1, leaderId: member.memberId, assigner: 'dealing', owned: member.owned, duration: expect.any(Number) },
    ])
  })

  it('says who the member is', async () => {
    const { member } = await world.join('my-client')
    expect(member.memberId).toMatch(/^my-client-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect([member.epoch, member.leaderId]).toEqual([1, member.memberId])
    expect(world.groups.group('g').snapshot().members.get(member.memberId)).toMatchObject({
      clientId: 'my-client',
      clientHost: expect.stringMatching(/^\/./),
      instanceId: null,
      topics: ['orders'],
      sessionTimeout: 30_000,
      rebalanceTimeout: 60_000,
    })
  })

  it('gives the committed offsets with the partitions', async () => {
    const { member } = await world.join('a')
    const [first] = member.owned
    if (first === undefined) throw new Error('it owns nothing')
    const committing = member.commit([{ ...first, offset: 42, leaderEpoch: null, metadata: 'note' }])
    await pass(10)
    expect(await committing).toEqual([null])
    void member.leave(1000)
    const { listener } = await world.join('b')
    expect(listener.assigned.map(({ partition, committed }) => [partition, committed?.offset ?? null])).toEqual([
      [0, 42],
      [1, null],
      [2, null],
    ])
  })

  it('owns nothing where no subscribed topic exists, until one does', async () => {
    const { member, listener } = await world.join('a', { subscription: { topics: ['later'], patterns: [] } })
    expect(listener.calls).toEqual(['settled'])
    world.topics.create('later', 2)
    await pass(100)
    expect(names(member.owned)).toEqual(['later-0', 'later-1'])
  })

  it('is tried again as the settings say, then fails with the last error', async () => {
    const retry = { retries: 2, initialRetryTime: 100, maxRetryTime: 1000, multiplier: 2, factor: 0 }
    const { member, store, listener } = world.add('a', {}, { retry })
    store.failures.push(...Array.from({ length: 10 }, () => ({ error: lost() })))
    let outcome: unknown
    void member.join().catch((error: unknown) => (outcome = error))
    await pass(300)
    expect(outcome).toBeUndefined()
    await pass(20)
    expect(outcome).toMatchObject({ type: 'NETWORK_EXCEPTION' })
    expect([store.calls, listener.calls]).toEqual([['watch', 'watch', 'watch'], []])
  })

  it('succeeds after failures that the settings allow, wherever they come', async () => {
    const { member, store } = world.add('a')
    store.failures.push({ error: lost() }, { error: lost(), late: true }, { error: lost(), late: true })
    world.topics.failures.push(lost())
    void member.join()
    await pass(20_000)
    expect(names(member.owned)).toEqual(['orders-0', 'orders-1', 'orders-2'])
    expect(world.groups.group('g').members.size).toBe(1)
  })

  it('is tried anew, as often as the settings say, after each success', async () => {
    const a = await world.join('a')
    a.listener.behaviour.onRevoked = () => new Promise(() => undefined)
    const retry = { retries: 2, initialRetryTime: 100, maxRetryTime: 1000, multiplier: 2, factor: 0 }
    const { member, store } = world.add('b', {}, { retry })
    let outcome: unknown
    void member.join().catch((error: unknown) => (outcome = error))
    for (let i = 0; i < 3; i++) {
      store.failures.push({ error: lost() }, { error: lost() })
      await pass(5000)
    }
    expect([outcome, store.failures, member.isLive]).toEqual([undefined, [], true])
    store.failures.push({ error: lost() }, { error: lost() }, { error: lost() })
    await pass(5000)
    expect(outcome).toMatchObject({ type: 'NETWORK_EXCEPTION' })
  })

  it.each(['INCONSISTENT_GROUP_PROTOCOL', 'GROUP_AUTHORIZATION_FAILED', 'UNSUPPORTED_VERSION'] as const)(
    'fails at once with %s',
    async (type) => {
      const { member, store, listener } = world.add('a')
      const joining = member.join().catch((error: unknown) => error)
      store.failures.push({ error: new KafkaError(type) })
      await pass(10)
      expect(await joining).toMatchObject({ type })
      await pass(60_000)
      expect([store.calls.length, listener.calls]).toEqual([1, []])
    },
  )

  it('fails when the member leaves meanwhile', async () => {
    const { member } = world.add('a')
    const joining = member.join().catch((error: unknown) => error)
    const leaving = member.leave(1000)
    await pass(1000)
    await leaving
    expect(await joining).toMatchObject({ type: 'CLIENT_CLOSED' })
    expect(world.members[0]?.store.calls).toEqual(['watch'])
  })

  it('fails after the member has left', async () => {
    const { member, store } = world.add('a')
    await member.leave(1000)
    await expect(member.join()).rejects.toMatchObject({ type: 'CLIENT_CLOSED' })
    expect(store.calls).toEqual([])
  })
})

describe('heartbeats', () => {
  it('are one call an interval, and nothing else is sent, while nothing happens', async () => {
    const { store, listener } = await world.join('a', { heartbeatInterval: 3000 })
    const before = { calls: store.calls.length, beats: listener.heartbeats, lookups: world.topics.lookups }
    await pass(30_000)
    expect(store.calls.slice(before.calls)).toEqual(Array.from({ length: 10 }, () => 'heartbeat'))
    expect(listener.heartbeats - before.beats).toBe(10)
    expect(world.topics.lookups).toBe(before.lookups)
  })

  it('go on while the listener takes its time', async () => {
    const { member, listener, store } = world.add('a')
    listener.behaviour.onAssigned = () => new Promise((resolve) => void setTimeout(resolve, 50_000))
    void member.join()
    await pass(45_000)
    expect(store.calls.filter((call) => call === 'heartbeat').length).toBeGreaterThanOrEqual(13)
    expect(member.isLive).toBe(true)
    await pass(10_000)
  })

  it('are sent at once for whoever asks, one for all who do', async () => {
    const { member, store } = await world.join('a')
    const before = store.calls.length
    const beats = Promise.all([member.heartbeat(), member.heartbeat()])
    await pass(10)
    await beats
    expect(store.calls.slice(before)).toEqual(['heartbeat'])
  })

  it('tell whoever asks what became of them', async () => {
    const { member, store } = await world.join('a')
    store.failures.push({ error: lost() })
    const beat = member.heartbeat().catch((error: unknown) => error)
    await pass(10)
    expect(await beat).toMatchObject({ type: 'NETWORK_EXCEPTION' })
    const again = member.heartbeat()
    await pass(1000)
    await expect(again).resolves.toBeUndefined()
  })

  it('cannot be asked for before joining, nor after leaving', async () => {
    const { member } = world.add('a')
    await expect(member.heartbeat()).rejects.toMatchObject({ type: 'CLIENT_CLOSED' })
    void member.join()
    await pass(100)
    const beat = member.heartbeat().catch((error: unknown) => error)
    const leaving = member.leave(1000)
    await pass(10)
    await leaving
    expect(await beat).toMatchObject({ type: 'CLIENT_CLOSED' })
    await expect(member.heartbeat()).rejects.toMatchObject({ type: 'CLIENT_CLOSED' })
  })

  it('come soon after another member may have died', async () => {
    const a = await world.join('a', { sessionTimeout: 10_000 })
    const b = await world.join('b', { sessionTimeout: 10_000 })
    await pass(10_000)
    b.store.freeze()
    const frozenAt = performance.now()
    a.listener.behaviour.onSettled = () => expect(performance.now() - frozenAt).toBeLessThan(10_100)
    await pass(10_100)
    expect(world.owned['a']).toBe('orders-0 orders-1 orders-2')
  })
})

describe('leaving', () => {
  it('is quick, and tells the listener nothing', async () => {
    const { member, listener, store } = await world.join('a')
    const before = [...listener.calls]
    const leaving = member.leave(1000)
    await pass(2)
    await leaving
    await pass(60_000)
    expect([listener.calls, store.calls.at(-1)]).toEqual([before, 'leave'])
    expect([world.groups.group('g').members.size, member.isLive]).toEqual([0, false])
  })

  it('takes no longer than the deadline when nobody answers', async () => {
    const { member, store } = await world.join('a')
    store.freeze()
    let left = false
    void member.leave(500).then(() => (left = true))
    await pass(499)
    expect(left).toBe(false)
    await pass(1)
    expect(left).toBe(true)
  })

  it('does not reject when it cannot be told', async () => {
    const { member, store } = await world.join('a')
    store.cut()
    const leaving = member.leave(500)
    await pass(500)
    await expect(leaving).resolves.toBeUndefined()
  })

  it('gives the partitions to the others within milliseconds', async () => {
    const a = await world.join('a')
    await world.join('b')
    void a.member.leave(1000)
    await pass(20)
    expect(world.owned['b']).toBe('orders-0 orders-1 orders-2')
  })

  it('of a member that is joining leaves nothing of it in the group', async () => {
    const { member, store } = world.add('a')
    void member.join().catch(() => undefined)
    await pass(1)
    store.delay = 50
    await pass(1)
    // The join is on its way, and takes long.
    expect(store.calls).toEqual(['watch', 'sync'])
    store.delay = 0
    const leaving = member.leave(1000)
    await pass(500)
    await leaving
    expect(world.groups.group('g').members.size).toBe(0)
  })

  it('waits for nothing that the listener does', async () => {
    const { member, listener } = world.add('a')
    listener.behaviour.onAssigned = () => new Promise(() => undefined)
    void member.join().catch(() => undefined)
    await pass(100)
    const leaving = member.leave(1000)
    await pass(10)
    await leaving
    expect(jest.getTimerCount()).toBe(0)
  })
})

describe('a failure that trying again does not cure', () => {
  it('ends the membership, once', async () => {
    const { member, listener, store } = await world.join('a')
    const before = store.calls.length
    store.failures.push({ error: new KafkaError('GROUP_AUTHORIZATION_FAILED') })
    await pass(60_000)
    expect(listener.errors).toEqual([expect.objectContaining({ type: 'GROUP_AUTHORIZATION_FAILED' })])
    expect([member.isLive, store.calls.length - before, jest.getTimerCount()]).toEqual([false, 1, 0])
  })

  it('leaves the member in the group until it leaves: what was done can be committed', async () => {
    const { member, store } = await world.join('a')
    store.failures.push({ error: new KafkaError('UNSUPPORTED_VERSION') })
    await pass(4000)
    const committing = member.commit(member.owned.map((p) => ({ ...p, offset: 1, leaderEpoch: null, metadata: null })))
    await pass(10)
    expect(await committing).toEqual([null, null, null])
    void member.leave(1000)
    await pass(10)
    expect(world.groups.group('g').members.size).toBe(0)
  })

  it.each(['onAssigned', 'onLost', 'onRevoked', 'onSettled'] as const)('is what %s throws', async (call) => {
    const a = world.add('a')
    const joining = a.member.join().catch((error: unknown) => error)
    if (call !== 'onAssigned' && call !== 'onSettled') await pass(100)
    a.listener.behaviour[call] = () => {
      throw new Error(`${call} has failed`)
    }
    await pass(100)
    if (call === 'onRevoked') await world.join('b')
    if (call === 'onLost') {
      world.groups.group('g').expel(a.member.memberId)
      await pass(4000)
    }
    const error = call === 'onAssigned' || call === 'onSettled' ? await joining : a.listener.errors[0]
    expect(error).toEqual(new Error(`${call} has failed`))
    expect(a.member.isLive).toBe(false)
  })

  it('is told even if onFailed itself throws', async () => {
    const { listener, store, logs } = await world.join('a')
    listener.onFailed = () => {
      throw new Error('so does this')
    }
    store.failures.push({ error: new KafkaError('UNSUPPORTED_VERSION') })
    await pass(4000)
    expect(logs).toEqual([expect.stringContaining('so does this')])
  })
})
