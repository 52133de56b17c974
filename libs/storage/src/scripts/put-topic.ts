import type { Connection } from '../connection/connection.js'
import { metaKeys } from '../keys.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('put-topic', sources['put-topic'])

export type PutTopicResult = { readonly changed: true } | { readonly changed: false; readonly found: string | null }

/** Replaces a topic's entry where it still is `expected`. null: there is none, there shall be none. */
export async function putTopic(
  connection: Connection,
  namespace: string,
  change: { readonly topic: string; readonly expected: string | null; readonly entry: string | null },
): Promise<PutTopicResult> {
  const keys = metaKeys(namespace)
  const reply = await connection.run(
    script,
    [keys.topics, keys.cluster],
    [keys.changes, change.topic, change.expected ?? '', change.entry ?? ''],
    { topic: change.topic },
  )
  const [changed, found] = new Reply('put-topic', reply).array()
  if (changed === 1) return { changed: true }
  return { changed: false, found: typeof found === 'string' && found !== '' ? found : null }
}
