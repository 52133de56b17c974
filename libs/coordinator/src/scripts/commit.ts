import { type CommandConnection, type GroupKeys, Reply, Script } from '@rivulet/storage'
import { storedAfterCommitTime } from '../store/committed-offset.js'
import { partitionName } from '../partition-name.js'
import type { OffsetCommit } from '../types.js'
import { sources } from './sources.generated.js'
import { claim } from './sync.js'

const script = new Script('commit', sources.commit)

/**
 * Stores offsets.
 *
 * @param memberId null: of no member
 * @param newId the id that the group gets if it is made now
 * @returns the group's id, and for each commit whether it is stored; false: the partition has been given to somebody since
 * @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, NON_EMPTY_GROUP, UNSUPPORTED_VERSION
 */
export async function commit(
  connection: CommandConnection,
  keys: GroupKeys,
  { memberId, newId, commits }: { memberId: string | null; newId: string; commits: readonly OffsetCommit[] },
): Promise<{ readonly groupId: string; readonly stored: readonly boolean[] }> {
  const args = [
    memberId ?? '',
    newId,
    ...commits.flatMap((one) => [partitionName(one), claim(one), one.offset, storedAfterCommitTime(one)]),
  ]
  const [groupId, stored] = new Reply('commit', await connection.run(script, keys.all, args, keys.context)).list()
  return { groupId: groupId?.string() ?? '', stored: (stored?.numbers() ?? []).map((one) => one === 1) }
}
