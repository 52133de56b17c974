import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import type { StreamEntry } from '../log/stream-entry.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('find-timestamp', sources['find-timestamp'])

export interface TimestampSearch {
  readonly segment: number
  /** In ms. */
  readonly timestamp: number
  readonly fromOffset: number
  readonly endOffset: number
}

/** The segment's first entry with a record at or after a timestamp; null: there is none. */
export async function findTimestamp(
  connection: Connection,
  keys: PartitionKeys,
  { segment, timestamp, fromOffset, endOffset }: TimestampSearch,
): Promise<StreamEntry | null> {
  const args = [timestamp, fromOffset, endOffset]
  const raw = await connection.runForBuffers(script, [keys.log(segment)], args, keys.context)
  const reply = new Reply('find-timestamp', raw)
  if (reply.isNil) return null
  const [id, fields] = reply.list()
  return id === undefined || fields === undefined ? null : [id.buffer(), fields.buffers()]
}
