import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('drop-deleted', sources['drop-deleted'])

/** One step of dropping what lies below the log start offset: the oldest segment, or so many of its entries. */
export async function dropDeleted(
  connection: Connection,
  keys: PartitionKeys,
  { oldest, entries }: { readonly oldest: number; readonly entries: number },
): Promise<{ readonly oldest: number; readonly more: boolean }> {
  const all = [keys.shard, keys.state, keys.segments, keys.log(oldest)]
  const reply = new Reply('drop-deleted', await connection.run(script, all, [oldest, entries], keys.context))
  const [next = oldest, more = 0] = reply.numbers()
  return { oldest: next, more: more === 1 }
}
