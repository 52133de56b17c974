/**
 * The namespace's memory ceiling. Each shard counts the bytes that it was granted (`granted`) and what is left of them
 * (`left`), in one hash beside its partitions, so that an append takes from it without asking anyone. The difference is
 * what the shard holds, and what its partitions have taken for their next batches (up to 64 KiB each, while the shard has
 * plenty). An append for which too little is left asks here for room and gets a part of what is left below the ceiling.
 * What other shards were granted counts, used or not: they take it without asking. Where too little is left below the
 * ceiling, grants that are not used are withdrawn first, and then the oldest segments of topics that allow it are dropped.
 *
 * Two clients that grant two shards at the same moment can together grant more than is left: by at most one grant, which
 * is a fraction of what is left; the next sum sees it.
 */
import { KafkaError, type TopicConfig } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import type { Keyspace } from '../keys.js'
import { grantRoom } from '../scripts/grant-room.js'
import type { PartitionLog } from './partition-log.js'
import type { Partition, PartitionDescription } from './types.js'

export interface CeilingParts {
  readonly connection: Connection
  readonly keyspace: Keyspace
  readonly log: PartitionLog
  /** The ceiling, in bytes. */
  readonly maxBytes: () => Promise<number>
  /** Every partition of the namespace with its topic's configuration. */
  readonly partitions: () => Promise<readonly { readonly partition: Partition; readonly config: TopicConfig }[]>
}

/** Of a shard, in bytes. */
interface Counters {
  readonly granted: number
  /** May be below 0: what was withdrawn was used at the same moment. */
  readonly left: number
}

const NOTHING: Counters = { granted: 0, left: 0 }

export class Ceiling {
  readonly #granting = new Map<number, Promise<void>>()
  /** Ends with the last grant begun: one at a time, each sees the ones before it. */
  #last: Promise<void> = Promise.resolve()

  constructor(private readonly parts: CeilingParts) {}

  /**
   * Grants a shard so much that `bytes` more fit.
   * Throws KafkaError NAMESPACE_FULL where the ceiling is reached and nothing may be dropped.
   */
  async makeRoom(shard: number, bytes: number): Promise<void> {
    // Appends of several partitions run out of room together: one asks for all, the others look again.
    const running = this.#granting.get(shard)
    if (running !== undefined) return running
    const granting = this.#last.then(() => this.#grant(shard, bytes)).finally(() => this.#granting.delete(shard))
    this.#granting.set(shard, granting)
    this.#last = granting.catch(() => undefined)
    return granting
  }

  async #grant(shard: number, bytes: number): Promise<void> {
    const { connection, keyspace, maxBytes } = this.parts
    const key = keyspace.shards()[shard]
    if (key === undefined) throw new RangeError(`shard ${shard} does not exist`)
    const ceiling = await maxBytes()
    let counters = await this.#counters()
    let left = ceiling - committed(counters, shard)
    if (left < bytes) {
      await this.#withdraw(counters, shard)
      counters = await this.#counters()
      left = ceiling - committed(counters, shard)
    }
    if (left < bytes) {
      await this.#dropOldest(bytes - left)
      counters = await this.#counters()
      left = ceiling - committed(counters, shard)
    }
    if (left < bytes) {
      throw new KafkaError(
        'NAMESPACE_FULL',
        `namespace ${keyspace.namespace} holds ${ceiling - left} bytes of its ${ceiling} (max.bytes): ${bytes} more do not ` +
          'fit. Raise max.bytes, shorten retention, or set memory.policy=delete-oldest on topics whose oldest records may go',
      )
    }
    const free = ceiling - counters.reduce((sum, own) => sum + held(own), 0)
    const grant = Math.max(bytes, Math.min(left, Math.floor(free / (2 * counters.length))))
    const own = counters[shard] ?? NOTHING
    await grantRoom(connection, key, grant - own.left, own.granted)
  }

  /** By shard. */
  async #counters(): Promise<Counters[]> {
    const { connection, keyspace } = this.parts
    const rows = await connection.command((client) =>
      Promise.all(keyspace.shards().map((key) => client.hmget(key, 'granted', 'left'))),
    )
    return rows.map(([granted, left]) => ({ granted: Number(granted ?? 0), left: Number(left ?? 0) }))
  }

  /** Takes back what the other shards were granted and have not used. */
  async #withdraw(counters: readonly Counters[], shard: number): Promise<void> {
    const { connection, keyspace } = this.parts
    await Promise.all(
      keyspace.shards().map(async (key, i) => {
        const { granted, left } = counters[i] ?? NOTHING
        if (i !== shard && left > 0) await grantRoom(connection, key, -left, granted)
      }),
    )
  }

  /** Drops the oldest segments of the topics that allow it, until so many bytes are free or nothing may go. */
  async #dropOldest(bytes: number): Promise<void> {
    const { log, partitions } = this.parts
    const allowed = (await partitions()).filter(({ config }) => config.memoryPolicy === 'delete-oldest')
    const described = await log.describeAll(allowed.map(({ partition }) => partition))
    const queue = described.filter((item): item is PartitionDescription => !(item instanceof KafkaError))
    const segments = queue
      .flatMap(({ partition, segments: all }) => all.map((segment) => ({ partition, segment })))
      .filter(({ segment }) => segment.bytes > 0)
      // A partition's own segments stay in order: a younger one with older timestamps takes the older one along.
      .toSorted((a, b) => a.segment.maxTimestamp - b.segment.maxTimestamp)
    let freed = 0
    for (const { partition, segment } of segments) {
      if (freed >= bytes) return
      if (segment.active) await log.roll(partition, segment.number)
      await log.deleteRecords(partition, segment.endOffset)
      freed += segment.bytes
    }
  }
}

/** What all shards hold or may take without asking; of the one that asks only what it holds. */
function committed(counters: readonly Counters[], asking: number): number {
  return counters.reduce((sum, own, i) => sum + held(own) + (i === asking ? 0 : Math.max(0, own.left)), 0)
}

function held({ granted, left }: Counters): number {
  return granted - left
}
