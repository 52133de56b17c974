import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('advance-log-start', sources['advance-log-start'])

/** Moves the log start offset forward (-1: to the log's end), and answers it. */
export async function advanceLogStart(connection: Connection, keys: PartitionKeys, offset: number): Promise<number> {
  return new Reply('advance-log-start', await connection.run(script, [keys.state], [offset], keys.context)).number()
}
