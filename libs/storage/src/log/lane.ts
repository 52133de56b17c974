import type { Connection } from '../connection/connection.js'
import type { Partition } from './types.js'

/** What can share one call: XREAD's keys and a script's must share a slot in Cluster, one server takes any. */
export function laneOf({ cluster }: Pick<Connection, 'cluster'>, { shard }: Partition): string {
  return cluster ? String(shard) : ''
}
