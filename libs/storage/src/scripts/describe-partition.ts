import { KafkaError } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { decodePartitionState } from '../log/partition-state.js'
import { parseLeaderEpoch } from '../log/stream-entry.js'
import type { Partition, PartitionDescription, SeenEpoch, Segment } from '../log/types.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('describe-partition', sources['describe-partition'])

/** @throws KafkaError UNKNOWN_TOPIC_ID where there is no such partition, UNSUPPORTED_VERSION for another format */
export async function describePartition(
  connection: Connection,
  partition: Partition,
  keys: PartitionKeys,
  { epochsKept }: { readonly epochsKept: boolean },
): Promise<PartitionDescription> {
  const all = [keys.state, keys.segments, keys.epochs]
  const raw = await connection.runForBuffers(script, all, [epochsKept ? 1 : 0], keys.context)
  const [stateBytes, segmentRows, epochRows, id] = new Reply('describe-partition', raw).list()
  if (stateBytes === undefined || stateBytes.isNil) throw unknownPartition(partition)
  const state = decodePartitionState(stateBytes.buffer())
  const segments = pairs(segmentRows).map(([member, baseOffset]): Segment => {
    const [number = 0, endOffset, bytes = 0, maxTimestamp = -1] = member.split(' ').map(Number)
    if (endOffset !== undefined) return { number, baseOffset, endOffset, bytes, maxTimestamp, active: false }
    return {
      number,
      baseOffset,
      endOffset: state.logEndOffset,
      bytes: state.activeBytes,
      maxTimestamp: state.activeMaxTimestamp,
      active: true,
    }
  })
  const epochs = pairs(epochRows).map(([member, startOffset]): SeenEpoch => ({
    ...parseLeaderEpoch(member),
    startOffset,
  }))
  const { logStartOffset, logEndOffset, size, maxTimestamp, leaderEpoch } = state
  const replicationId = id?.text() || null
  return { partition, logStartOffset, logEndOffset, size, maxTimestamp, leaderEpoch, segments, epochs, replicationId }
}

export function unknownPartition({ topic, topicId, partition }: Partition): KafkaError {
  return new KafkaError(
    'UNKNOWN_TOPIC_ID',
    `partition ${partition} of topic ${topic} (topic id ${topicId}) does not exist: the topic was deleted`,
  )
}

/** The rows of a sorted set with its scores. */
function pairs(rows: Reply | undefined): [member: string, score: number][] {
  const result: [string, number][] = []
  let member: string | null = null
  for (const row of rows?.list() ?? []) {
    if (member === null) {
      member = row.text()
    } else {
      result.push([member, row.number()])
      member = null
    }
  }
  return result
}
