/**
 * Appends record batches: one script call for batches of many partitions. What the script refuses because the caller's
 * view was old (a rolled segment, another leader epoch, a shard without room) is mended here, and the batch is tried
 * again; everything else comes out as the batch's result.
 */
import { isErrorName, KafkaError } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import { toKafkaError } from '../connection/server-errors.js'
import type { Keyspace } from '../keys.js'
import { appendBatches, type AppendReply } from '../scripts/append.js'
import { beginEpoch } from '../scripts/begin-epoch.js'
import { AppendSession } from './append-session.js'
import type { Ceiling } from './ceiling.js'
import { laneOf } from './lane.js'
import type { SegmentRoller } from './segment-roller.js'
import type { Appender, AppendRequest, AppendResult, Partition } from './types.js'

/** A batch may need several mends in a row (a new epoch, then a roll, then room), never this many. */
const MAX_ATTEMPTS = 16

export interface AppenderParts {
  readonly connection: Connection
  readonly keyspace: Keyspace
  readonly ceiling: Ceiling
  readonly roller: SegmentRoller
  /** Whether leader epochs are kept: INFO is permitted. */
  readonly epochsKept: boolean
}

/** A request until it has its result. */
interface Job {
  readonly request: AppendRequest
  result: AppendResult | null
}

export class RedisAppender implements Appender {
  /** The segment last known to be active, by partition. */
  readonly #segments = new WeakMap<Partition, number>()
  readonly #parts: AppenderParts
  readonly #session: AppendSession

  constructor(parts: AppenderParts) {
    this.#parts = parts
    this.#session = new AppendSession(parts.connection)
  }

  lane(partition: Partition): string {
    return laneOf(this.#parts.connection, partition)
  }

  async append(requests: readonly AppendRequest[]): Promise<AppendResult[]> {
    const jobs = requests.map((request): Job => ({ request, result: null }))
    let pending = jobs
    try {
      for (let attempt = 1; pending.length > 0; attempt++) {
        const replies = await this.#call(pending)
        const mends: Promise<void>[] = []
        let i = 0
        for (const job of pending) {
          const mend = this.#settle(job, replies[i++], attempt === MAX_ATTEMPTS)
          if (mend !== null) mends.push(mend)
        }
        if (mends.length > 0) await Promise.all(mends)
        pending = pending.filter(({ result }) => result === null)
      }
    } catch (error) {
      // It may have been refused by a server that is a replica now.
      this.#session.end()
      const failure = toKafkaError(error)
      for (const job of pending) job.result ??= { error: failure }
    }
    return jobs.map(({ result }) => result ?? { error: new KafkaError('UNKNOWN_SERVER_ERROR', 'no result came') })
  }

  close(): Promise<void> {
    return this.#parts.connection.close()
  }

  #call(jobs: readonly Job[]): Promise<AppendReply[]> {
    const { connection, keyspace, epochsKept } = this.#parts
    const batches = jobs.map(({ request: { partition, config, batch } }) => {
      return { keys: keyspace.of(partition), segment: this.#segments.get(partition) ?? 0, config, batch }
    })
    return appendBatches(connection, batches, { epochsKept, session: this.#session.id })
  }

  /** Gives the job its result, or answers what makes another attempt worth while. */
  #settle(job: Job, reply: AppendReply | undefined, isLast: boolean): Promise<void> | null {
    if (reply?.status === 'appended' || reply?.status === 'duplicate') {
      const { baseOffset, logStartOffset, logAppendTime, status } = reply
      job.result = { error: null, baseOffset, logStartOffset, logAppendTime, duplicate: status === 'duplicate' }
      return null
    }
    const { partition } = job.request
    if (reply?.status === 'stale-segment' && !isLast) {
      this.#segments.set(partition, reply.activeSegment)
      return null
    }
    const reason = reply?.status === 'refused' ? reply.reason : 'STALE_SEGMENT'
    const mend = isLast ? null : this.#mend(job.request, reason)
    if (mend === null) {
      job.result = { error: refusal(partition, reason) }
      return null
    }
    return mend.catch((error: unknown) => {
      job.result = { error: toKafkaError(error) }
    })
  }

  #mend({ partition, config, batch }: AppendRequest, reason: string): Promise<void> | null {
    const { connection, keyspace, ceiling, roller } = this.#parts
    switch (reason) {
      case 'SEGMENT_FULL':
        return roller.roll(partition, config, this.#segments.get(partition) ?? 0).then((active) => {
          this.#segments.set(partition, active)
        })
      case 'NEW_LEADER_EPOCH':
        return beginEpoch(connection, keyspace.of(partition))
      case 'SHARD_FULL':
        return ceiling.makeRoom(partition.shard, batch.length)
      default:
        return null
    }
  }
}

function refusal({ topic, topicId, partition }: Partition, reason: string): KafkaError {
  // What could have been mended was not, again and again: another attempt may find the log at rest.
  const type = isErrorName(reason) ? reason : 'LEADER_NOT_AVAILABLE'
  return new KafkaError(type, `append to ${topic}-${partition} (topic id ${topicId}) was refused: ${reason}`)
}
