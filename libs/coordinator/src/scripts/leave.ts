import { type CommandConnection, type GroupKeys, Script } from '@rivulet/storage'
import { sources } from './sources.generated.js'

const script = new Script('leave', sources.leave)

/** Takes a member out of its group, if it is in it. @throws KafkaError UNSUPPORTED_VERSION */
export async function leave(connection: CommandConnection, keys: GroupKeys, memberId: string): Promise<void> {
  await connection.run(script, keys.all, [keys.messages, memberId], keys.context)
}
