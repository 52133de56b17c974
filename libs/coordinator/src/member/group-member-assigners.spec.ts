import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { DealingAssigner } from '../../spec-support/group-members.js'
import { GroupWorld, pass } from '../../spec-support/group-world.js'
import type { GroupAssigner, TargetAssignment } from '../types.js'

type Input = Parameters<GroupAssigner['assign']>[0]

/** An application's assigner: deals like DealingAssigner, unless it is told otherwise. */
class CustomAssigner extends DealingAssigner {
  readonly inputs: Input[] = []
  says = 'nothing'

  override metadata = (): Buffer => Buffer.from(this.says)

  override assign = (input: Input): TargetAssignment => {
    this.inputs.push(input)
    return super.assign(input)
  }
}

class OddAssigner implements GroupAssigner {
  readonly name = 'odd'
  readonly metadata = (): Buffer => Buffer.alloc(0)
  constructor(readonly assign: GroupAssigner['assign']) {}
}

const everything = 'orders-0 orders-1 orders-2'

let world: GroupWorld

beforeEach(() => {
  world = GroupWorld.open({ orders: 3 })
})

afterEach(() => world.close())

describe('the assigner', () => {
  it('is the first that the member prefers and all others know', async () => {
    const known = ['x', 'y', 'z'].map((name) => new DealingAssigner(name))
    const [x, y, z] = known
    if (x === undefined || y === undefined || z === undefined) throw new Error('there are three')
    const a = await world.join('a', { assigners: [x, y, z] })
    expect(a.listener.settled.at(-1)?.assigner).toBe('x')
    const b = await world.join('b', { assigners: [z, y] })
    expect(b.listener.settled.at(-1)?.assigner).toBe('z')
  })

  it('must be one that the group knows', async () => {
    await world.join('a', { assigners: [new DealingAssigner('x')] })
    const { member } = world.add('b', { assigners: [new DealingAssigner('y')] })
    const joining = member.join().catch((error: unknown) => error)
    await pass(100)
    expect(await joining).toMatchObject({ type: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it('is told what each member says to it, which topics there are, and who had what', async () => {
    const [mine, yours] = [new CustomAssigner(), new CustomAssigner()]
    mine.says = 'mine'
    yours.says = 'yours'
    const a = await world.join('a', { assigners: [mine], instanceId: 'one' })
    const b = await world.join('b', { assigners: [yours], subscription: { topics: ['none', 'orders'], patterns: [] } })
    const input = yours.inputs.at(-1)
    expect([...(input?.members ?? [])]).toEqual([
      [a.member.memberId, { topics: ['orders'], instanceId: 'one', metadata: Buffer.from('mine') }],
      [b.member.memberId, { topics: ['none', 'orders'], instanceId: null, metadata: Buffer.from('yours') }],
    ])
    expect([...(input?.topics ?? [])]).toEqual([['orders', { topic: 'orders', topicId: 'id1', partitions: 3 }]])
    expect(input?.previous.get(a.member.memberId)).toHaveLength(3)
    expect(input?.previous.get(b.member.memberId)).toEqual([])
  })

  it('is asked what it wants to be told whenever what the member owns has changed, and that disturbs nobody', async () => {
    const assigner = new CustomAssigner()
    const { member, listener } = await world.join('a', { assigners: [assigner] })
    const { epoch } = member
    assigner.says = 'something else'
    await pass(10_000)
    const told = (): string | undefined =>
      world.groups.group('g').snapshot().members.get(member.memberId)?.assigners[0]?.metadata
    expect(told()).toBe(Buffer.from('nothing').toString('base64'))
    await world.join('b', { assigners: [assigner] })
    await pass(5000)
    expect(told()).toBe(Buffer.from('something else').toString('base64'))
    expect([member.epoch, listener.settled.length]).toEqual([epoch + 1, 2])
  })

  it('may take its time, which costs nobody its session', async () => {
    const assigner = new OddAssigner(async (input) => {
      await new Promise((resolve) => void setTimeout(resolve, 40_000))
      return new DealingAssigner().assign(input)
    })
    const a = world.add('a', { assigners: [assigner] })
    void a.member.join()
    await pass(39_000)
    expect([a.member.isLive, a.listener.calls]).toEqual([true, []])
    await pass(2000)
    expect(world.owned['a']).toBe(everything)
  })
})

describe('an assignment', () => {
  it('is given up for a while after twenty tries in a row that others have overtaken', async () => {
    const assigner = new DealingAssigner()
    const { store } = await world.join('a', { assigners: [assigner] })
    const install = store.install.bind(store)
    store.install = () => {
      world.groups.group('g').epoch++
      return Promise.resolve(false)
    }
    world.topics.addPartitions('orders', 4)
    const before = assigner.runs
    await pass(500)
    expect(assigner.runs - before).toBe(20)
    store.install = install
    await pass(3000)
    expect(world.owned['a']).toBe(`${everything} orders-3`)
  })

  it.each(['that the group has', 'of a group that does not know the member'])('%s is not computed', async (which) => {
    const assigner = new DealingAssigner()
    const { store, member } = await world.join('a', { assigners: [assigner] })
    const before = assigner.runs
    if (which !== 'that the group has') {
      world.groups.group('g').expel(member.memberId)
      await world.join('b')
      world.groups.group('g').epoch++
    }
    store.deliver('g', { kind: 'assign', memberId: member.memberId })
    await pass(100)
    expect([assigner.runs, store.calls.at(-1)]).toEqual([before, 'snapshot'])
  })

  it('that somebody else computes for long does not keep others from telling what they own', async () => {
    let pause = 0
    const slow = new OddAssigner(async (input) => {
      await new Promise((resolve) => void setTimeout(resolve, pause))
      return new DealingAssigner('odd').assign(input)
    })
    const [a, b] = [await world.join('a', { assigners: [slow] }), await world.join('b', { assigners: [slow] })]
    await pass(5000)
    pause = 20_000
    const before = [a.store.calls.length, b.store.calls.length]
    world.groups.group('g').epoch++
    await pass(4000)
    expect([a, b].map(({ store }, i) => store.calls.slice(before[i]).includes('sync'))).toEqual([true, true])
    expect(world.groups.group('g').assignmentEpoch).toBeLessThan(world.groups.group('g').epoch)
    await pass(30_000)
  })
})

describe('an assigner that is at work', () => {
  it('is left to itself when the member leaves', async () => {
    const { member, logs } = world.add('a', { assigners: [new OddAssigner(() => new Promise<never>(() => undefined))] })
    void member.join().catch(() => undefined)
    await pass(100)
    const leaving = member.leave(1000)
    await pass(10)
    await leaving
    expect([jest.getTimerCount(), logs]).toEqual([0, []])
  })
})

describe('an assigner that fails', () => {
  it('for a membership that is over does not fail the next one', async () => {
    let runs = 0
    const assigner = new OddAssigner(async (input) => {
      if (runs++ > 0) return new DealingAssigner().assign(input)
      await new Promise((resolve) => void setTimeout(resolve, 5000))
      throw new Error('too late')
    })
    const { member, listener } = await world.join('a', { assigners: [assigner] })
    world.groups.group('g').expel(member.memberId)
    await pass(10_000)
    expect([world.owned['a'], listener.errors, runs]).toEqual([everything, [], 2])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no idea')
      },
      'no idea',
    ],
    ['rejects', () => Promise.reject(new Error('no idea')), 'no idea'],
    ['never answers', () => new Promise<never>(() => undefined), 'the assigner odd has not answered within 60000 ms'],
  ])('fails the member that runs it with what it %s', async (_, assign, message) => {
    const { member } = world.add('a', { assigners: [new OddAssigner(assign)] })
    const joining = member.join().catch((error: unknown) => error)
    await pass(60_100)
    expect(await joining).toEqual(expect.objectContaining({ message }))
    expect(member.isLive).toBe(false)
  })

  it('fails nobody else, once the member that runs it has gone', async () => {
    const a = await world.join('a', { assigners: [new OddAssigner((input) => new DealingAssigner().assign(input))] })
    const b = world.add('b', {
      assigners: [
        new OddAssigner(() => {
          throw new Error('no idea')
        }),
      ],
    })
    const joining = b.member.join().catch((error: unknown) => error)
    await pass(100)
    expect(await joining).toEqual(new Error('no idea'))
    void b.member.leave(1000)
    await pass(5000)
    expect([world.owned['a'], a.listener.errors]).toEqual([everything, []])
  })

  it('fails the member when it has nothing to say', async () => {
    const assigner = new CustomAssigner()
    assigner.metadata = () => {
      throw new Error('no comment')
    }
    const { member } = world.add('a', { assigners: [assigner] })
    const joining = member.join().catch((error: unknown) => error)
    await pass(100)
    expect(await joining).toEqual(new Error('no comment'))
  })
})

describe('an assigner that returns what cannot be', () => {
  const p = (partition: number, topic = 'orders', topicId = 'id1') => ({ topic, topicId, partition })

  it('is taken at its word for the rest, and the log says what was left out', async () => {
    const assigner = new OddAssigner(({ members }) => {
      const [memberId = ''] = members.keys()
      return new Map([
        ['nobody', [p(1)]],
        [memberId, [p(0), p(0), p(7), p(2, 'gone'), p(2)]],
      ])
    })
    const { logs } = await world.join('a', { assigners: [assigner] })
    expect(world.owned['a']).toBe('orders-0 orders-2')
    expect(logs).toEqual(['group g: the assigner odd returned what cannot be assigned; it is left out'])
  })

  it('may forget members: they own nothing', async () => {
    const assigner = new OddAssigner(
      ({ members }) => new Map([[[...members.keys()].sort()[0] ?? '', [p(0), p(1), p(2)]]]),
    )
    await world.join('a', { assigners: [assigner] })
    const b = await world.join('b', { assigners: [assigner] })
    expect(world.owned).toEqual({ a: everything, b: '' })
    expect(b.listener.calls).toEqual(['settled'])
  })

  it('and gives the member topics that it does not want: it does not get them, and the listener is told', async () => {
    world.topics.create('payments', 1)
    const assigner = new OddAssigner(
      ({ members }) => new Map([...members.keys()].map((memberId) => [memberId, [p(0, 'payments', 'id2')]])),
    )
    const a = await world.join('a', { assigners: [assigner], subscription: { topics: ['orders'], patterns: [] } })
    expect(a.listener.calls).toEqual(['unsubscribed payments', 'settled'])
    await world.join('b', { assigners: [assigner], subscription: { topics: ['payments'], patterns: [] } })
    void a.member.leave(1000)
    await pass(1000)
    const c = await world.join('c', { assigners: [assigner] })
    expect(c.listener.calls).toEqual(['unsubscribed payments', 'settled'])
    expect(world.owned).toEqual({ a: '', b: 'payments-0', c: '' })
  })

  it.each([
    ['nothing', () => undefined],
    ['no map', () => ({ a: [] })],
    ['a map of no lists', ({ members }: Input) => new Map([...members.keys()].map((memberId) => [memberId, 3]))],
    [
      'partitions that are none',
      ({ members }: Input) => new Map([...members.keys()].map((memberId) => [memberId, [null]])),
    ],
  ])('and is %s fails the member', async (_, returns) => {
    const assigner = new DealingAssigner()
    Object.defineProperty(assigner, 'assign', { value: returns })
    const { member } = world.add('a', { assigners: [assigner] })
    const joining = member.join().catch((error: unknown) => error)
    await pass(100)
    expect(await joining).toBeInstanceOf(Error)
  })
})
