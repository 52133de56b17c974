import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('delete-partition', sources['delete-partition'])

/** A partition's segments, by their numbers. */
export interface SegmentRange {
  readonly oldest: number
  readonly active: number
}

/** Deletes a partition that has just these segments. null: it is gone; else the segments that it really has. */
export async function deletePartition(
  connection: Connection,
  keys: PartitionKeys,
  { oldest, active }: SegmentRange,
): Promise<SegmentRange | null> {
  const logs = Array.from({ length: active - oldest + 1 }, (_, i) => keys.log(oldest + i))
  const all = [keys.shard, keys.state, keys.producers, keys.epochs, keys.segments, ...logs]
  const reply = new Reply('delete-partition', await connection.run(script, all, [oldest, active], keys.context))
  if (reply.isNil) return null
  const [realOldest = oldest, realActive = active] = reply.numbers()
  return { oldest: realOldest, active: realActive }
}
