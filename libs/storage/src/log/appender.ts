/**
 * Appends record batches: one script call for batches of many partitions. What the script refuses because the caller's
 * view was old (a rolled segment, another leader epoch, a shard without room) is mended here, and the batch is tried
 * again; everything else comes out as the batch's result.
 */
import { isErrorName, KafkaError } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import { toKafkaError } from '../connection/server-errors.js'
import type { Keyspace, PartitionKeys } from '../keys.js'
import { Script, type ScriptArgument } from '../scripts/script.js'
import type { Ceiling } from './ceiling.js'
import type { SegmentRoller } from './segment-roller.js'
import type { Appender, AppendRequest, AppendResult, Partition } from './types.js'

const appendScript = new Script('append')
const beginEpochScript = new Script('begin-epoch')

/** A batch may need several mends in a row (a new epoch, then a roll, then room), never this many. */
const MAX_ATTEMPTS = 16
/** Elements of the script's reply for one batch. */
const STRIDE = 4

export interface AppenderParts {
  readonly connection: Connection
  readonly keyspace: Keyspace
  readonly ceiling: Ceiling
  readonly roller: SegmentRoller
  /** Whether leader epochs are kept: INFO is permitted. */
  readonly epochsKept: boolean
}

export class RedisAppender implements Appender {
  /** The segment last known to be active, by partition. */
  readonly #segments = new WeakMap<Partition, number>()
  readonly #parts: AppenderParts

  constructor(parts: AppenderParts) {
    this.#parts = parts
  }

  lane(partition: Partition): string {
    // A script's keys must share a slot in Cluster; one server takes any.
    return this.#parts.connection.cluster ? String(partition.shard) : ''
  }

  async append(requests: readonly AppendRequest[]): Promise<AppendResult[]> {
    const results = new Array<AppendResult | undefined>(requests.length)
    let pending = requests.map((_, index) => index)
    try {
      for (let attempt = 0; pending.length > 0; attempt++) {
        const replies = await this.#call(requests, pending)
        const mends: Promise<void>[] = []
        const again: number[] = []
        for (let i = 0; i < pending.length; i++) {
          const index = pending[i] as number
          const request = requests[index] as AppendRequest
          const status = replies[i * STRIDE]
          if (status === 0 || status === 1) {
            results[index] = {
              error: null,
              baseOffset: Number(replies[i * STRIDE + 1]),
              logStartOffset: Number(replies[i * STRIDE + 2]),
              logAppendTime: Number(replies[i * STRIDE + 3]),
              duplicate: status === 1,
            }
            continue
          }
          const mend = this.#mend(request, String(status), Number(replies[i * STRIDE + 1]))
          if (mend instanceof KafkaError || attempt === MAX_ATTEMPTS) {
            results[index] = { error: mend instanceof KafkaError ? mend : stillRefused(request, String(status)) }
            continue
          }
          mends.push(
            mend.then(
              () => void again.push(index),
              (error: unknown) => {
                results[index] = { error: toKafkaError(error) }
              },
            ),
          )
        }
        await Promise.all(mends)
        pending = again
      }
    } catch (error) {
      const failure = toKafkaError(error)
      for (const index of pending) results[index] = { error: failure }
    }
    return results.map((result) => result ?? { error: new KafkaError('UNKNOWN_SERVER_ERROR', 'no result came') })
  }

  close(): Promise<void> {
    return this.#parts.connection.close()
  }

  async #call(requests: readonly AppendRequest[], indexes: readonly number[]): Promise<(number | string)[]> {
    const { connection, keyspace, epochsKept } = this.#parts
    const keys: string[] = []
    const args: ScriptArgument[] = [epochsKept ? 1 : 0]
    for (const index of indexes) {
      const { partition, config, batch } = requests[index] as AppendRequest
      const own = keyspace.of(partition)
      const segment = this.#segments.get(partition) ?? 0
      keys.push(own.shard, own.state, own.producers, own.log(segment))
      args.push(
        segment,
        config.segmentBytes,
        config.segmentMs,
        config.messageTimestampType === 'LogAppendTime' ? 1 : 0,
        batch,
      )
    }
    return (await connection.run(appendScript, keys, args)) as (number | string)[]
  }

  /** What makes the batch acceptable, or the error that nothing here can mend. */
  #mend(request: AppendRequest, status: string, detail: number): Promise<void> | KafkaError {
    const { connection, keyspace, ceiling, roller } = this.#parts
    const { partition, config, batch } = request
    const keys: PartitionKeys = keyspace.of(partition)
    switch (status) {
      case 'STALE_SEGMENT':
        this.#segments.set(partition, detail)
        return Promise.resolve()
      case 'SEGMENT_FULL':
        return roller.roll(partition, config, this.#segments.get(partition) ?? 0).then((active) => {
          this.#segments.set(partition, active)
        })
      case 'NEW_LEADER_EPOCH':
        return connection.run(beginEpochScript, [keys.state, keys.epochs], []).then(() => undefined)
      case 'SHARD_FULL':
        return ceiling.makeRoom(partition.shard, batch.length)
      default: {
        const where = `${partition.topic}-${partition.partition}`
        if (!isErrorName(status)) return new KafkaError('UNKNOWN_SERVER_ERROR', `append to ${where}: ${status}`)
        return new KafkaError(status, `append to ${where} (topic id ${partition.topicId}) was refused: ${status}`)
      }
    }
  }
}

function stillRefused({ partition }: AppendRequest, status: string): KafkaError {
  return new KafkaError(
    'LEADER_NOT_AVAILABLE',
    `append to ${partition.topic}-${partition.partition} was refused ${MAX_ATTEMPTS} times, at last with ${status}`,
  )
}
