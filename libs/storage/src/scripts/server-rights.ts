import { KafkaError } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import { metaKeys } from '../keys.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('server-rights', sources['server-rights'])

export interface ServerRights {
  /** Whether scripts may read INFO: without it there are no leader epochs. */
  readonly infoInScripts: boolean
  /** Whether a blocking read can be ended early (CLIENT ID and CLIENT UNBLOCK). */
  readonly clientUnblock: boolean
  /** Whether the server has WAITAOF, and this user may call it. */
  readonly waitaof: boolean
  /** Whether changes of the registry can be listened to. */
  readonly subscribe: boolean
}

/**
 * What this user may do in the namespace.
 *
 * @throws KafkaError CLUSTER_AUTHORIZATION_FAILED naming the commands that are needed and not permitted
 */
export async function askServerRights(connection: Connection, namespace: string): Promise<ServerRights> {
  const keys = metaKeys(namespace)
  const reply = await connection.run(script, [keys.cluster], [keys.changes], {
    operation: `checking rights in ${namespace}`,
  })
  const [info, unblock, waitaof, subscribe, ...missing] = new Reply('server-rights', reply).array()
  if (missing.length > 0) {
    throw new KafkaError(
      'CLUSTER_AUTHORIZATION_FAILED',
      `the user logged in to Redis at ${connection.label} may not call ${missing.join(', ')} on keys of namespace ` +
        `${namespace}: grant the rights that the documentation lists`,
    )
  }
  return { infoInScripts: info === 1, clientUnblock: unblock === 1, waitaof: waitaof === 1, subscribe: subscribe === 1 }
}
