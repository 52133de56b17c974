import { type CommandConnection, type GroupKeys, Script } from '@rivulet/storage'
import { targetText } from '../store/target-text.js'
import type { TargetAssignment, TopicFacts } from '../types.js'
import { sources } from './sources.generated.js'

const script = new Script('install', sources.install)

export interface Installation {
  readonly assigner: string
  readonly leaderId: string
  readonly target: TargetAssignment
  readonly topics: readonly TopicFacts[]
  readonly protocols: readonly string[]
}

/** Installs a target for that epoch. @returns false: the group has moved on @throws KafkaError UNSUPPORTED_VERSION */
export async function install(
  connection: CommandConnection,
  keys: GroupKeys,
  epoch: number,
  { assigner, leaderId, target, topics, protocols }: Installation,
): Promise<boolean> {
  const args = [
    keys.messages,
    epoch,
    assigner,
    leaderId,
    JSON.stringify(protocols),
    topics.length,
    ...topics.flatMap(({ topic, topicId, partitions }) => [topic, `${topicId} ${partitions}`]),
    ...[...target].flatMap(([memberId, partitions]) => [memberId, targetText(partitions)]),
  ]
  return (await connection.run(script, keys.all, args, keys.context)) === 1
}
