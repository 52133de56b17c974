import type { AssignmentInput, AssignmentMember, TargetAssignment, TopicPartition } from '../types.js'

/** What the project's own assigners look at: they need no metadata. */
export interface AssignorInput extends Omit<AssignmentInput, 'members'> {
  readonly members: ReadonlyMap<string, Omit<AssignmentMember, 'metadata'>>
}

/**
 * Shares out partitions: each partition of each topic that a member subscribes to goes to exactly one of its subscribers.
 * Pure: the same input gives the same output, in whatever order its maps are.
 */
export type Assignor = (input: AssignorInput) => TargetAssignment

export function topicPartitions(input: AssignorInput, topic: string): TopicPartition[] {
  const facts = input.topics.get(topic)
  if (facts === undefined) return []
  return Array.from({ length: facts.partitions }, (_, partition) => ({ topic, topicId: facts.topicId, partition }))
}

/** The members in the order of Kafka's clients: static ones by their instance ids, then the others by their member ids. */
export function membersInOrder(members: AssignorInput['members']): string[] {
  const ranked = [...members].map(([memberId, { instanceId }]) => ({ memberId, instanceId }))
  ranked.sort((a, b) => {
    if (a.instanceId !== null && b.instanceId !== null && a.instanceId !== b.instanceId) {
      return a.instanceId < b.instanceId ? -1 : 1
    }
    if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1
    return a.memberId < b.memberId ? -1 : 1
  })
  return ranked.map(({ memberId }) => memberId)
}
