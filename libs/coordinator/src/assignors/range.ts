import type { TargetAssignment, TopicPartition } from '../types.js'
import type { AssignorInput } from './assignor.js'
import { membersInOrder, topicPartitions } from './assignor.js'

/**
 * Kafka's RangeAssignor: each topic by itself is cut into as many runs of partitions as it has subscribers, the first ones
 * longer by one where it does not come out even. Topics with equally many partitions and the same subscribers are cut alike,
 * so that what has the same key in both is read by the same member (co-partitioning).
 */
export function range(input: AssignorInput): TargetAssignment {
  const target = new Map<string, TopicPartition[]>()
  const subscribers = new Map<string, TopicPartition[][]>()
  for (const memberId of membersInOrder(input.members)) {
    const partitions: TopicPartition[] = []
    target.set(memberId, partitions)
    for (const topic of input.members.get(memberId)?.topics ?? []) {
      const others = subscribers.get(topic)
      if (others === undefined) subscribers.set(topic, [partitions])
      else if (others.at(-1) !== partitions) others.push(partitions)
    }
  }
  for (const topic of [...input.topics.keys()].toSorted()) {
    cut(topicPartitions(input, topic), subscribers.get(topic) ?? [])
  }
  return target
}

function cut(partitions: readonly TopicPartition[], shares: readonly TopicPartition[][]): void {
  const length = Math.floor(partitions.length / shares.length)
  const longer = partitions.length % shares.length
  let from = 0
  for (const [i, share] of shares.entries()) {
    const to = from + length + (i < longer ? 1 : 0)
    for (const partition of partitions.slice(from, to)) share.push(partition)
    from = to
  }
}
