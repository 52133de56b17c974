import type { BuiltInAssigner, GroupAssigner, TargetAssignment, TopicPartition } from '@rivulet/coordinator'
import { groupAssigners } from '@rivulet/coordinator'
import type {
  Assigner,
  Assignment,
  Cluster,
  GroupMember,
  GroupMemberAssignment,
  PartitionAssigner,
} from '../../types.js'
import { AssignerProtocol } from './assigner-protocol.js'

/** What kafkajs's own assigner has as the version of its metadata and assignments. */
const version = 0

/**
 * kafkajs's round robin, and its default: the members sorted by their ids, all partitions dealt to them in turn. Called by an
 * application it takes no notice of who subscribes to what, as in kafkajs; in a group of this client it passes over members
 * that do not subscribe to a topic.
 */
const roundRobin: PartitionAssigner = ({ cluster }) => ({
  name: 'RoundRobinAssigner',
  version,
  protocol,
  async assign({ members, topics }) {
    const memberIds = members.map(({ memberId }) => memberId).toSorted()
    const target = new Map<string, TopicPartition[]>()
    for (const [i, partition] of topics.flatMap((topic) => partitionsOf(cluster, topic)).entries()) {
      const memberId = memberIds[i % memberIds.length]
      if (memberId === undefined) break
      const own = target.get(memberId)
      if (own === undefined) target.set(memberId, [partition])
      else own.push(partition)
    }
    return encodeTarget(target, this.version)
  },
})

const range = toPartitionAssigner(groupAssigners.range)
const cooperativeSticky = toPartitionAssigner(groupAssigners.cooperativeSticky)
const uniform = toPartitionAssigner(groupAssigners.uniform)

/** How the partitions of a group's topics are shared out among its members: for the option `partitionAssigners`. */
export const PartitionAssigners: {
  /** kafkajs's only one: all partitions dealt to the members in turn, anew at each change. */
  readonly roundRobin: PartitionAssigner
  /**
   * Rivulet only. Kafka's RangeAssignor: topics with equal numbers of partitions are cut alike, so that what has the same key
   * in them goes to the same member.
   */
  readonly range: PartitionAssigner
  /** Rivulet only. `uniform` by the name that Kafka's clients have for it. */
  readonly cooperativeSticky: PartitionAssigner
  /** Rivulet only, and the default: as even as the subscriptions allow, with as few moves as that takes. */
  readonly uniform: PartitionAssigner
} = { roundRobin, range, cooperativeSticky, uniform }

/** In a group they work on its facts, without kafkajs's bytes in between. */
const builtIn = new Map<PartitionAssigner, GroupAssigner>([
  [roundRobin, { ...groupAssigners.roundRobin, name: 'RoundRobinAssigner', assign: dealByMemberId }],
  [range, groupAssigners.range],
  [cooperativeSticky, groupAssigners.cooperativeSticky],
  [uniform, groupAssigners.uniform],
])

/** The group assigner of one of `PartitionAssigners`; undefined: it is an application's own. */
export const builtInAssigner = (assigner: PartitionAssigner): GroupAssigner | undefined => builtIn.get(assigner)

function dealByMemberId(input: Parameters<BuiltInAssigner['assign']>[0]): TargetAssignment {
  const members = new Map([...input.members].map(([id, member]) => [id, { ...member, instanceId: null }]))
  return groupAssigners.roundRobin.assign({ ...input, members })
}

/** In kafkajs's shape, for an application that calls it. What it is sticky to is what it gave last. */
function toPartitionAssigner(assigner: BuiltInAssigner): PartitionAssigner {
  return ({ cluster }) => {
    let previous: TargetAssignment = new Map()
    return {
      name: assigner.name,
      version,
      protocol,
      async assign({ members, topics }) {
        previous = assigner.assign({
          members: new Map(members.map((member) => [member.memberId, { topics: topicsOf(member), instanceId: null }])),
          topics: new Map(
            topics.map((topic) => [topic, { topic, topicId: '', partitions: partitionsOf(cluster, topic).length }]),
          ),
          previous,
        })
        return encodeTarget(previous, this.version)
      },
    }
  }
}

function protocol(this: Assigner, { topics }: { topics: string[] }): ReturnType<Assigner['protocol']> {
  const metadata = { version: this.version, topics, userData: Buffer.alloc(0) }
  return { name: this.name, metadata: AssignerProtocol.MemberMetadata.encode(metadata) }
}

const topicsOf = ({ memberMetadata }: GroupMember): string[] =>
  AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? []

const partitionsOf = (cluster: Cluster, topic: string): TopicPartition[] =>
  cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ topic, topicId: '', partition: partitionId }))

function encodeTarget(target: TargetAssignment, assignmentVersion: number): GroupMemberAssignment[] {
  return [...target].map(([memberId, partitions]) => ({
    memberId,
    memberAssignment: AssignerProtocol.MemberAssignment.encode({
      version: assignmentVersion,
      assignment: byTopic(partitions),
      userData: Buffer.alloc(0),
    }),
  }))
}

function byTopic(partitions: readonly TopicPartition[]): Assignment {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const others = topics.get(topic)
    if (others === undefined) topics.set(topic, [partition])
    else others.push(partition)
  }
  return Object.fromEntries(topics)
}
