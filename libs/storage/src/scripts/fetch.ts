import { KafkaError } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import type { PartitionKeys } from '../keys.js'
import { decodePartitionState, readInt64, readLeaderEpoch, type PartitionState } from '../log/partition-state.js'
import { storedBatch } from '../log/stream-entry.js'
import type { StoredBatch } from '../log/types.js'
import { Reply } from './reply.js'
import { Script, type ScriptArgument } from './script.js'
import { sources } from './sources.generated.js'

const script = new Script('fetch', sources.fetch)

/** A batch's description in the reply: i64 end offset, 12 bytes leader epoch, i64 append time. */
const META = { bytes: 28, end: 0, epoch: 8, appendTime: 20 }

export interface SegmentToFetch {
  readonly keys: PartitionKeys
  readonly segment: number
  readonly offset: number
  readonly maxBytes: number
}

export interface FetchedSegment {
  /** null: there is no such partition. */
  readonly state: PartitionState | null
  readonly batches: readonly StoredBatch[]
  /** The segment that follows, where the end of this one was reached. */
  readonly nextSegment: number | null
  /** A bound of bytes ended it. */
  readonly bounded: boolean
}

/** Reads from segments, in Cluster all of one shard. An error stands for the partition whose state cannot be read. */
export async function fetchSegments(
  connection: Connection,
  segments: readonly SegmentToFetch[],
  maxBytes: number,
): Promise<(FetchedSegment | KafkaError)[]> {
  const keys: string[] = []
  const args: ScriptArgument[] = [maxBytes]
  for (const { keys: own, segment, offset, maxBytes: most } of segments) {
    keys.push(own.state, own.log(segment))
    args.push(offset, most)
  }
  const reply = new Reply('fetch', await connection.runForBuffers(script, keys, args))
  return reply.list().map(parse)
}

function parse(reply: Reply): FetchedSegment | KafkaError {
  const [stateBytes, next, bounded, metaBytes, ...batchBytes] = reply.list()
  if (stateBytes === undefined || stateBytes.isNil) {
    return { state: null, batches: [], nextSegment: null, bounded: false }
  }
  let state: PartitionState
  try {
    state = decodePartitionState(stateBytes.buffer())
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
  const metas = metaBytes?.buffer() ?? Buffer.alloc(0)
  const batches = batchBytes.map((bytes, i) => {
    const at = i * META.bytes
    const leaderEpoch = readLeaderEpoch(metas, at + META.epoch)
    const appendTime = readInt64(metas, at + META.appendTime)
    return storedBatch(bytes.buffer(), readInt64(metas, at + META.end), leaderEpoch, appendTime)
  })
  const nextSegment = next?.number() ?? -1
  return { state, batches, nextSegment: nextSegment < 0 ? null : nextSegment, bounded: bounded?.number() === 1 }
}
