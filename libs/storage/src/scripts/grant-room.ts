import type { Connection } from '../connection/connection.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('grant-room', sources['grant-room'])

/**
 * Grants a shard so many bytes more (fewer, where the number is negative). Nothing happens where what it was `granted` is
 * no longer what the caller knows.
 */
export async function grantRoom(connection: Connection, shard: string, bytes: number, granted: number): Promise<void> {
  await connection.run(script, [shard], [bytes, granted])
}
