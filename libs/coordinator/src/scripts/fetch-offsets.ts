import { type CommandConnection, type GroupKeys, Reply, Script } from '@rivulet/storage'
import { deadlineOf, fieldsOf } from './describe-group.js'
import { sources } from './sources.generated.js'

const script = new Script('fetch-offsets', sources['fetch-offsets'])

export interface StoredOffsets {
  /** As they are stored, by "<topic id>:<partition>"; expired ones are among them. */
  readonly offsets: ReadonlyMap<string, string>
  /** The group's fields. */
  readonly group: ReadonlyMap<string, string>
  /** The latest deadline of a member, ms; null: the group has no members. */
  readonly lastDeadline: number | null
  /** The server's clock, ms. */
  readonly now: number
}

/**
 * Committed offsets; null: there is no such group.
 *
 * @param partitions "<topic id>:<partition>" of each that is wanted; null: all
 * @throws KafkaError UNSUPPORTED_VERSION
 */
export async function fetchOffsets(
  connection: CommandConnection,
  keys: GroupKeys,
  partitions: readonly string[] | null,
): Promise<StoredOffsets | null> {
  const reply = new Reply('fetch-offsets', await connection.run(script, keys.all, partitions ?? [], keys.context))
  if (reply.isNil) return null
  const [values, group, lastDeadline, now] = reply.list()
  return {
    offsets: partitions === null ? fieldsOf(values) : offsetsOf(partitions, values),
    group: fieldsOf(group),
    lastDeadline: deadlineOf(lastDeadline),
    now: now?.number() ?? 0,
  }
}

function offsetsOf(partitions: readonly string[], values: Reply | undefined): ReadonlyMap<string, string> {
  const offsets = new Map<string, string>()
  values?.list().forEach((value, i) => {
    const partition = partitions[i]
    if (partition !== undefined && !value.isNil) offsets.set(partition, value.string())
  })
  return offsets
}
