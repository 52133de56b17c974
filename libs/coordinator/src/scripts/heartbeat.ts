import { type CommandConnection, type GroupKeys, Reply, Script } from '@rivulet/storage'
import type { HeartbeatRequest, HeartbeatResult } from '../types.js'
import { sources } from './sources.generated.js'

const script = new Script('heartbeat', sources.heartbeat)

/** Where there is no other member to be watched: no timer can be set for longer. */
const NEVER = 2 ** 31 - 1

/** Renews a member's session. @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, UNSUPPORTED_VERSION */
export async function heartbeat(
  connection: CommandConnection,
  keys: GroupKeys,
  request: HeartbeatRequest,
  infoInScripts: boolean,
): Promise<HeartbeatResult> {
  const args = heartbeatArguments(keys, request, infoInScripts)
  return heartbeatResult(new Reply('heartbeat', await connection.run(script, keys.all, args, keys.context)).numbers())
}

/** The first seven arguments of heartbeat and sync. */
export function heartbeatArguments(
  keys: GroupKeys,
  { memberId, epoch, assignmentEpoch, sessionTimeout, stallAfter }: HeartbeatRequest,
  infoInScripts: boolean,
): (string | number)[] {
  return [keys.messages, infoInScripts ? 1 : 0, memberId, epoch, assignmentEpoch, sessionTimeout, stallAfter]
}

/** The first four values of what heartbeat and sync return. */
export function heartbeatResult([
  epoch = 0,
  assignmentEpoch = 0,
  assign,
  next = -1,
]: readonly number[]): HeartbeatResult {
  return { epoch, assignmentEpoch, assign: assign === 1, nextExpiry: next < 0 ? NEVER : next }
}
