/**
 * A committed offset as it is stored, and when it has expired:
 *
 *     "<offset> <commit time, ms> <leader epoch>.<replication id>@<its start offset>"   or "-" for the leader epoch
 *     the same, a space, and the metadata
 */
import { parseLeaderEpoch } from '@rivulet/storage'
import { KafkaError } from '@rivulet/protocol'
import type { CommittedOffset, OffsetCommit } from '../types.js'

/** What is stored after the commit time, which the server adds. */
export function storedAfterCommitTime({ leaderEpoch, metadata }: OffsetCommit): string {
  const epoch =
    leaderEpoch === null ? '-' : `${leaderEpoch.number}.${leaderEpoch.replicationId}@${leaderEpoch.startOffset}`
  return metadata === null ? epoch : `${epoch} ${metadata}`
}

/** @throws KafkaError UNSUPPORTED_VERSION for what this release cannot read */
export function parseCommittedOffset(text: string): CommittedOffset {
  const [, offset, committedAt, epoch = '', metadata] = /^(-?\d+) (\d+) (\S+)(?: (.*))?$/s.exec(text) ?? []
  if (offset === undefined || committedAt === undefined) {
    throw new KafkaError('UNSUPPORTED_VERSION', 'a committed offset cannot be read by this release')
  }
  const [leader = '', startOffset] = epoch.split('@')
  return {
    offset: Number(offset),
    leaderEpoch: startOffset === undefined ? null : { ...parseLeaderEpoch(leader), startOffset: Number(startOffset) },
    metadata: metadata ?? null,
    committedAt: Number(committedAt),
  }
}

/** What of a group tells whether its offsets are still of use. */
export interface OffsetUse {
  /** Since when the group has had no members, ms; null: it has some. */
  readonly emptySince: number | null
  /** The ids of the topics that its members subscribe. */
  readonly topicIds: ReadonlySet<string>
}

/**
 * Whether an offset has been of no use for longer than offsets are kept, as Kafka has it: in a group without members since the
 * last one left or since the commit, whichever is later; of a topic that no member subscribes since the commit.
 *
 * @param retention ms
 */
export function hasExpired(
  { topicId, committedAt }: { readonly topicId: string; readonly committedAt: number },
  { emptySince, topicIds }: OffsetUse,
  retention: number,
  now: number,
): boolean {
  if (emptySince !== null) return Math.max(committedAt, emptySince) + retention <= now
  return !topicIds.has(topicId) && committedAt + retention <= now
}
