import type { Connection } from '../connection/connection.js'
import { metaKeys } from '../keys.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('create-namespace', sources['create-namespace'])

export interface StoredNamespace {
  readonly format: string | null
  readonly id: string | null
  readonly shards: string | null
}

/** Makes the namespace as proposed where there is none. @returns what is stored, by whomever it was made */
export async function createNamespace(
  connection: Connection,
  namespace: string,
  proposed: { readonly format: number; readonly id: string; readonly tags: readonly string[] },
): Promise<StoredNamespace> {
  const args = [proposed.format, proposed.id, proposed.tags.join(' ')]
  const reply = await connection.run(script, [metaKeys(namespace).cluster], args, { operation: `joining ${namespace}` })
  const [format, id, shards] = Array.isArray(reply) ? reply.map(textOrNull) : []
  return { format: format ?? null, id: id ?? null, shards: shards ?? null }
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)
