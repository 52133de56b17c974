import { type CommandConnection, type GroupKeys, Reply, Script } from '@rivulet/storage'
import { parseCommittedOffset } from '../store/committed-offset.js'
import { partitionName } from '../partition-name.js'
import { parseTarget } from '../store/target-text.js'
import type { GrantedPartition, OwnedPartition, SyncRequest, SyncResult, TopicPartition } from '../types.js'
import { heartbeatArguments, heartbeatResult } from './heartbeat.js'
import { sources } from './sources.generated.js'

const script = new Script('sync', sources.sync)

export interface SyncCall {
  readonly request: SyncRequest
  readonly infoInScripts: boolean
  /** The id that the group gets if it is made now. */
  readonly newId: string
  /** For how long committed offsets of no more use are kept, in ms. */
  readonly retention: number
}

/**
 * Joins, tells changes, lets go of partitions and takes those that are free.
 *
 * @returns the result, and the group's id
 * @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, INCONSISTENT_GROUP_PROTOCOL, UNSUPPORTED_VERSION
 */
export async function sync(
  connection: CommandConnection,
  keys: GroupKeys,
  { request, infoInScripts, newId, retention }: SyncCall,
): Promise<{ readonly result: SyncResult; readonly groupId: string }> {
  const { record, raiseEpoch, topics, owned, release } = request
  const args = [
    ...heartbeatArguments(keys, request, infoInScripts),
    record === null ? '' : JSON.stringify(record),
    raiseEpoch ? 1 : 0,
    newId,
    retention,
    topics.length,
    ...topics.flatMap(({ topic, topicId, partitions }) => [topic, `${topicId} ${partitions}`]),
    owned.length,
    ...owned.flatMap((partition) => [partitionName(partition), claim(partition)]),
    release.length,
    ...release.flatMap((partition) => [partitionName(partition), claim(partition)]),
  ]
  const reply = new Reply('sync', await connection.run(script, keys.all, args, keys.context)).list()
  return parse(reply, request)
}

/** Under which grant a partition is owned, as owner records have it: before the member's id. */
export function claim({ grant, topic }: OwnedPartition): string {
  return `${grant} ${topic}`
}

function parse(reply: readonly Reply[], request: SyncRequest): { result: SyncResult; groupId: string } {
  const [epoch, assignmentEpoch, assign, next, leader, assigner, targetText, kept, given, others, groupId] = reply
  const target = parseTarget(targetText?.string() ?? '')
  const byName = new Map(target.map((partition) => [partitionName(partition), partition]))
  const held = new Map(request.owned.map((partition) => [partitionName(partition), partition]))
  const named = (names: readonly string[] = []): TopicPartition[] =>
    names.map((name) => byName.get(name)).filter((partition) => partition !== undefined)

  const row = given?.list() ?? []
  const granted = named(row.filter((_, i) => i % 3 === 0).map((name) => name.string())).map((partition, i) => {
    const text = row[3 * i + 2]
    const committed = text === undefined || text.isNil ? null : parseCommittedOffset(text.string())
    return { ...partition, grant: row[3 * i + 1]?.number() ?? 0, committed }
  })
  const keptPartitions = (kept?.strings() ?? []).map((name) => held.get(name)).filter((own) => own !== undefined)
  return {
    result: {
      ...heartbeatResult([epoch, assignmentEpoch, assign, next].map((value) => value?.number() ?? 0)),
      leaderId: leader?.string() ?? '',
      assigner: assigner?.string() ?? '',
      target,
      owned: [...keptPartitions, ...granted.map(withoutOffset)],
      granted,
      waiting: named(others?.strings()),
    },
    groupId: groupId?.string() ?? '',
  }
}

function withoutOffset({ topic, topicId, partition, grant }: GrantedPartition): OwnedPartition {
  return { topic, topicId, partition, grant }
}
