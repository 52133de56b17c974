import type { OffsetCommit, SettledAssignment } from '@rivulet/coordinator'
import type { Logger, TopicOffsets, TopicPartitions } from '../types.js'
import type { ConsumerInstrumentation } from './consumer-events.js'

/** Who a group's events speak of. */
export interface MemberIdentity {
  readonly memberId: string
  readonly epoch: number
}

/** A group's events, with kafkajs's names and payloads. */
export class GroupEvents {
  constructor(
    private readonly groupId: string,
    private readonly member: () => MemberIdentity,
    private readonly instrumentation: ConsumerInstrumentation,
    private readonly logger: Logger,
  ) {}

  private get whose() {
    return { groupId: this.groupId, memberId: this.member().memberId }
  }

  heartbeat(): void {
    this.instrumentation.emit('consumer.heartbeat', { ...this.whose, groupGenerationId: this.member().epoch })
  }

  rebalancing(): void {
    this.logger.info('The group is rebalancing', this.whose)
    this.instrumentation.emit('consumer.rebalancing', this.whose)
  }

  joined({ leaderId, assigner, owned, duration }: SettledAssignment): void {
    const { groupId, memberId } = this.whose
    const memberAssignment: Record<string, number[]> = {}
    for (const { topic, partitions } of byTopic(owned)) memberAssignment[topic] = partitions
    const isLeader = leaderId === memberId
    const payload = { groupId, memberId, leaderId, isLeader, memberAssignment, groupProtocol: assigner, duration }
    this.instrumentation.emit('consumer.group_join', payload)
    this.logger.info('Consumer has joined the group', payload)
  }

  unsubscribedTopics(
    notSubscribed: readonly string[],
    subscribed: readonly string[],
    { epoch, owned }: Pick<SettledAssignment, 'epoch' | 'owned'>,
  ): void {
    const payload = {
      ...this.whose,
      generationId: epoch,
      assignedTopics: [...byTopic(owned).map(({ topic }) => topic), ...notSubscribed],
      topicsSubscribed: [...subscribed],
      topicsNotSubscribed: [...notSubscribed],
    }
    this.instrumentation.emit('consumer.received_unsubscribed_topics', payload)
    this.logger.warn('The group has assigned topics that this consumer has not subscribed', payload)
  }

  committed(commits: readonly OffsetCommit[]): void {
    const type = 'consumer.commit_offsets'
    if (commits.length === 0 || !this.instrumentation.hasListeners(type)) return
    const topics = new Map<string, TopicOffsets>()
    for (const { topic, partition, offset } of commits) {
      const ofTopic = topics.get(topic) ?? { topic, partitions: [] }
      topics.set(topic, ofTopic)
      ofTopic.partitions.push({ partition, offset: String(offset) })
    }
    const { groupId, memberId } = this.whose
    const groupGenerationId = this.member().epoch
    this.instrumentation.emit(type, { groupId, memberId, groupGenerationId, topics: [...topics.values()] })
  }
}

/** Partitions by topic, in order. */
export function byTopic(
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): TopicPartitions[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const numbers = topics.get(topic)
    if (numbers === undefined) topics.set(topic, [partition])
    else numbers.push(partition)
  }
  return [...topics].map(([topic, numbers]) => ({ topic, partitions: numbers.sort((a, b) => a - b) }))
}
