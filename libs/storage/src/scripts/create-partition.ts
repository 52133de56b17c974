import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('create-partition', sources['create-partition'])

/** Makes an empty partition; nothing happens where it exists. */
export async function createPartition(
  connection: Connection,
  keys: PartitionKeys,
  { epochsKept }: { readonly epochsKept: boolean },
): Promise<void> {
  const all = [keys.state, keys.producers, keys.epochs, keys.segments, keys.log(0)]
  await connection.run(script, all, [epochsKept ? 1 : 0], keys.context)
}
