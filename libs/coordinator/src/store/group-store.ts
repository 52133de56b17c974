/**
 * A group is kept on one shard, all of it under `<ns>:{<tag>}:g:<group id, percent-encoded>:`
 *
 *     group      hash
 *       format           1: the number of this format
 *       id               random, 22 characters of base64url: a group that is deleted and made again gets another one
 *       epoch            raised by each change of members, subscriptions, partition counts
 *       assignment       the epoch that the targets were computed for
 *       grants           the last grant given
 *       assigner         what computed the targets, '' before the first; leader: the member that ran it, '' likewise
 *       protocols        JSON: the names of the assigners that all members know, '' before the first member
 *       heartbeatAt      when any member was last heard of, ms
 *       replid           the first 8 digits of the server's replication id then; '' where INFO is not permitted
 *       emptySince       since when there have been no members, ms; '' while there are some
 *       committedAt      when an offset was last committed without a member, ms; missing: never
 *       assigning        the member that is to compute the targets, alone until assigningUntil, ms
 *       topic:<name>     "<topic id> <partitions>": what the targets were computed from, or are to be
 *       instance:<id>    the member that has this group instance id
 *       fenced:<member>  when its group instance id was taken over by another member, ms
 *     members    hash    member id → "<session timeout, ms> <JSON of MemberRecord>"
 *     sessions   zset    member id → when its session ends, ms
 *     targets    hash    member id → "orders:<topic id>:0,3,6 payments:<topic id>:1"
 *     held       hash    member id → "<topic id>:0 <topic id>:3": all that it owns, and what it has lost to others since
 *     owners     hash    "<topic id>:<partition>" → "<grant> <topic> <member id>", "-" before that: it has let go. Kept then, so
 *                        that an old commit cannot overtake a newer owner's
 *     offsets    hash    "<topic id>:<partition>" → "<offset> <commit time, ms> 5.cafebabe@100 <metadata>": the leader epoch with
 *                        its start offset ("-": none), and metadata after a space, or neither (null)
 *
 * Each key exists as long as the group does, and holds a placeholder: field '' = '', in sessions member '' = +inf. Times are the
 * server's. Numbers are decimal texts.
 */
import { type GroupKeys, randomId, type Storage, type StorageBackend } from '@rivulet/storage'
import { KafkaError } from '@rivulet/protocol'
import { commit } from '../scripts/commit.js'
import { deleteGroup } from '../scripts/delete-group.js'
import { deleteOffsets } from '../scripts/delete-offsets.js'
import { describeGroup } from '../scripts/describe-group.js'
import { fetchOffsets, type StoredOffsets } from '../scripts/fetch-offsets.js'
import { heartbeat } from '../scripts/heartbeat.js'
import { install, type Installation } from '../scripts/install.js'
import { leave } from '../scripts/leave.js'
import { sync } from '../scripts/sync.js'
import type {
  CommitOutcome,
  CommittedOffset,
  GroupMessage,
  GroupSnapshot,
  GroupStore,
  HeartbeatRequest,
  HeartbeatResult,
  OffsetCommit,
  SyncRequest,
  SyncResult,
  TopicPartition,
} from '../types.js'
import { hasExpired, parseCommittedOffset } from './committed-offset.js'
import { emptySince, subscribedTopicIds } from './group-fields.js'
import { parseGroupMessage } from './group-message.js'
import { GroupRegistry } from './group-registry.js'
import { groupSnapshot } from './group-snapshot.js'
import { parsePartitionName, partitionName } from '../partition-name.js'

/** Longer metadata is refused: Kafka's default for offset.metadata.max.bytes. */
const MOST_METADATA = 4096
/** Groups that are looked at together. */
const CHUNK = 128

/** Groups on Redis: each step one script. */
export class RedisGroupStore implements GroupStore {
  readonly #topics: Pick<Storage['topics'], 'namespaceConfig'>
  readonly #backend: StorageBackend
  readonly #registry: GroupRegistry

  constructor({ backend, topics }: Pick<Storage, 'backend' | 'topics'>) {
    this.#topics = topics
    this.#backend = backend
    this.#registry = new GroupRegistry(backend)
  }

