import { KafkaError } from '@rivulet/protocol'
import type { StoredGroup } from '../scripts/describe-group.js'
import type { GroupSnapshot, MemberRecord, OwnedPartition, TopicPartition } from '../types.js'
import { emptySince } from './group-fields.js'
import { parsePartitionName } from '../partition-name.js'
import { parseTarget } from './target-text.js'

/** A stored group, taken apart. @throws KafkaError UNSUPPORTED_VERSION for what this release cannot read */
export function groupSnapshot(groupId: string, stored: StoredGroup): GroupSnapshot {
  const { group, now } = stored
  const since = emptySince(stored)
  return {
    groupId,
    epoch: Number(group.get('epoch')),
    assignmentEpoch: Number(group.get('assignment')),
    assigner: group.get('assigner') ?? '',
    leaderId: group.get('leader') ?? '',
    ...(since === null ? membership(stored) : { members: new Map(), target: new Map(), owned: new Map() }),
    emptySince: since,
    now,
  }
}

function membership(stored: StoredGroup): Pick<GroupSnapshot, 'members' | 'target' | 'owned'> {
  const members = new Map<string, MemberRecord>()
  const target = new Map<string, readonly TopicPartition[]>()
  const owned = new Map<string, OwnedPartition[]>()
  // Redis gives fields in no order that means anything.
  for (const [memberId, text] of [...stored.members].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    members.set(memberId, parseMember(text))
    target.set(memberId, parseTarget(stored.targets.get(memberId) ?? ''))
    owned.set(memberId, [])
  }
  for (const [name, record] of stored.owners) {
    const owner = parseOwner(record)
    if (owner === null) continue
    const { memberId, grant, topic } = owner
    owned.get(memberId)?.push({ topic, ...parsePartitionName(name), grant })
  }
  for (const partitions of owned.values()) partitions.sort(byPlace)
  return { members, target, owned }
}

function byPlace(one: OwnedPartition, other: OwnedPartition): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
  return one.partition - other.partition
}

/** "<grant> <topic> <member id>"; null: the partition has been let go of. */
function parseOwner(record: string): { grant: number; topic: string; memberId: string } | null {
  const [, grant, topic, memberId] = /^(\d+) (\S+) (.*)$/s.exec(record) ?? []
  return topic === undefined || memberId === undefined ? null : { grant: Number(grant), topic, memberId }
}

/** "<session timeout, ms> <JSON>" */
function parseMember(text: string): MemberRecord {
  let record: unknown
  try {
    record = JSON.parse(text.slice(text.indexOf(' ') + 1))
  } catch {
    record = undefined
  }
  if (isMemberRecord(record)) return record
  throw new KafkaError('UNSUPPORTED_VERSION', "a member's record cannot be read by this release")
}

function isMemberRecord(value: unknown): value is MemberRecord {
  if (!isObject(value)) return false
  const { clientId, clientHost, instanceId, topics, assigners, sessionTimeout, rebalanceTimeout } = value
  return (
    typeof clientId === 'string' &&
    typeof clientHost === 'string' &&
    (instanceId === null || typeof instanceId === 'string') &&
    Array.isArray(topics) &&
    topics.every((topic) => typeof topic === 'string') &&
    Array.isArray(assigners) &&
    assigners.every((one) => isObject(one) && typeof one['name'] === 'string' && typeof one['metadata'] === 'string') &&
    typeof sessionTimeout === 'number' &&
    typeof rebalanceTimeout === 'number'
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
