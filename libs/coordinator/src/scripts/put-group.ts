import { type CommandConnection, metaKeys, Script } from '@rivulet/storage'
import { sources } from './sources.generated.js'

const script = new Script('put-group', sources['put-group'])

/** Replaces a group's entry where it still is `expected`; null: there is none, there shall be none. @returns whether it was */
export async function putGroup(
  connection: CommandConnection,
  namespace: string,
  change: { readonly groupId: string; readonly expected: string | null; readonly entry: string | null },
): Promise<boolean> {
  const { groupId, expected, entry } = change
  const args = [groupId, expected ?? '', entry ?? '']
  return (await connection.run(script, [metaKeys(namespace).groups], args, { group: groupId })) === 1
}
