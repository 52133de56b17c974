import type { AssignmentInput, GroupAssigner, TargetAssignment, TopicFacts, TopicPartition } from '@rivulet/coordinator'
import { KafkaJSNonRetriableError } from '../../errors.js'
import { show } from '../../show.js'
import type { Assigner, GroupMemberAssignment, Logger, PartitionAssigner, PartitionMetadata } from '../../types.js'
import { AssignerProtocol } from './assigner-protocol.js'
import { builtInAssigner } from './partition-assigners.js'

interface Surroundings {
  readonly groupId: string
  /** The consumer's. */
  readonly logger: Logger
}

/**
 * What a group runs for one of the consumer's `partitionAssigners`.
 *
 * @throws KafkaJSNonRetriableError the application's function gives no assigner
 */
export function toGroupAssigner(assigner: PartitionAssigner, surroundings: Surroundings): GroupAssigner {
  return builtInAssigner(assigner) ?? new ApplicationAssigner(assigner, surroundings)
}

/** An application's assigner, which talks in kafkajs's terms. */
class ApplicationAssigner implements GroupAssigner {
  readonly name: string
  readonly #assigner: Assigner
  #topics: AssignmentInput['topics'] = new Map()

  constructor(create: PartitionAssigner, { groupId, logger }: Surroundings) {
    const cluster = { findTopicPartitionMetadata: (topic: string) => toMetadata(this.#topics.get(topic)) }
    this.#assigner = checkAssigner(create({ cluster, groupId, logger }))
    this.name = this.#assigner.name
  }

  metadata(topics: readonly string[]): Buffer {
    const state = this.#assigner.protocol({ topics: [...topics] })
    if (state?.metadata instanceof Uint8Array) return Buffer.from(state.metadata)
    throw this.#wrong(`protocol() gave ${show(state)}: { name, metadata } with a Buffer is wanted`)
  }

  async assign({ members, topics }: AssignmentInput): Promise<TargetAssignment> {
    this.#topics = topics
    const memberIds = [...members.keys()].toSorted()
    const results = await this.#assigner.assign({
      members: memberIds.map((memberId) => ({ memberId, memberMetadata: members.get(memberId)?.metadata ?? none })),
      topics: [...topics.keys()].toSorted(),
    })
    if (!isArray(results)) throw this.#wrong(`assign() gave ${show(results)}: an array is wanted`)
    const target = new Map<string, TopicPartition[]>()
    for (const result of results) {
      const { memberId } = this.#check(result)
      if (!members.has(memberId)) throw this.#wrong(`assign() gave partitions to ${show(memberId)}, which is no member`)
      if (target.has(memberId)) throw this.#wrong(`assign() gave two assignments to member ${show(memberId)}`)
      target.set(memberId, this.#decode(result, topics))
    }
    for (const memberId of memberIds) if (!target.has(memberId)) target.set(memberId, [])
    return target
  }

  #check(result: GroupMemberAssignment): GroupMemberAssignment {
    if (typeof result?.memberId === 'string' && result.memberAssignment instanceof Uint8Array) return result
    throw this.#wrong(`assign() gave ${show(result)}: { memberId, memberAssignment } with a Buffer is wanted`)
  }

  #decode({ memberId, memberAssignment }: GroupMemberAssignment, topics: AssignmentInput['topics']): TopicPartition[] {
    let assignment
    try {
      assignment = AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {}
    } catch (error) {
      throw this.#wrong(`what assign() gave member ${show(memberId)} cannot be read`, error)
    }
    // A topic that nobody subscribes to has no facts: the group leaves it out, and tells the members that were to get it.
    return Object.entries(assignment).flatMap(([topic, partitions]) => {
      const topicId = topics.get(topic)?.topicId ?? ''
      return partitions.map((partition) => ({ topic, topicId, partition }))
    })
  }

  #wrong(what: string, cause?: unknown): KafkaJSNonRetriableError {
    return new KafkaJSNonRetriableError(`Partition assigner "${this.name}": ${what}`, { cause })
  }
}

const none = Buffer.alloc(0)

// As a type guard it would take the elements' type away.
const isArray = (values: unknown): boolean => Array.isArray(values)

function checkAssigner(assigner: Assigner): Assigner {
  const isText = typeof assigner?.name === 'string' && assigner.name !== ''
  if (isText && typeof assigner.assign === 'function' && typeof assigner.protocol === 'function') return assigner
  throw new KafkaJSNonRetriableError(
    `A function of "partitionAssigners" gave ${show(assigner)}: { name, version, assign, protocol } is wanted`,
  )
}

/** kafkajs's answer for a topic that it does not know is none at all. */
function toMetadata(facts: TopicFacts | undefined): PartitionMetadata[] {
  return Array.from({ length: facts?.partitions ?? 0 }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [0],
    isr: [0],
    offlineReplicas: [],
  }))
}
