/** The reply of the describe-partition script, in typed form. */
import { KafkaError } from '@rivulet/protocol'
import { decodePartitionState } from './partition-state.js'
import type { LeaderEpoch, Partition, PartitionDescription, Segment, SeenEpoch } from './types.js'

/** Throws KafkaError UNKNOWN_TOPIC_ID where there is no such partition, UNSUPPORTED_VERSION for another format. */
export function decodeDescription(partition: Partition, reply: unknown): PartitionDescription {
  const [stateBytes, segmentRows, epochRows, replicationId] = reply as [Buffer | null, Buffer[], Buffer[], Buffer]
  if (stateBytes === null) throw unknownPartition(partition)
  const state = decodePartitionState(stateBytes)
  const segments: Segment[] = []
  for (const [member, baseOffset] of pairs(segmentRows)) {
    const [number = 0, endOffset, bytes = 0, maxTimestamp = -1] = member.split(' ').map(Number)
    segments.push(
      endOffset === undefined
        ? {
            number,
            baseOffset,
            endOffset: state.logEndOffset,
            bytes: state.activeBytes,
            maxTimestamp: state.activeMaxTimestamp,
            active: true,
          }
        : { number, baseOffset, endOffset, bytes, maxTimestamp, active: false },
    )
  }
  return {
    partition,
    logStartOffset: state.logStartOffset,
    logEndOffset: state.logEndOffset,
    size: state.size,
    maxTimestamp: state.maxTimestamp,
    leaderEpoch: state.leaderEpoch,
    segments,
    epochs: pairs(epochRows).map(([member, startOffset]): SeenEpoch => ({ ...parseLeaderEpoch(member), startOffset })),
    replicationId: replicationId.length > 0 ? replicationId.toString('latin1') : null,
  }
}

export function unknownPartition({ topic, topicId, partition }: Partition): KafkaError {
  return new KafkaError(
    'UNKNOWN_TOPIC_ID',
    `partition ${partition} of topic ${topic} (topic id ${topicId}) does not exist: the topic was deleted`,
  )
}

/** `<number>.<replication id>`, as entries and the epoch history have it. */
export function parseLeaderEpoch(text: string): LeaderEpoch {
  const dot = text.indexOf('.')
  return { number: Number(text.slice(0, dot)), replicationId: text.slice(dot + 1) }
}

function pairs(rows: readonly Buffer[]): [member: string, score: number][] {
  const result: [string, number][] = []
  for (let i = 0; i + 1 < rows.length; i += 2) {
    result.push([(rows[i] as Buffer).toString('latin1'), Number((rows[i + 1] as Buffer).toString('latin1'))])
  }
  return result
}
