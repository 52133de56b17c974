import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { names } from '../../spec-support/group-members.js'
import { GroupWorld, pass } from '../../spec-support/group-world.js'

const lost = (): KafkaError => new KafkaError('NETWORK_EXCEPTION', 'the connection was lost')
const everything = 'orders-0 orders-1 orders-2 orders-3'

let world: GroupWorld

beforeEach(() => {
  world = GroupWorld.open({ orders: 4 })
})

afterEach(() => world.close())

describe('a member that dies', () => {
  it('leaves its partitions to the others when its session is over', async () => {
    await world.join('a', { sessionTimeout: 10_000 })
    const b = await world.join('b', { sessionTimeout: 10_000 })
    b.store.freeze()
    await pass(9000)
    expect(world.owned['a']).toBe('orders-0 orders-2')
    await pass(1500)
    expect(world.owned['a']).toBe(everything)
  })

  it('of several is noticed once, by whoever is left', async () => {
    const [a, b, c] = [await world.join('a'), await world.join('b'), await world.join('c')]
    b.store.freeze()
    c.store.freeze()
    await pass(31_000)
    expect(world.owned['a']).toBe(everything)
    expect(a.listener.errors).toEqual([])
  })
})

describe('a member that was frozen', () => {
  it('knows that its session may be over, finds out, loses everything first and joins again as another', async () => {
    const a = await world.join('a', { sessionTimeout: 10_000 })
    await world.join('b', { sessionTimeout: 10_000 })
    const formerId = a.member.memberId
    a.listener.calls.length = 0
    a.store.freeze()
    await pass(6900)
    expect(a.member.isLive).toBe(true)
    await pass(3100)
    expect(a.member.isLive).toBe(false)
    await pass(10_000)
    a.store.unfreeze()
    await pass(100)
    expect(a.listener.calls).toEqual([
      'lost orders-0 orders-2',
      'assigned orders-0 orders-2',
      'settled orders-0 orders-2',
    ])
    expect(a.member.memberId).not.toBe(formerId)
    expect([a.member.isLive, world.owned['b']]).toEqual([true, 'orders-1 orders-3'])
  })

  it('is given nothing before the listener knows of the loss', async () => {
    const a = await world.join('a')
    let known: () => void = () => undefined
    a.listener.behaviour.onLost = () => new Promise((resolve) => (known = resolve))
    world.groups.group('g').expel(a.member.memberId)
    await pass(10_000)
    expect([a.member.owned, a.member.isLive, world.groups.group('g').members.size]).toEqual([[], false, 0])
    known()
    await pass(100)
    expect([world.owned['a'], a.member.isLive]).toEqual([everything, true])
  })

  it('loses nothing when the whole group was', async () => {
    const [a, b] = [await world.join('a'), await world.join('b')]
    const before = world.owned
    for (const { store } of [a, b]) store.freeze()
    await pass(120_000)
    for (const { store } of [a, b]) store.unfreeze()
    await pass(5000)
    expect(world.owned).toEqual(before)
    expect([a, b].flatMap(({ listener }) => listener.calls).filter((call) => call.startsWith('lost'))).toEqual([])
  })
})

describe('an answer that took long', () => {
  it('says nothing of now: the member is live only when the next one has come, which is asked for at once', async () => {
    const a = await world.join('a', { sessionTimeout: 10_000 })
    a.store.delay = 500
    await pass(3500)
    expect(a.store.calls.at(-1)).toBe('heartbeat')
    // It has reached the group; the process gets no time to read the answer.
    a.store.freeze()
    await pass(11_000)
    const before = a.store.calls.length
    a.store.unfreeze()
    a.store.delay = 5
    await pass(1)
    expect([a.member.isLive, a.store.calls.slice(before)]).toEqual([false, ['heartbeat']])
    await pass(20)
    expect(a.member.isLive).toBe(true)
  })
})

describe('an expelled member', () => {
  it('finds out by a commit', async () => {
    const a = await world.join('a')
    world.groups.group('g').expel(a.member.memberId)
    const committing = a.member.commit([]).catch((error: unknown) => error)
    await pass(50)
    expect(await committing).toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    expect(a.listener.calls.slice(2)).toEqual([`lost ${everything}`, `assigned ${everything}`, `settled ${everything}`])
  })

  it('is told by the heartbeat that it asked for', async () => {
    const a = await world.join('a')
    world.groups.group('g').expel(a.member.memberId)
    const beat = a.member.heartbeat().catch((error: unknown) => error)
    await pass(10)
    expect(await beat).toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
  })

  it('does not hammer a group that expels it again and again', async () => {
    const a = await world.join('a')
    const before = a.store.calls.length
    const unknown = (): { error: KafkaError } => ({ error: new KafkaError('UNKNOWN_MEMBER_ID') })
    world.groups.group('g').expel(a.member.memberId)
    a.store.failures.push(...Array.from({ length: 1000 }, unknown))
    await pass(10_000)
    expect(a.store.calls.length - before).toBeLessThan(20)
    expect(a.store.calls.length - before).toBeGreaterThan(5)
    a.store.failures.length = 0
    await pass(2000)
    expect(world.owned['a']).toBe(everything)
  })

  it('cannot commit what it had', async () => {
    const a = await world.join('a')
    const before = a.member.owned.map((partition) => ({ ...partition, offset: 7, leaderEpoch: null, metadata: null }))
    world.groups.group('g').expel(a.member.memberId)
    await pass(4000)
    const committing = a.member.commit(before)
    await pass(10)
    expect((await committing).map((outcome) => outcome?.type)).toEqual(before.map(() => 'ILLEGAL_GENERATION'))
  })
})

