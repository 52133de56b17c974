import { type CommandConnection, type GroupKeys, Script } from '@rivulet/storage'
import { sources } from './sources.generated.js'

const script = new Script('delete-offsets', sources['delete-offsets'])

/**
 * Deletes committed offsets.
 *
 * @param partitions "<topic id>:<partition>" of each
 * @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, UNSUPPORTED_VERSION
 */
export async function deleteOffsets(
  connection: CommandConnection,
  keys: GroupKeys,
  partitions: readonly string[],
): Promise<void> {
  await connection.run(script, keys.all, partitions, keys.context)
}
