import { type CommandConnection, type GroupKeys, Script } from '@rivulet/storage'
import { sources } from './sources.generated.js'

const script = new Script('delete-group', sources['delete-group'])

/** Deletes a group. @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, UNSUPPORTED_VERSION */
export async function deleteGroup(connection: CommandConnection, keys: GroupKeys): Promise<void> {
  await connection.run(script, keys.all, [], keys.context)
}
