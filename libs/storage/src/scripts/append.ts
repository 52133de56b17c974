import type { TopicConfig } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { Reply } from './reply.js'
import { Script, type ScriptArgument } from './script.js'

const script = new Script('append')
/** Elements of the reply for one batch. */
const STRIDE = 4

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
  const keys: string[] = []
  const args: ScriptArgument[] = [epochsKept ? 1 : 0]
  for (const { keys: own, segment, config, batch } of batches) {
    keys.push(own.shard, own.state, own.producers, own.log(segment))
    const logTime = config.messageTimestampType === 'LogAppendTime' ? 1 : 0
    args.push(segment, config.segmentBytes, config.segmentMs, logTime, batch)
  }
  const reply = new Reply('append', await connection.run(script, keys, args)).array()
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
