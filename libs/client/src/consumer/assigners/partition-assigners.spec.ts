import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import type { Assigner, Cluster, PartitionAssigner } from '../../types.js'
import { createLogger } from '../../logger.js'
import { AssignerProtocol } from './assigner-protocol.js'
import { PartitionAssigners } from './partition-assigners.js'

const logger = createLogger({ level: 0 })

const clusterOf = (topics: Readonly<Record<string, number>>): Cluster => ({
  findTopicPartitionMetadata: (topic) =>
    Array.from({ length: topics[topic] ?? 0 }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 0,
      replicas: [0],
      isr: [0],
    })),
})

const make = (create: PartitionAssigner, topics: Readonly<Record<string, number>>): Assigner =>
  create({ cluster: clusterOf(topics), groupId: 'g', logger })

/** kafkajs's, which asks its cluster for nothing else. */
const theirRoundRobin = (topics: Readonly<Record<string, number>>): Assigner => {
  const made: unknown = Reflect.apply(kafkajs.PartitionAssigners.roundRobin, null, [{ cluster: clusterOf(topics) }])
  if (!isAssigner(made)) throw new Error('kafkajs made no assigner')
  return made
}

const isAssigner = (made: unknown): made is Assigner => typeof made === 'object' && made !== null && 'assign' in made

const membersOf = (assigner: Assigner, members: Readonly<Record<string, string[]>>) =>
  Object.entries(members).map(([memberId, topics]) => ({
    memberId,
    memberMetadata: assigner.protocol({ topics }).metadata,
  }))

/** One assignment, decoded. */
async function assign(assigner: Assigner, members: Readonly<Record<string, string[]>>, topics: string[]) {
  const results = await assigner.assign({ members: membersOf(assigner, members), topics })
  return Object.fromEntries(
    results.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment,
    ]),
  )
}

describe('PartitionAssigners.roundRobin', () => {
  it("gives kafkajs's very bytes, for metadata and for assignments", async () => {
    const counts = fc.array(fc.nat(9), { maxLength: 4 })
    const memberIds = fc.uniqueArray(fc.stringMatching(/^m[0-9a-zA-Z]{1,4}$/), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(counts, memberIds, async (partitions, ids) => {
        const topics = Object.fromEntries(partitions.map((count, i) => [`t${i}`, count]))
        const ours = make(PartitionAssigners.roundRobin, topics)
        const theirs = theirRoundRobin(topics)
        const names = Object.keys(topics).toReversed()
        expect(ours.protocol({ topics: names })).toEqual(theirs.protocol({ topics: names }))
        const members = membersOf(ours, Object.fromEntries(ids.map((id) => [id, names])))
        expect(await ours.assign({ members, topics: names })).toEqual(await theirs.assign({ members, topics: names }))
      }),
    )
  })

  it('goes by another name and version where an application gives it one, as in kafkajs', async () => {
    const topics = { a: 3 }
    const own = { name: 'mine', version: 4 }
    const ours = { ...make(PartitionAssigners.roundRobin, topics), ...own }
    const theirs = { ...theirRoundRobin(topics), ...own }
    expect(ours.protocol({ topics: ['a'] })).toEqual(theirs.protocol({ topics: ['a'] }))
    const group = { members: membersOf(ours, { x: ['a'], y: ['a'] }), topics: ['a'] }
    expect(await ours.assign(group)).toEqual(await theirs.assign(group))
  })
})

describe("Rivulet's own, called as an application's assigners are", () => {
  it('range cuts each topic into runs', async () => {
    const range = make(PartitionAssigners.range, { a: 3, b: 2 })
    expect(range.name).toBe('range')
    expect(await assign(range, { y: ['a', 'b'], x: ['a'] }, ['a', 'b'])).toEqual({
      x: { a: [0, 1] },
      y: { a: [2], b: [0, 1] },
    })
  })

  it.each([
    ['uniform', PartitionAssigners.uniform],
    ['cooperative-sticky', PartitionAssigners.cooperativeSticky],
  ])('%s is even, and keeps what it gave last', async (name, create) => {
    const sticky = make(create, { a: 6 })
    expect(sticky.name).toBe(name)
    expect(await assign(sticky, { x: ['a'], y: ['a'] }, ['a'])).toEqual({ x: { a: [0, 2, 4] }, y: { a: [1, 3, 5] } })
    expect(await assign(sticky, { x: ['a'], y: ['a'], w: ['a'] }, ['a'])).toEqual({
      w: { a: [4, 5] },
      x: { a: [0, 2] },
      y: { a: [1, 3] },
    })
  })

  it('give nothing of a topic that the cluster does not know', async () => {
    expect(await assign(make(PartitionAssigners.uniform, {}), { x: ['a'] }, ['a'])).toEqual({ x: {} })
  })
})
