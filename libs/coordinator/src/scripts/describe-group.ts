import { type CommandConnection, type GroupKeys, Reply, Script } from '@rivulet/storage'
import { sources } from './sources.generated.js'

const script = new Script('describe-group', sources['describe-group'])

/** A group as it is stored, fields by their names. */
export interface StoredGroup {
  readonly group: ReadonlyMap<string, string>
  readonly members: ReadonlyMap<string, string>
  readonly targets: ReadonlyMap<string, string>
  readonly owners: ReadonlyMap<string, string>
  /** The latest deadline of a member, ms; null: the group has no members. */
  readonly lastDeadline: number | null
  /** The server's clock, ms. */
  readonly now: number
}

/** All that is stored of a group but its offsets; null: there is no such group. @throws KafkaError UNSUPPORTED_VERSION */
export async function describeGroup(connection: CommandConnection, keys: GroupKeys): Promise<StoredGroup | null> {
  const reply = new Reply('describe-group', await connection.run(script, keys.all, [], keys.context))
  if (reply.isNil) return null
  const [group, members, targets, owners, lastDeadline, now] = reply.list()
  return {
    group: fieldsOf(group),
    members: fieldsOf(members),
    targets: fieldsOf(targets),
    owners: fieldsOf(owners),
    lastDeadline: deadlineOf(lastDeadline),
    now: now?.number() ?? 0,
  }
}

/** The fields of a hash, without the placeholder. */
export function fieldsOf(reply: Reply | undefined): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const flat = reply?.strings() ?? []
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(flat[i] ?? '', flat[i + 1] ?? '')
  fields.delete('')
  return fields
}

export function deadlineOf(reply: Reply | undefined): number | null {
  const text = reply?.string() ?? ''
  return text === '' ? null : Number(text)
}
