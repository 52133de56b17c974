/**
 * The namespace's memory ceiling. Each shard counts the bytes that it holds (`bytes`) and may hold (`limit`), in one
 * hash beside its partitions, so that an append can check them without asking anyone. An append that would exceed the
 * limit asks here for room: the shards' bytes are added up, the oldest segments of topics that allow it are dropped if
 * the sum has reached the ceiling, and the shard gets a part of what is left.
 *
 * Two clients that grant at the same moment can together grant more than is left: by at most one grant, which is a
 * fraction of what is left; the next sum sees it.
 */
import { KafkaError, type TopicConfig } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import type { Keyspace } from '../keys.js'
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

export class Ceiling {
  readonly #granting = new Map<number, Promise<void>>()

  constructor(private readonly parts: CeilingParts) {}

  /**
   * Raises a shard's limit so that `bytes` more fit.
   * Throws KafkaError NAMESPACE_FULL where the ceiling is reached and nothing may be dropped.
   */
  async makeRoom(shard: number, bytes: number): Promise<void> {
    // Appends of several partitions run out of room together: one asks for all, the others look again.
    const running = this.#granting.get(shard)
    if (running !== undefined) return running
    const granting = this.#grant(shard, bytes).finally(() => this.#granting.delete(shard))
    this.#granting.set(shard, granting)
    return granting
  }

  async #grant(shard: number, bytes: number): Promise<void> {
    const { connection, keyspace, maxBytes } = this.parts
    const ceiling = await maxBytes()
    let held = await this.#held()
    let total = sum(held)
    if (total + bytes > ceiling) {
      await this.#dropOldest(total + bytes - ceiling)
      held = await this.#held()
      total = sum(held)
    }
    const left = ceiling - total
    if (left < bytes) {
      throw new KafkaError(
        'NAMESPACE_FULL',
        `namespace ${keyspace.namespace} holds ${total} bytes of its ${ceiling} (max.bytes): ${bytes} more do not fit. ` +
          'Raise max.bytes, shorten retention, or set memory.policy=delete-oldest on topics whose oldest records may go',
      )
    }
    const grant = Math.max(bytes, Math.floor(left / (2 * held.length)))
    const key = keyspace.shards()[shard]
    if (key === undefined) throw new RangeError(`shard ${shard} does not exist`)
    await connection.command((client) => client.hset(key, 'limit', (held[shard] ?? 0) + grant))
  }

  /** Bytes held, by shard. */
  async #held(): Promise<number[]> {
    const { connection, keyspace } = this.parts
    const counters = await connection.command((client) =>
      Promise.all(keyspace.shards().map((key) => client.hget(key, 'bytes'))),
    )
    return counters.map((bytes) => Number(bytes ?? 0))
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
