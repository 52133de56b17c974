import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { Script } from './script.js'

const script = new Script('begin-epoch')

/** Begins a new leader epoch if the server's replication id asks for one. */
export async function beginEpoch(connection: Connection, keys: PartitionKeys): Promise<void> {
  await connection.run(script, [keys.state, keys.epochs], [], keys.context)
}