describe('a lost connection', () => {
  it('costs nothing when it is back in time', async () => {
    const a = await world.join('a')
    const before = { grants: a.member.owned, calls: a.listener.calls.length }
    a.store.cut()
    await pass(20_000)
    expect(a.member.isLive).toBe(true)
    a.store.restore()
    await pass(2000)
    expect([a.member.owned, a.listener.calls.length]).toEqual([before.grants, before.calls])
  })

  it('is tried again every second or so, and logged now and then', async () => {
    const a = await world.join('a')
    a.store.cut()
    const before = a.store.calls.length
    await pass(60_000)
    const tries = a.store.calls.length - before
    expect(tries).toBeGreaterThan(45)
    expect(tries).toBeLessThan(90)
    expect(a.logs.length).toBeLessThanOrEqual(7)
    expect(a.logs[0]).toBe('group g does not answer: the connection is cut')
  })

  it('hides no change: what was announced meanwhile is found afterwards', async () => {
    const a = await world.join('a')
    a.store.cut()
    const b = await world.join('b')
    expect(names(b.member.owned)).toEqual([])
    a.store.restore()
    await pass(1200)
    expect(world.owned).toEqual({ a: 'orders-0 orders-2', b: 'orders-1 orders-3' })
  })

  it.each(['join', 'grant', 'release'])(
    'after which the answer to a %s never came leaves nobody without',
    async (what) => {
      const a = await world.join('a')
      const b = world.add('b')
      const late = { error: lost(), late: true }
      if (what === 'join') b.store.failures.push({ error: lost() }, late)
      void b.member.join()
      if (what === 'release') a.listener.behaviour.onRevoked = () => void a.store.failures.push(late)
      if (what === 'grant') a.listener.behaviour.onRevoked = () => void b.store.failures.push(late)
      await pass(5000)
      expect(world.owned).toEqual({ a: 'orders-0 orders-2', b: 'orders-1 orders-3' })
      expect(world.groups.group('g').members.size).toBe(2)
      expect(b.store.failures).toEqual([])
      expect(a.store.failures).toEqual([])
    },
  )

  it('in the middle of an assignment is made up for', async () => {
    const a = world.add('a')
    const joining = a.member.join()
    // watch, sync; then the snapshot
    await pass(5)
    a.store.failures.push({ error: lost() }, { error: lost() })
    await pass(2000)
    await joining
    expect([world.owned['a'], a.store.failures]).toEqual([everything, []])
    expect(a.logs).toContainEqual(expect.stringContaining('could not be assigned'))
  })
})

describe('a failover that loses the latest changes', () => {
  it('takes no partition from those who have it', async () => {
    await world.join('a')
    await world.join('b')
    const before = world.members.map(({ member }) => member.owned)
    world.groups.group('g').loseTail()
    await pass(10_000)
    expect(world.members.map(({ member }) => member.owned)).toEqual(before)
    const { epoch, assignmentEpoch } = world.groups.group('g')
    expect(epoch).toBe(assignmentEpoch)
    expect(world.members.map(({ member }) => member.epoch)).toEqual([epoch, epoch])
  })

  it('gives no partition under a grant that was there before', async () => {
    const a = await world.join('a')
    let done: () => void = () => undefined
    a.listener.behaviour.onRevoked = () => new Promise((resolve) => (done = resolve))
    const b = await world.join('b')
    const before = Math.max(...a.member.owned.map(({ grant }) => grant))
    a.store.cut()
    world.groups.group('g').loseTail()
    done()
    await pass(10)
    a.store.restore()
    await pass(10_000)
    expect(names(b.member.owned)).toEqual(['orders-1', 'orders-3'])
    expect(Math.min(...b.member.owned.map(({ grant }) => grant))).toBeGreaterThan(before)
  })

  it('and that a commit meets first costs the partition at once, which is given anew', async () => {
    const a = await world.join('a')
    const [first] = a.member.owned
    if (first === undefined) throw new Error('it owns nothing')
    a.listener.calls.length = 0
    world.groups.group('g').loseTail()
    const committing = a.member.commit([{ ...first, offset: 7, leaderEpoch: null, metadata: null }])
    await pass(100)
    expect((await committing)[0]?.type).toBe('ILLEGAL_GENERATION')
    expect(a.listener.calls.slice(0, 3)).toEqual(['lost orders-0', 'rebalancing', 'assigned orders-0'])
    expect([world.owned['a'], world.groups.group('g').snapshot().owned.get(a.member.memberId)?.length]).toEqual([
      everything,
      4,
    ])
  })

  it('of the whole group is a beginning anew', async () => {
    await world.join('a')
    await world.join('b')
    world.groups.groups.clear()
    await pass(10_000)
    expect(Object.values(world.owned).join(' ').split(' ').sort().join(' ')).toBe(everything)
  })
})

describe('a static member', () => {
  it('that comes back has its partitions at once, and nobody else notices', async () => {
    const a = await world.join('a', { instanceId: 'one' })
    const b = await world.join('b')
    await pass(5000)
    const calls = b.listener.calls.length
    const leaving = a.member.leave(1000)
    await pass(10)
    await leaving
    expect(world.groups.group('g').members.size).toBe(2)
    const again = await world.join('a', { instanceId: 'one' })
    await pass(10_000)
    expect([names(again.member.owned).join(' '), b.listener.calls.length]).toEqual(['orders-0 orders-2', calls])
  })

  it('that is replaced while it runs fails, and is left in peace', async () => {
    const a = await world.join('a', { instanceId: 'one' })
    const again = await world.join('a', { instanceId: 'one' })
    await pass(60_000)
    expect(a.listener.errors).toEqual([expect.objectContaining({ type: 'FENCED_INSTANCE_ID' })])
    expect(names(again.member.owned).join(' ')).toBe(everything)
    expect(again.listener.errors).toEqual([])
  })
})
