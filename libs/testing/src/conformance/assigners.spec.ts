import { expect, it } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { waitFor } from '../topologies/index.js'
import { describeOnBoth } from './describe-on-both.js'
import type { Reading } from './support/reading.js'
import { Workbench } from './support/workbench.js'

const lastJoin = ({ joins }: Reading) => joins.entries.at(-1)

/** The readings in the order of their members' ids. */
const byMemberId = (readings: Reading[]): Reading[] =>
  readings.toSorted((a, b) => ((lastJoin(a)?.memberId ?? '') < (lastJoin(b)?.memberId ?? '') ? -1 : 1))

describeOnBoth('partition assigners', (target) => {
  const bench = new Workbench(target)
  const {
    AssignerProtocol: { MemberAssignment, MemberMetadata },
    PartitionAssigners: { roundRobin },
  } = target.library

  interface Assignment {
    readonly memberId: string
    readonly assignment: kafkajs.Assignment
  }

  /** An assigner of a program's own. */
  const assignerOf =
    (
      name: string,
      assign: (memberIds: string[], topics: string[], cluster: kafkajs.Cluster) => Assignment[],
    ): kafkajs.PartitionAssigner =>
    ({ cluster }) => ({
      name,
      version: 1,
      async assign({ members, topics }) {
        const memberIds = members.map(({ memberId }) => memberId).toSorted()
        return assign(memberIds, topics, cluster).map(({ memberId, assignment }) => ({
          memberId,
          memberAssignment: MemberAssignment.encode({ version: 1, assignment, userData: Buffer.alloc(0) }),
        }))
      },
      protocol: ({ topics }) => ({
        name,
        metadata: MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
      }),
    })

  const readWith = (topic: string, groupId: string, ...partitionAssigners: kafkajs.PartitionAssigner[]) =>
    bench.read(topic, { groupId, config: { partitionAssigners } })

  it('roundRobin deals partitions to members in the order of their ids', async () => {
    const topic = await bench.topic(5)
    const groupId = bench.groupId()
    const readings = [await readWith(topic, groupId, roundRobin), await readWith(topic, groupId, roundRobin)]
    const owned = () => byMemberId(readings).map((reading) => lastJoin(reading)?.memberAssignment[topic])
    await waitFor(() => owned().flatMap((partitions) => partitions ?? []).length === 5, { what: 'an assignment' })
    expect(owned()).toEqual([
      [0, 2, 4],
      [1, 3],
    ])
    expect(readings.map((reading) => lastJoin(reading)?.groupProtocol)).toEqual([
      'RoundRobinAssigner',
      'RoundRobinAssigner',
    ])
  })

  it("of a program's own decide who gets what", async () => {
    const topic = await bench.topic(3)
    const allToTheLast = assignerOf('AllToTheLast', (memberIds, topics, cluster) => {
      const all: kafkajs.Assignment = {}
      for (const name of topics) all[name] = cluster.findTopicPartitionMetadata(name).map((p) => p.partitionId)
      return memberIds.map((memberId, i) => ({ memberId, assignment: i === memberIds.length - 1 ? all : {} }))
    })
    const groupId = bench.groupId()
    const readings = [await readWith(topic, groupId, allToTheLast), await readWith(topic, groupId, allToTheLast)]
    const owned = () => byMemberId(readings).map((reading) => lastJoin(reading)?.memberAssignment[topic]?.length ?? 0)
    await waitFor(() => owned().join() === '0,3', { what: 'the assignment' })
    expect(readings.map((reading) => lastJoin(reading)?.groupProtocol)).toEqual(['AllToTheLast', 'AllToTheLast'])
  })

  it("of a program's own are made with the cluster, the group's id and a logger", async () => {
    const topic = await bench.topic(2)
    const groupId = bench.groupId()
    const made: object[] = []
    const assigner: kafkajs.PartitionAssigner = (config) => {
      made.push(config)
      return roundRobin(config)
    }
    await readWith(topic, groupId, assigner)
    expect(made).toEqual([
      {
        cluster: expect.objectContaining({ findTopicPartitionMetadata: expect.any(Function) }),
        groupId,
        logger: expect.objectContaining({ info: expect.any(Function) }),
      },
    ])
  })

  it("of a program's own see what each member tells of itself", async () => {
    const topic = await bench.topic(2)
    const groupId = bench.groupId()
    const seen = new Set<string>()
    const telling =
      (told: string): kafkajs.PartitionAssigner =>
      (config) => {
        const dealing = roundRobin(config)
        return {
          name: 'Telling',
          version: 1,
          assign: (group) => {
            for (const { memberMetadata } of group.members) {
              const { topics, userData } = MemberMetadata.decode(memberMetadata) ?? { topics: [], userData: '' }
              seen.add(`${topics.join()}: ${String(userData)}`)
            }
            return dealing.assign(group)
          },
          protocol: ({ topics }) => ({
            name: 'Telling',
            metadata: MemberMetadata.encode({ version: 1, topics, userData: Buffer.from(told) }),
          }),
        }
      }
    await readWith(topic, groupId, telling('first'))
    await readWith(topic, groupId, telling('second'))
    await waitFor(() => seen.size === 2, { what: 'both members' })
    expect([...seen].toSorted()).toEqual([`${topic}: first`, `${topic}: second`])
  })

  it('are those that all members know', async () => {
    const topic = await bench.topic(2)
    const groupId = bench.groupId()
    const nothing = assignerOf('Nothing', () => [])
    const a = await readWith(topic, groupId, nothing, roundRobin)
    expect(lastJoin(a)).toMatchObject({ groupProtocol: 'Nothing', memberAssignment: {} })
    const b = await readWith(topic, groupId, roundRobin)
    await waitFor(() => [a, b].every((reading) => lastJoin(reading)?.memberAssignment[topic]?.length === 1), {
      what: 'an assignment that both know',
    })
    expect([a, b].map((reading) => lastJoin(reading)?.groupProtocol)).toEqual([
      'RoundRobinAssigner',
      'RoundRobinAssigner',
    ])
  })

  it('keep out who knows none of them', async () => {
    const topic = await bench.topic(2)
    const groupId = bench.groupId()
    await readWith(topic, groupId, roundRobin)
    const stranger = await readWith(
      topic,
      groupId,
      assignerOf('Stranger', () => []),
    )
    expect(await stranger.crashes.until(1)).toMatchObject([
      { error: { type: 'INCONSISTENT_GROUP_PROTOCOL', code: 23 }, groupId, restart: false },
    ])
  })

  it('that give a topic that was not subscribed are told of, and the topic is not read', async () => {
    const [topic, other] = [await bench.topicWith('a'), await bench.topicWith('b')]
    const generous = assignerOf('Generous', (memberIds) =>
      memberIds.map((memberId) => ({ memberId, assignment: { [topic]: [0], [other]: [0] } })),
    )
    const groupId = bench.groupId()
    const reading = await readWith(topic, groupId, generous)
    expect(await reading.payloadOf('consumer.received_unsubscribed_topics')).toEqual({
      groupId,
      generationId: expect.any(Number),
      memberId: lastJoin(reading)?.memberId,
      assignedTopics: [topic, other],
      topicsSubscribed: [topic],
      topicsNotSubscribed: [other],
    })
    await reading.values.until(1)
    await bench.write(topic, ['c'])
    expect(await reading.values.until(2)).toEqual(['a', 'c'])
    expect(lastJoin(reading)?.memberAssignment).toEqual({ [topic]: [0] })
  })
})
