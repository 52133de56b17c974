import type { StorageLogger } from '@rivulet/storage'
import { GroupMember } from '../src/member/group-member.js'
import type { GroupMemberParts } from '../src/member/group-member-parts.js'
import type { Topics } from '../src/member/subscription.js'
import type {
  GrantedPartition,
  GroupAssigner,
  GroupStore,
  MemberListener,
  MemberOptions,
  OwnedPartition,
  SettledAssignment,
  TargetAssignment,
  TopicPartition,
} from '../src/types.js'

/** "orders-3", sorted. */
export const names = (partitions: readonly TopicPartition[]): string[] =>
  partitions.map(({ topic, partition }) => `${topic}-${partition}`).sort()

/** Notes what a membership tells; what it answers can be set. */
class RecordingListener implements MemberListener {
  /** Each call: its name, and the partitions that it was about. */
  readonly calls: string[] = []
  readonly settled: SettledAssignment[] = []
  readonly assigned: GrantedPartition[] = []
  readonly errors: Error[] = []
  heartbeats = 0
  /** What a call does besides, by its name. */
  readonly behaviour: Partial<Record<'onAssigned' | 'onRevoked' | 'onLost' | 'onSettled', () => void | Promise<void>>> =
    {}

  onRebalancing(): void {
    this.calls.push('rebalancing')
  }

  async onAssigned(partitions: readonly GrantedPartition[]): Promise<void> {
    this.assigned.push(...partitions)
    this.note('assigned', partitions)
    await this.behaviour.onAssigned?.()
  }

  async onRevoked(partitions: readonly OwnedPartition[]): Promise<void> {
    this.note('revoked', partitions)
    await this.behaviour.onRevoked?.()
  }

  async onLost(partitions: readonly OwnedPartition[]): Promise<void> {
    this.note('lost', partitions)
    await this.behaviour.onLost?.()
  }

  onSettled(assignment: SettledAssignment): void {
    this.settled.push(assignment)
    this.note('settled', assignment.owned)
    void this.behaviour.onSettled?.()
  }

  onUnsubscribedTopics(topics: readonly string[]): void {
    this.calls.push(`unsubscribed ${topics.join(' ')}`)
  }

  onHeartbeat(): void {
    this.heartbeats++
  }

  onFailed(error: Error): void {
    this.errors.push(error)
    this.calls.push('failed')
  }

  private note(call: string, partitions: readonly TopicPartition[]): void {
    this.calls.push([call, ...names(partitions)].join(' '))
  }
}

/** Deals all partitions out to the members subscribed to them, in turn; members and partitions sorted. */
export class DealingAssigner implements GroupAssigner {
  runs = 0

  constructor(readonly name = 'dealing') {}

  metadata(): Buffer {
    return Buffer.alloc(0)
  }

  assign({ members, topics }: Parameters<GroupAssigner['assign']>[0]): TargetAssignment {
    this.runs++
    const target = new Map<string, TopicPartition[]>([...members.keys()].map((memberId) => [memberId, []]))
    let turn = 0
    for (const { topic, topicId, partitions } of [...topics.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1))) {
      const subscribed = [...members]
        .filter(([, member]) => member.topics.includes(topic))
        .map(([id]) => id)
        .sort()
      for (let partition = 0; partition < partitions; partition++) {
        const memberId = subscribed[turn++ % subscribed.length] ?? ''
        target.get(memberId)?.push({ topic, topicId, partition })
      }
    }
    return target
  }
}

/** What a member is made from besides its options. */
export interface TestParts extends Partial<Pick<GroupMemberParts, 'retry' | 'metadataMaxAge'>> {
  /** What the member is told goes through this one. */
  readonly follow?: (listener: MemberListener) => MemberListener
}

export interface TestMember {
  readonly member: GroupMember
  readonly listener: RecordingListener
  /** The warnings and errors that were logged. */
  readonly logs: readonly string[]
}

/** A member with a recording listener, subscribed to 'orders' unless the options say otherwise. */
export function testMember(
  store: GroupStore,
  topics: Topics,
  options: Partial<MemberOptions> = {},
  parts: TestParts = {},
): TestMember {
  const { follow = (recording: MemberListener) => recording, ...memberParts } = parts
  const listener = new RecordingListener()
  const logs: string[] = []
  const log = (message: string): void => void logs.push(message)
  const logger: StorageLogger = { error: log, warn: log, info: () => undefined, debug: () => undefined }
  const member = new GroupMember({
    store,
    topics,
    listener: follow(listener),
    logger,
    retry: { retries: 5, initialRetryTime: 300, maxRetryTime: 30_000, multiplier: 2, factor: 0.2 },
    ...memberParts,
    options: {
      groupId: 'g',
      clientId: 'client',
      instanceId: null,
      sessionTimeout: 30_000,
      rebalanceTimeout: 60_000,
      heartbeatInterval: 3_000,
      assigners: [new DealingAssigner()],
      subscription: { topics: ['orders'], patterns: [] },
      ...options,
    },
  })
  return { member, listener, logs }
}
