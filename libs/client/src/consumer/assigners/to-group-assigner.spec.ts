import { describe, expect, it } from '@jest/globals'
import { ClientKafka } from '@nestjs/microservices'
import { KafkaReplyPartitionAssigner } from '@nestjs/microservices/helpers/kafka-reply-partition-assigner.js'
import type { AssignmentInput, TargetAssignment } from '@rivulet/coordinator'
import { KafkaJSNonRetriableError } from '../../errors.js'
import { createLogger } from '../../logger.js'
import type { GroupMemberAssignment, PartitionAssigner } from '../../types.js'
import { AssignerProtocol } from './assigner-protocol.js'
import { PartitionAssigners } from './partition-assigners.js'
import { toGroupAssigner } from './to-group-assigner.js'

const { MemberAssignment } = AssignerProtocol
const surroundings = { groupId: 'the-group', logger: createLogger({ level: 0 }) }
const none = Buffer.alloc(0)

interface Group {
  readonly topics: Readonly<Record<string, number>>
  readonly members: Readonly<Record<string, { topics: string[]; instanceId?: string; metadata?: Buffer }>>
  readonly previous?: TargetAssignment
}

const makeInput = ({ topics, members, previous = new Map() }: Group): AssignmentInput => ({
  members: new Map(
    Object.entries(members).map(([memberId, member]) => [memberId, { instanceId: null, metadata: none, ...member }]),
  ),
  topics: new Map(
    Object.entries(topics).map(([topic, partitions]) => [topic, { topic, topicId: `id of ${topic}`, partitions }]),
  ),
  previous,
})

const show = (target: TargetAssignment): Record<string, string[]> =>
  Object.fromEntries(
    [...target].map(([memberId, all]) => [memberId, all.map(({ topic, partition }) => `${topic}-${partition}`)]),
  )

const encoded = (memberId: string, assignment: Record<string, number[]>): GroupMemberAssignment => ({
  memberId,
  memberAssignment: MemberAssignment.encode({ version: 1, assignment, userData: none }),
})

/** An assigner of whatever kind, as a program in JavaScript can make it. */
function made(assigner: unknown): PartitionAssigner {
  const create: unknown = () => assigner
  if (!isPartitionAssigner(create)) throw new Error('that is no function')
  return create
}

const isPartitionAssigner = (create: unknown): create is PartitionAssigner => typeof create === 'function'

/** An application's assigner that gives what it is told to give. */
const giving = (give: () => unknown): PartitionAssigner =>
  made({ name: 'Fixed', version: 1, protocol: () => ({ name: 'Fixed', metadata: none }), assign: give })

/** NestJS's own, for replies: it remembers through user data what its client owned. */
const replyAssigner =
  (owned: Readonly<Record<string, number>>): PartitionAssigner =>
  (config) => {
    const client = Object.assign(new ClientKafka({}), { getConsumerAssignments: () => owned })
    return made(Reflect.construct(KafkaReplyPartitionAssigner, [client, config]))(config)
  }

