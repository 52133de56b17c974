import { expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { waitFor } from '../topologies/index.js'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'
import type { Reading } from './support/reading.js'
import { Workbench } from './support/workbench.js'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

/** What a member owns of a topic, as it was last told. */
const owned = ({ joins }: Reading, topic: string): readonly number[] =>
  joins.entries.at(-1)?.memberAssignment[topic] ?? []

describeOnBoth('a group', (target) => {
  const bench = new Workbench(target)

  /** Waits until the members own so many partitions of the topic, and each partition has one owner. */
  const settled = (topic: string, members: readonly Reading[], counts: readonly number[]): Promise<unknown> => {
    const total = counts.reduce((sum, count) => sum + count, 0)
    const isSettled = (): boolean =>
      members.every((member, i) => owned(member, topic).length === counts[i]) &&
      new Set(members.flatMap((member) => owned(member, topic))).size === total
    return waitFor(isSettled, { what: `members with ${counts.join(', ')} partitions` })
  }

  const markEach = async (topic: string, partitions: number, value: string): Promise<void> => {
    const messages = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      value: `${value}${partition}`,
    }))
    await bench.producer.send({ topic, messages })
  }

  it('shares partitions out, each to one member', async () => {
    const topic = await bench.topic(4)
    const a = await bench.read(topic)
    const b = await bench.read(topic, { groupId: a.groupId })
    await settled(topic, [a, b], [2, 2])
    await markEach(topic, 4, 'p')
    const [ofA, ofB] = [await a.values.until(2), await b.values.until(2)]
    expect([...ofA, ...ofB].toSorted()).toEqual(['p0', 'p1', 'p2', 'p3'])
    expect(ofA.toSorted()).toEqual(owned(a, topic).map((partition) => `p${partition}`))
  })

  it('gives a member that leaves no more, and its partitions to the others', async () => {
    const topic = await bench.topic(2)
    const a = await bench.read(topic)
    const b = await bench.read(topic, { groupId: a.groupId })
    await settled(topic, [a, b], [1, 1])
    await b.consumer.disconnect()
    await settled(topic, [a], [2])
    await markEach(topic, 2, 'p')
    expect((await a.values.until(2)).toSorted()).toEqual(['p0', 'p1'])
    expect(b.values.entries).toEqual([])
  })

  it('leaves members without partitions where it has more members than partitions', async () => {
    const topic = await bench.topic()
    const a = await bench.read(topic)
    const b = await bench.read(topic, { groupId: a.groupId })
    await waitFor(() => owned(a, topic).length + owned(b, topic).length === 1 && b.joins.entries.length > 0, {
      what: 'one owner',
    })
    const owner = owned(a, topic).length === 1 ? a : b
    for (const value of ['a', 'b']) {
      await bench.write(topic, [value])
      await owner.values.first((seen) => seen === value)
    }
    expect([...a.values.entries, ...b.values.entries]).toEqual(['a', 'b'])
  })

  it('hands nothing out again that was committed before a member joined', async () => {
    const topic = await bench.topic(2)
    await markEach(topic, 2, 'old ')
    const a = await bench.read(topic)
    await a.values.until(2)
    const b = await bench.read(topic, { groupId: a.groupId })
    await settled(topic, [a, b], [1, 1])
    await markEach(topic, 2, 'new ')
    await Promise.all([a.values.until(3), b.values.until(1)])
    expect([...a.values.entries, ...b.values.entries].toSorted()).toEqual(['new 0', 'new 1', 'old 0', 'old 1'])
  })

  it('hands out again what was not committed, to the next owner', async () => {
    const topic = await bench.topic(2)
    await markEach(topic, 2, 'p')
    const a = await bench.read(topic, { autoCommit: false })
    await a.values.until(2)
    const b = await bench.read(topic, { groupId: a.groupId, autoCommit: false })
    await settled(topic, [a, b], [1, 1])
    expect(await b.values.until(1)).toEqual([`p${owned(b, topic)[0]}`])
  })

  it('tells its members of a join', async () => {
    const topic = await bench.topic(2)
    const reading = await bench.read(topic)
    const [join] = await reading.joins.until(1)
    expect(join).toEqual({
      groupId: reading.groupId,
      memberId: expect.any(String),
      leaderId: join?.memberId,
      isLeader: true,
      memberAssignment: { [topic]: [0, 1] },
      groupProtocol: expect.any(String),
      duration: expect.any(Number),
    })
  })

  it('has one leader', async () => {
    const topic = await bench.topic(2)
    const a = await bench.read(topic)
    const b = await bench.read(topic, { groupId: a.groupId })
    await settled(topic, [a, b], [1, 1])
    const joins = [a, b].map(({ joins: all }) => all.entries.at(-1))
    expect(joins.filter((join) => join?.isLeader)).toHaveLength(1)
    expect(new Set(joins.map((join) => join?.leaderId)).size).toBe(1)
    expect(joins.map((join) => join?.memberId)).toContain(joins[0]?.leaderId)
  })

  it('tells a member that it is rebalanced', async () => {
    const topic = await bench.topic(2)
    const a = await bench.read(topic)
    const [join] = await a.joins.until(1)
    await bench.read(topic, { groupId: a.groupId })
    expect(await a.payloadOf('consumer.rebalancing')).toEqual({ groupId: a.groupId, memberId: join?.memberId })
  })

  it('keeps the id of a member over a rebalance', async () => {
    const topic = await bench.topic(2)
    const a = await bench.read(topic)
    await bench.read(topic, { groupId: a.groupId })
    const joins = await a.joins.until(2)
    expect(joins[1]?.memberId).toBe(joins[0]?.memberId)
  })

  it('names members after their clients', async () => {
    const reading = await bench.read(await bench.topic(), { client: { clientId: 'shop' } })
    const [join] = await reading.joins.until(1)
    expect(join?.memberId).toMatch(/^shop-[0-9a-f]{8}-[0-9a-f]{4}-/)
  })

  it("is told by a handler's heartbeat that its partition is taken away", async () => {
    const topic = await bench.topic(2)
    await markEach(topic, 2, 'p')
    const refused: unknown[] = []
    const a = await bench.read(topic, {
      partitionsConsumedConcurrently: 2,
      autoCommit: false,
      eachMessage: async ({ heartbeat }) => {
        if (refused.length > 0) return
        await waitFor(
          () =>
            heartbeat().then(
              () => refused.length > 0,
              (error: unknown) => refused.push(error),
            ),
          { what: 'a heartbeat that is refused' },
        )
        throw refused[0]
      },
    })
    await a.values.until(2)
    const b = await bench.read(topic, { groupId: a.groupId, autoCommit: false })
    await settled(topic, [a, b], [1, 1])
    expect(refused[0]).toMatchObject({ name: 'KafkaJSProtocolError', type: 'REBALANCE_IN_PROGRESS', code: 27 })
    expect(await b.values.until(1)).toEqual([`p${owned(b, topic)[0]}`])
    expect(a.crashes.entries).toEqual([])
  })

  it('takes in partitions that are added', async () => {
    const topic = await bench.topic(1)
    const reading = await bench.read(topic, { config: { metadataMaxAge: 100 } })
    await bench.admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
    await settled(topic, [reading], [2])
    await markEach(topic, 2, 'p')
    expect((await reading.values.until(2)).toSorted()).toEqual(['p0', 'p1'])
  })

  it('describes itself to its members', async () => {
    const topic = await bench.topic(2)
    const a = await bench.read(topic, { client: { clientId: 'shop' } })
    const b = await bench.read(topic, { groupId: a.groupId })
    await settled(topic, [a, b], [1, 1])
    const group = await a.consumer.describeGroup()
    expect(group).toEqual({
      errorCode: 0,
      groupId: a.groupId,
      state: 'Stable',
      protocolType: 'consumer',
      protocol: a.joins.entries.at(-1)?.groupProtocol,
      members: expect.any(Array),
    })
    const member = group.members.find(({ memberId }) => memberId === a.joins.entries[0]?.memberId)
    expect(member).toMatchObject({ clientId: 'shop', clientHost: expect.stringMatching(/^\//) })
    expect(MemberAssignment.decode(member?.memberAssignment ?? Buffer.alloc(0))?.assignment).toEqual({
      [topic]: owned(a, topic),
    })
    expect(MemberMetadata.decode(member?.memberMetadata ?? Buffer.alloc(0))?.topics).toEqual([topic])
  })

  it('is Dead before it has had members', async () => {
    const { consumer, groupId } = await bench.reader()
    expect(await consumer.describeGroup()).toEqual({
      errorCode: 0,
      groupId,
      state: 'Dead',
      protocolType: '',
      protocol: '',
      members: [],
    })
  })

  it('is Empty when its last member is gone', async () => {
    const topic = await bench.topicWith('a')
    const { consumer, commits } = await bench.read(topic)
    await commits.until(1)
    await consumer.stop()
    expect(await consumer.describeGroup()).toMatchObject({ state: 'Empty', protocolType: 'consumer', members: [] })
  })

  it.each<[string, object, string]>([
    ['an empty id', { groupId: '' }, 'Consumer groupId must be a non-empty string.'],
    [
      'heartbeats as long as a session',
      { groupId: 'g', heartbeatInterval: 100, sessionTimeout: 100 },
      'Consumer heartbeatInterval (100) must be lower than sessionTimeout (100). It is recommended to set ' +
        'heartbeatInterval to approximately a third of the sessionTimeout.',
    ],
  ])('refuses %s', async (_, config, message) => {
    const failure = await failureOf(() => callUntyped(target.create(), 'consumer', config))
    expect(failure).toMatchObject({ name: 'KafkaJSNonRetriableError', message })
  })
})