  async heartbeat(groupId: string, request: HeartbeatRequest): Promise<HeartbeatResult> {
    checkMemberId(request.memberId)
    const keys = await this.#registry.locate(groupId)
    return heartbeat(this.#backend.connection, keys, request, this.#backend.infoInScripts)
  }

  async sync(groupId: string, request: SyncRequest): Promise<SyncResult> {
    checkMemberId(request.memberId)
    const keys = await this.#registry.locate(groupId)
    const { connection, infoInScripts } = this.#backend
    const call = { request, infoInScripts, newId: randomId(), retention: await this.#retention() }
    const { result, groupId: id } = await sync(connection, keys, call)
    await this.#registry.ensure(groupId, id)
    return result
  }

  async install(groupId: string, epoch: number, installation: Installation): Promise<boolean> {
    return install(this.#backend.connection, await this.#registry.locate(groupId), epoch, installation)
  }

  async leave(groupId: string, memberId: string): Promise<void> {
    if (memberId === '') return
    await leave(this.#backend.connection, await this.#registry.locate(groupId), memberId)
  }

  async snapshot(groupId: string): Promise<GroupSnapshot | null> {
    const stored = await describeGroup(this.#backend.connection, await this.#registry.locate(groupId))
    return stored === null ? null : groupSnapshot(groupId, stored)
  }

  async commit(
    groupId: string,
    memberId: string | null,
    commits: readonly OffsetCommit[],
  ): Promise<readonly CommitOutcome[]> {
    if (memberId !== null) checkMemberId(memberId)
    const keys = await this.#registry.locate(groupId)
    const fitting = commits.filter((one) => !isTooLong(one))
    const call = { memberId, newId: randomId(), commits: fitting }
    const { groupId: id, stored } = await commit(this.#backend.connection, keys, call)
    if (memberId === null) await this.#registry.ensure(groupId, id)
    const refused = new Set(fitting.filter((_, i) => stored[i] !== true))
    return commits.map((one) => (isTooLong(one) ? tooLong(one) : refused.has(one) ? givenAway(one) : null))
  }

  async committed(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | null)[]> {
    if (partitions.length === 0) return []
    const names = partitions.map(partitionName)
    const stored = await fetchOffsets(this.#backend.connection, await this.#registry.locate(groupId), names)
    const offsets = stored === null ? null : await this.#ofUse(stored)
    return names.map((name) => offsets?.get(name) ?? null)
  }

  async allCommitted(groupId: string): Promise<ReadonlyMap<string, CommittedOffset>> {
    const stored = await fetchOffsets(this.#backend.connection, await this.#registry.locate(groupId), null)
    return stored === null ? new Map() : this.#ofUse(stored)
  }

  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    await deleteOffsets(this.#backend.connection, await this.#registry.locate(groupId), partitions.map(partitionName))
  }

  async delete(groupId: string): Promise<void> {
    await this.#registry.remove(groupId, (keys) => deleteGroup(this.#backend.connection, keys))
  }

  async list(): Promise<readonly string[]> {
    const groups = [...(await this.#registry.all())].toSorted(([one], [other]) => (one < other ? -1 : 1))
    const listed: string[] = []
    for (let at = 0; at < groups.length; at += CHUNK) {
      const some = groups.slice(at, at + CHUNK)
      const shown = await Promise.all(some.map(([, keys]) => this.#isListed(keys)))
      listed.push(...some.filter((_, i) => shown[i]).map(([groupId]) => groupId))
    }
    return listed
  }

  async watch(groupId: string, listener: (message: GroupMessage) => void): Promise<() => Promise<void>> {
    const { messages } = await this.#registry.locate(groupId)
    return this.#backend.subscribe(messages, (text) => {
      const message: GroupMessage | null = text === null ? { kind: 'missed' } : parseGroupMessage(text)
      if (message !== null) listener(message)
    })
  }

  /** In ms. */
  async #retention(): Promise<number> {
    return (await this.#topics.namespaceConfig()).offsetsRetentionMinutes * 60_000
  }

  async #ofUse(stored: StoredOffsets): Promise<ReadonlyMap<string, CommittedOffset>> {
    const use = { emptySince: emptySince(stored), topicIds: subscribedTopicIds(stored.group) }
    const retention = await this.#retention()
    const offsets = new Map<string, CommittedOffset>()
    for (const [name, text] of stored.offsets) {
      const offset = parseCommittedOffset(text)
      const { committedAt } = offset
      const { topicId } = parsePartitionName(name)
      if (!hasExpired({ topicId, committedAt }, use, retention, stored.now)) offsets.set(name, offset)
    }
    return offsets
  }

  /** Not one that is gone or without members and offsets for too long; nor one that this user has no right to. */
  async #isListed(keys: GroupKeys): Promise<boolean> {
    try {
      const stored = await fetchOffsets(this.#backend.connection, keys, [''])
      if (stored === null) return false
      const since = emptySince(stored)
      if (since === null) return true
      const lastUse = Math.max(since, Number(stored.group.get('committedAt') ?? 0))
      return lastUse + (await this.#retention()) > stored.now
    } catch (error) {
      if (error instanceof KafkaError && error.type === 'UNSUPPORTED_VERSION') return true
      if (error instanceof KafkaError && error.type === 'GROUP_AUTHORIZATION_FAILED') return false
      throw error
    }
  }
}

/** '' is the placeholder's. */
function checkMemberId(memberId: string): void {
  if (memberId === '') throw new KafkaError('UNKNOWN_MEMBER_ID', 'the member id is empty')
}

function isTooLong({ metadata }: OffsetCommit): boolean {
  return metadata !== null && Buffer.byteLength(metadata) > MOST_METADATA
}

function tooLong({ topic, partition }: OffsetCommit): KafkaError {
  return new KafkaError(
    'OFFSET_METADATA_TOO_LARGE',
    `the metadata of the offset of ${topic}-${partition} is longer than ${MOST_METADATA} bytes`,
  )
}

function givenAway({ topic, partition, grant }: OffsetCommit): KafkaError {
  return new KafkaError(
    'ILLEGAL_GENERATION',
    grant === 0
      ? `${topic}-${partition} is owned by a member: nobody else commits offsets of it`
      : `${topic}-${partition} is not the committer's any more: it was given to another owner since`,
    { topic, partition },
  )
}
