import type { TopicConfig } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { writeInt64 } from '../log/partition-state.js'
import { Reply } from './reply.js'
import { Script } from './script.js'

const script = new Script('append')
/** Elements of the reply for one batch. */
const STRIDE = 4
/** Of the packed argument: what concerns all batches, and what concerns one. append.lua draws it. */
const HEADER_BYTES = 3
const CALL_BYTES = 27

export interface BatchToAppend {
  readonly keys: PartitionKeys
  /** The segment that is taken for active. */
  readonly segment: number
  readonly config: Pick<TopicConfig, 'segmentBytes' | 'segmentMs' | 'messageTimestampType'>
  readonly batch: Buffer
}

export type AppendReply =
  | {
      readonly status: 'appended' | 'duplicate'
      readonly baseOffset: number
      readonly logStartOffset: number
      readonly logAppendTime: number
    }
  | { readonly status: 'stale-segment'; readonly activeSegment: number }
  /** A name that append.lua lists. */
  | { readonly status: 'refused'; readonly reason: string }

/** Appends batches, at most one a partition; in Cluster all of one shard. The replies are in the batches' order. */
export async function appendBatches(
  connection: Connection,
  batches: readonly BatchToAppend[],
  { epochsKept }: { readonly epochsKept: boolean },
): Promise<AppendReply[]> {
  const shards: string[] = []
  const keys: string[] = []
  const calls = Buffer.allocUnsafe(HEADER_BYTES + CALL_BYTES * batches.length)
  let at = HEADER_BYTES
  for (const { keys: own, segment, config } of batches) {
    let shard = shards.indexOf(own.shard)
    if (shard < 0) shard = shards.push(own.shard) - 1
    keys.push(own.state, own.producers, own.log(segment))
    at = calls.writeUInt16BE(shard, at)
    at = writeInt64(calls, segment, at)
    at = writeInt64(calls, config.segmentBytes, at)
    at = writeInt64(calls, config.segmentMs, at)
    at = calls.writeUInt8(config.messageTimestampType === 'LogAppendTime' ? 1 : 0, at)
  }
  calls.writeUInt8(epochsKept ? 1 : 0, 0)
  calls.writeUInt16BE(shards.length, 1)
  const args = [calls, ...batches.map(({ batch }) => batch)]
  const reply = new Reply('append', await connection.run(script, [...shards, ...keys], args)).array()
  return batches.map((_, i) => parse(reply.slice(i * STRIDE, (i + 1) * STRIDE)))
}

function parse([status, first, second, third]: readonly unknown[]): AppendReply {
  if (status === 0 || status === 1) {
    return {
      status: status === 0 ? 'appended' : 'duplicate',
      baseOffset: Number(first),
      logStartOffset: Number(second),
      logAppendTime: Number(third),
    }
  }
  if (status === 'STALE_SEGMENT') return { status: 'stale-segment', activeSegment: Number(first) }
  return { status: 'refused', reason: String(status) }
}
