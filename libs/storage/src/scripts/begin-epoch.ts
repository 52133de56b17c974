import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('begin-epoch', sources['begin-epoch'])

/** Begins a new leader epoch if the server's replication id asks for one. */
export async function beginEpoch(connection: Connection, keys: PartitionKeys): Promise<void> {
  await connection.run(script, [keys.state, keys.epochs], [], keys.context)
}
