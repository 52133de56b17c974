import { KafkaError, type TopicConfig } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { readInt64, writeInt64 } from '../log/partition-state.js'
import { Reply } from './reply.js'
import { Script } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('append', sources.append)
/** Of the packed argument: what concerns all batches, and what concerns one. append.lua draws it, and the reply. */
const HEADER_BYTES = 11
const CALL_BYTES = 27

export interface BatchToAppend {
  readonly keys: PartitionKeys
  /** The segment that is taken for active. */
  readonly segment: number
  readonly config: Pick<TopicConfig, 'segmentBytes' | 'segmentMs' | 'messageTimestampType'>
  readonly batch: Buffer
}

export interface AppendOptions {
  readonly epochsKept: boolean
  /** Of 8 bytes; see AppendSession. */
  readonly session: Buffer
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
  { epochsKept, session }: AppendOptions,
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
  session.copy(calls, 3)
  const args = [calls, ...batches.map(({ batch }) => batch)]
  const reply = await connection.runForBuffers(script, [...shards, ...keys], args)
  return parseReplies(new Reply('append', reply).buffer(), batches.length)
}

function parseReplies(bytes: Buffer, count: number): AppendReply[] {
  const replies: AppendReply[] = []
  let at = 0
  while (replies.length < count) {
    const status = bytes[at++]
    if (status === 0 || status === 1) {
      replies.push({
        status: status === 0 ? 'appended' : 'duplicate',
        baseOffset: readInt64(bytes, at),
        logStartOffset: readInt64(bytes, at + 8),
        logAppendTime: readInt64(bytes, at + 16),
      })
      at += 24
    } else if (status === 2) {
      replies.push({ status: 'stale-segment', activeSegment: readInt64(bytes, at) })
      at += 8
    } else if (status === 3) {
      const end = at + 1 + bytes.readUInt8(at)
      replies.push({ status: 'refused', reason: bytes.toString('latin1', at + 1, end) })
      at = end
    } else {
      throw new KafkaError('SCRIPT_FAILED', `script append answered with the status ${status}`)
    }
  }
  return replies
}
