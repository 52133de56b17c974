import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('roll-segment', sources['roll-segment'])

/** Seals a segment, if it is the active one and not empty. Answers the active segment's number. */
export async function rollSegment(connection: Connection, keys: PartitionKeys, segment: number): Promise<number> {
  const all = [keys.state, keys.segments, keys.log(segment), keys.log(segment + 1)]
  return new Reply('roll-segment', await connection.run(script, all, [segment], keys.context)).number()
}
