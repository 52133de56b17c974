import {
  type CommittedOffset,
  type GroupSnapshot,
  type GroupStore,
  parsePartitionName,
  partitionName,
} from '@rivulet/coordinator'
import type { PartitionDescription, Storage, Topic } from '@rivulet/storage'
import type { PartitionLag, TopicLag } from '../types.js'
import { findTopic } from './find-topic.js'
import { describePartitions } from './offsets.js'

interface Owner {
  readonly memberId: string
  readonly clientId: string
}

/** What a group has committed and who owns what, by "<topic id>:<partition>". */
interface Progress {
  readonly committed: ReadonlyMap<string, CommittedOffset>
  readonly owners: ReadonlyMap<string, Owner>
}

/**
 * How far a group has got in each partition of these topics; where none are named, of those that it has offsets in or reads.
 *
 * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION
 */
export async function fetchLag(
  storage: Storage,
  groups: GroupStore,
  groupId: string,
  names: readonly string[],
): Promise<TopicLag[]> {
  const named = await Promise.all(names.map((name) => findTopic(storage, name)))
  const [snapshot, committed] = await Promise.all([groups.snapshot(groupId), groups.allCommitted(groupId)])
  const progress = { committed, owners: ownersOf(snapshot) }
  const topics = names.length > 0 ? named : await topicsOf(storage, snapshot, progress)
  // The ends are read last: what is committed then never lies past them.
  return Promise.all(
    topics.map(async (topic) => {
      const descriptions = await describePartitions(storage, topic)
      return { topic: topic.name, partitions: descriptions.map((description) => lagOf(description, progress)) }
    }),
  )
}

function ownersOf(snapshot: GroupSnapshot | null): ReadonlyMap<string, Owner> {
  const owners = new Map<string, Owner>()
  for (const [memberId, owned] of snapshot?.owned ?? []) {
    const clientId = snapshot?.members.get(memberId)?.clientId
    if (clientId === undefined) continue
    for (const partition of owned) owners.set(partitionName(partition), { memberId, clientId })
  }
  return owners
}

/** The topics that the group has offsets in, and those that its members want. */
async function topicsOf(
  storage: Storage,
  snapshot: GroupSnapshot | null,
  { committed, owners }: Progress,
): Promise<Topic[]> {
  const keys = [...committed.keys(), ...owners.keys()]
  const ids = new Set(keys.map((key) => parsePartitionName(key).topicId))
  const wanted = new Set([...(snapshot?.members.values() ?? [])].flatMap(({ topics }) => topics))
  if (ids.size === 0 && wanted.size === 0) return []
  return (await storage.topics.list()).filter(({ id, name }) => ids.has(id) || wanted.has(name))
}

function lagOf({ partition, logEndOffset }: PartitionDescription, { committed, owners }: Progress): PartitionLag {
  const key = partitionName(partition)
  const offset = committed.get(key)?.offset ?? -1
  const owner = owners.get(key)
  return {
    partition: partition.partition,
    offset: String(offset),
    high: String(logEndOffset),
    // An offset that was set can lie past the end; -1 and -2 stand for the log's ends.
    lag: offset < 0 ? null : String(Math.max(logEndOffset - offset, 0)),
    memberId: owner?.memberId ?? null,
    clientId: owner?.clientId ?? null,
  }
}
