import type {
  AssignmentInput,
  AssignmentMember,
  GroupSnapshot,
  MemberRecord,
  TargetAssignment,
  TopicFacts,
  TopicPartition,
} from '../types.js'
import { partitionName } from '../partition-name.js'

/** The assigners that all members know, in the order of the first one's preference. */
export function sharedAssigners(members: Iterable<MemberRecord>): string[] {
  const [first, ...others] = members
  if (first === undefined) return []
  return first.assigners
    .map(({ name }) => name)
    .filter((name) => others.every(({ assigners }) => assigners.some((assigner) => assigner.name === name)))
}

/** All topics that a member wants, sorted. */
export function subscribedTopics(members: Iterable<MemberRecord>): string[] {
  return [...new Set([...members].flatMap(({ topics }) => topics))].sort()
}

/** What an assigner is to share out: the group as it was at one moment, and its topics as they are. */
export function assignmentInput(
  snapshot: GroupSnapshot,
  topics: ReadonlyMap<string, TopicFacts>,
  assigner: string,
): AssignmentInput {
  const members = new Map<string, AssignmentMember>()
  for (const [memberId, record] of snapshot.members) {
    const metadata = record.assigners.find(({ name }) => name === assigner)?.metadata ?? ''
    members.set(memberId, {
      topics: record.topics,
      instanceId: record.instanceId,
      metadata: Buffer.from(metadata, 'base64'),
    })
  }
  return { members, topics, previous: previousTarget(snapshot, topics) }
}

/** Who was to own what; of what was in no target, who owns it. Only members and partitions that still exist. */
function previousTarget(snapshot: GroupSnapshot, topics: ReadonlyMap<string, TopicFacts>): TargetAssignment {
  const previous = new Map<string, TopicPartition[]>([...snapshot.members.keys()].map((memberId) => [memberId, []]))
  const given = new Set<string>()
  for (const assignment of [snapshot.target, snapshot.owned]) {
    for (const [memberId, partitions] of assignment) {
      for (const { topic, topicId, partition } of partitions) {
        const key = partitionName({ topicId, partition })
        if (given.has(key) || !exists({ topic, topicId, partition }, topics)) continue
        given.add(key)
        previous.get(memberId)?.push({ topic, topicId, partition })
      }
    }
  }
  return previous
}

/** What an assigner returned, without what cannot be. */
export interface CheckedTarget {
  /** Each member of the group has an entry. */
  readonly target: TargetAssignment
  /** What was left out and why, one line each. */
  readonly refused: readonly string[]
  /** Of what was left out: the topics that were given to members that do not want them. */
  readonly unsubscribed: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Leaves out of a target what no group could do: members that do not exist, partitions that do not exist or that an earlier
 * member has already, topics that the member does not want.
 */
export function checkTarget(returned: TargetAssignment, { members, topics }: AssignmentInput): CheckedTarget {
  const target = new Map<string, TopicPartition[]>([...members.keys()].map((memberId) => [memberId, []]))
  const refused: string[] = []
  const unsubscribed = new Map<string, Set<string>>()
  const given = new Map<string, string>()
  for (const [memberId, partitions] of returned) {
    const member = members.get(memberId)
    const own = target.get(memberId)
    if (member === undefined || own === undefined) {
      refused.push(`${memberId} is no member`)
      continue
    }
    const wanted = new Set(member.topics)
    for (const { topic, topicId, partition } of partitions) {
      const key = partitionName({ topicId, partition })
      const name = `${topic}-${partition} for ${memberId}`
      const owner = given.get(key)
      if (!wanted.has(topic)) unsubscribed.set(memberId, (unsubscribed.get(memberId) ?? new Set()).add(topic))
      if (!exists({ topic, topicId, partition }, topics)) refused.push(`${name}: there is no such partition`)
      else if (!wanted.has(topic)) refused.push(`${name}: the member is not subscribed to it`)
      else if (owner !== undefined) refused.push(`${name}: ${owner} has it already`)
      else {
        given.set(key, memberId)
        own.push({ topic, topicId, partition })
      }
    }
  }
  return { target, refused, unsubscribed }
}

function exists({ topic, topicId, partition }: TopicPartition, topics: ReadonlyMap<string, TopicFacts>): boolean {
  const facts = topics.get(topic)
  return (
    facts !== undefined &&
    facts.topicId === topicId &&
    Number.isInteger(partition) &&
    partition >= 0 &&
    partition < facts.partitions
  )
}
