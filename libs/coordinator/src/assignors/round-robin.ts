import type { TargetAssignment, TopicPartition } from '../types.js'
import type { AssignorInput } from './assignor.js'
import { membersInOrder, topicPartitions } from './assignor.js'

/**
 * Kafka's RoundRobinAssignor: all partitions, topic by topic, are dealt to the members in turn; whoever does not subscribe to
 * the topic is passed over.
 */
export function roundRobin(input: AssignorInput): TargetAssignment {
  const ring = membersInOrder(input.members).map((memberId) => {
    const partitions: TopicPartition[] = []
    return { memberId, topics: new Set(input.members.get(memberId)?.topics), partitions }
  })
  let turn = 0
  for (const topic of [...input.topics.keys()].toSorted()) {
    if (!ring.some(({ topics }) => topics.has(topic))) continue
    for (const partition of topicPartitions(input, topic)) {
      while (ring[turn]?.topics.has(topic) !== true) turn = (turn + 1) % ring.length
      ring[turn]?.partitions.push(partition)
      turn = (turn + 1) % ring.length
    }
  }
  return new Map(ring.map(({ memberId, partitions }) => [memberId, partitions]))
}