describe("an application's assigner in a group", () => {
  it('tells each member what it wants told, and is told it when it assigns', async () => {
    const x = toGroupAssigner(replyAssigner({ a: 2 }), surroundings)
    const y = toGroupAssigner(replyAssigner({}), surroundings)
    expect(x.name).toBe('NestReplyPartitionAssigner')
    const topics = ['a', 'b']
    const members = { x: { topics, metadata: x.metadata(topics) }, y: { topics, metadata: y.metadata(topics) } }
    const target = await y.assign(makeInput({ topics: { a: 3, b: 2 }, members }))
    expect(show(target)).toEqual({ x: ['a-2', 'a-1', 'b-0'], y: ['a-0', 'b-1'] })
    expect(target.get('x')?.[0]).toEqual({ topic: 'a', topicId: 'id of a', partition: 2 })
  })

  it('gets the group, its topics and their partitions as kafkajs gives them', async () => {
    const seen: unknown[] = []
    const create: PartitionAssigner = (config) => ({
      ...giving(() => [])(config),
      assign: (group) => {
        seen.push(group.topics, group.members, config.cluster.findTopicPartitionMetadata('b'))
        seen.push(config.cluster.findTopicPartitionMetadata('unknown'), config.groupId, typeof config.logger.info)
        return Promise.resolve([])
      },
    })
    const members = { y: { topics: ['b'], metadata: Buffer.from('of y') }, x: { topics: ['a'], metadata: none } }
    await toGroupAssigner(create, surroundings).assign(makeInput({ topics: { b: 1, a: 1 }, members }))
    expect(seen).toEqual([
      ['a', 'b'],
      [
        { memberId: 'x', memberMetadata: none },
        { memberId: 'y', memberMetadata: Buffer.from('of y') },
      ],
      [{ partitionErrorCode: 0, partitionId: 0, leader: 0, replicas: [0], isr: [0], offlineReplicas: [] }],
      [],
      'the-group',
      'function',
    ])
  })

  it('sees the partitions of the group that it assigns, not those of the one before', async () => {
    const assigner = toGroupAssigner((config) => PartitionAssigners.roundRobin(config), surroundings)
    const members = { x: { topics: ['a'] } }
    expect(show(await assigner.assign(makeInput({ topics: { a: 1 }, members })))).toEqual({ x: ['a-0'] })
    expect(show(await assigner.assign(makeInput({ topics: { a: 2 }, members })))).toEqual({ x: ['a-0', 'a-1'] })
  })

  it('gives nothing to members that it leaves out, or gives no bytes', async () => {
    const assigner = toGroupAssigner(
      giving(() => [{ memberId: 'x', memberAssignment: none }]),
      surroundings,
    )
    const members = { x: { topics: ['a'] }, y: { topics: ['a'] } }
    expect(show(await assigner.assign(makeInput({ topics: { a: 1 }, members })))).toEqual({ x: [], y: [] })
  })

  it('passes on topics that the group does not have, under no id: the group leaves them out, and says so', async () => {
    const assigner = toGroupAssigner(
      giving(() => [encoded('x', { a: [0], toString: [0] })]),
      surroundings,
    )
    const target = await assigner.assign(makeInput({ topics: { a: 1 }, members: { x: { topics: ['a'] } } }))
    expect(show(target)).toEqual({ x: ['a-0', 'toString-0'] })
    expect(target.get('x')?.map(({ topicId }) => topicId)).toEqual([expect.stringMatching(/./), ''])
  })

  it('may throw what it likes', async () => {
    const own = new Error('no')
    const assigner = toGroupAssigner(
      giving(() => {
        throw own
      }),
      surroundings,
    )
    await expect(assigner.assign(makeInput({ topics: {}, members: {} }))).rejects.toBe(own)
  })

  it.each([
    ['no array', undefined, /"Fixed".*undefined/],
    ['an entry of null', [null], /"Fixed".*null/],
    ['an assignment that is no buffer', [{ memberId: 'x', memberAssignment: { a: [0] } }], /"Fixed".*memberAssignment/],
    [
      'an assignment that cannot be read',
      [{ memberId: 'x', memberAssignment: Buffer.from('nonsense') }],
      /"Fixed".*'x'/,
    ],
    ['a member that there is not', [encoded('z', { a: [0] })], /"Fixed".*'z'/],
    ['a member twice', [encoded('x', { a: [0] }), encoded('x', {})], /"Fixed".*'x'/],
  ])('fails by its name when it gives %s', async (_, result, message) => {
    const assigner = toGroupAssigner(
      giving(() => Promise.resolve(result)),
      surroundings,
    )
    const outcome = Promise.resolve(assigner.assign(makeInput({ topics: { a: 1 }, members: { x: { topics: ['a'] } } })))
    await expect(outcome).rejects.toThrow(KafkaJSNonRetriableError)
    await expect(outcome).rejects.toThrow(message)
  })

  it('fails by its name when it tells members no bytes', () => {
    const create = made({ name: 'Fixed', version: 1, protocol: () => ({ metadata: 'text' }), assign: () => [] })
    expect(() => toGroupAssigner(create, surroundings).metadata(['a'])).toThrow(/"Fixed".*text/)
  })

  it.each([
    ['nothing', undefined],
    ['no name', { version: 1, assign: () => [], protocol: () => null }],
    ['an empty name', { name: '', version: 1, assign: () => [], protocol: () => null }],
    ['no functions', { name: 'x', version: 1 }],
  ])('is refused where the function gives %s', (_, assigner) => {
    expect(() => toGroupAssigner(made(assigner), surroundings)).toThrow(KafkaJSNonRetriableError)
  })
})

describe('PartitionAssigners in a group', () => {
  const { roundRobin, range, cooperativeSticky, uniform } = PartitionAssigners

  it.each([
    [roundRobin, 'RoundRobinAssigner', { x: ['a-0', 'a-2'], y: ['a-1', 'b-0', 'b-1'] }],
    [range, 'range', { x: ['a-2'], y: ['a-0', 'a-1', 'b-0', 'b-1'] }],
    [cooperativeSticky, 'cooperative-sticky', { x: ['a-0', 'a-1', 'a-2'], y: ['b-0', 'b-1'] }],
    [uniform, 'uniform', { x: ['a-0', 'a-1', 'a-2'], y: ['b-0', 'b-1'] }],
  ])('need no metadata, and give each partition to who wants it', async (create, name, expected) => {
    const assigner = toGroupAssigner(create, surroundings)
    expect(assigner.name).toBe(name)
    expect(assigner.metadata(['a'])).toHaveLength(0)
    const previous = new Map([['x', [0, 1].map((partition) => ({ topic: 'a', topicId: 'id of a', partition }))]])
    const members = { y: { topics: ['a', 'b'], instanceId: 'i' }, x: { topics: ['a'] } }
    expect(show(await assigner.assign(makeInput({ topics: { a: 3, b: 2 }, members, previous })))).toEqual(expected)
  })
})
