/**
 * What is done with a partition's log besides appending and reading: describing it, looking for a timestamp, deleting
 * records, retention. One instance serves all partitions, over one shared connection.
 */
import type { KafkaError, TopicConfig } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import { toKafkaError } from '../connection/server-errors.js'
import type { Keyspace } from '../keys.js'
import { Script } from '../scripts/script.js'
import { decodeDescription } from './description.js'
import { firstRecordAtOrAfter, type OffsetAndTimestamp } from './first-record.js'
import { decideRetention } from './retention.js'
import type { StreamEntry } from './stream-entry.js'
import type { Partition, PartitionDescription } from './types.js'

const advanceScript = new Script('advance-log-start')
const createScript = new Script('create-partition')
const deleteScript = new Script('delete-partition')
const describeScript = new Script('describe-partition')
const dropScript = new Script('drop-deleted')
const findScript = new Script('find-timestamp')
const rollScript = new Script('roll-segment')

/** A step of dropping records is sized so that the server is held for about this long. */
const DROP_STEP_MS = 2
const DROP_ENTRIES = { least: 8, most: 1024 }

export class PartitionLog {
  constructor(
    private readonly connection: Connection,
    private readonly keyspace: Keyspace,
    /** Whether leader epochs are kept: INFO is permitted. */
    private readonly epochsKept: boolean,
  ) {}

  /** Makes an empty partition; nothing happens where it exists. */
  async create(partition: Partition): Promise<void> {
    const keys = this.keyspace.of(partition)
    const all = [keys.state, keys.producers, keys.epochs, keys.segments, keys.log(0)]
    await this.connection.run(createScript, all, [this.#epochsFlag])
  }

  /** Deletes a partition and all that it holds; nothing happens where there is none. */
  async delete(partition: Partition): Promise<void> {
    const keys = this.keyspace.of(partition)
    let [oldest, active] = [0, 0]
    for (;;) {
      const logs = Array.from({ length: active - oldest + 1 }, (_, i) => keys.log(oldest + i))
      const all = [keys.shard, keys.state, keys.producers, keys.epochs, keys.segments, ...logs]
      const range = (await this.connection.run(deleteScript, all, [oldest, active])) as [number, number] | null
      if (range === null) return
      ;[oldest, active] = range
    }
  }

  /** Throws KafkaError UNKNOWN_TOPIC_ID where there is no such partition. */
  async describe(partition: Partition): Promise<PartitionDescription> {
    const keys = this.keyspace.of(partition)
    const reply = await this.connection.runForBuffers(
      describeScript,
      [keys.state, keys.segments, keys.epochs],
      [this.#epochsFlag],
    )
    return decodeDescription(partition, reply)
  }

  /** Descriptions in the order asked for; an error stands for the partition that it concerns. */
  async describeAll(partitions: readonly Partition[]): Promise<(PartitionDescription | KafkaError)[]> {
    return Promise.all(partitions.map((partition) => this.describe(partition).catch((error) => toKafkaError(error))))
  }

  /**
   * The earliest record whose timestamp is at least `timestamp` (ms); null: every record is older.
   * Mirrors Kafka's ListOffsets by timestamp.
   */
  async offsetForTimestamp(partition: Partition, timestamp: number): Promise<OffsetAndTimestamp | null> {
    const description = await this.describe(partition)
    const keys = this.keyspace.of(partition)
    for (const segment of description.segments) {
      if (segment.maxTimestamp < timestamp || segment.endOffset <= description.logStartOffset) continue
      const from = Math.max(segment.baseOffset, description.logStartOffset)
      const entry = (await this.connection.runForBuffers(
        findScript,
        [keys.log(segment.number)],
        [timestamp, from, segment.endOffset],
      )) as StreamEntry | null
      const found = await firstRecordAtOrAfter(entry, timestamp, description.logStartOffset)
      if (found !== null) return found
    }
    return null
  }

  /**
   * Deletes every record below an offset; -1: all of them. Answers the new log start offset.
   * Throws KafkaError OFFSET_OUT_OF_RANGE for an offset past the log's end. Mirrors Kafka's DeleteRecords.
   */
  async deleteRecords(partition: Partition, before: number): Promise<number> {
    const keys = this.keyspace.of(partition)
    const start = Number(await this.connection.run(advanceScript, [keys.state], [before]))
    await this.#dropDeleted(partition)
    return start
  }

  /** Lets go what the topic's `retention.ms` and `retention.bytes` no longer keep. `now`: ms. */
  async applyRetention(
    partition: Partition,
    config: Pick<TopicConfig, 'retentionMs' | 'retentionBytes'>,
    now = Date.now(),
  ): Promise<void> {
    const description = await this.describe(partition)
    const verdict = decideRetention(description, config, now)
    if (verdict.rollFirst) {
      const active = description.segments.at(-1)
      if (active !== undefined) await this.roll(partition, active.number)
    }
    if (verdict.logStartOffset !== null) await this.deleteRecords(partition, verdict.logStartOffset)
  }

  /** Seals the active segment, if it is still the one named and not empty. Answers the active segment's number. */
  async roll(partition: Partition, segment: number): Promise<number> {
    const keys = this.keyspace.of(partition)
    const all = [keys.state, keys.segments, keys.log(segment), keys.log(segment + 1)]
    return Number(await this.connection.run(rollScript, all, [segment]))
  }

  async #dropDeleted(partition: Partition): Promise<void> {
    const keys = this.keyspace.of(partition)
    let [oldest, more, entries] = [0, 1, DROP_ENTRIES.least]
    while (more === 1) {
      const since = performance.now()
      const reply = await this.connection.run(
        dropScript,
        [keys.shard, keys.state, keys.segments, keys.log(oldest)],
        [oldest, entries],
      )
      ;[oldest, more] = reply as [number, number]
      const short = performance.now() - since < DROP_STEP_MS
      entries = Math.min(DROP_ENTRIES.most, Math.max(DROP_ENTRIES.least, short ? entries * 2 : entries >> 1))
    }
  }

  get #epochsFlag(): 0 | 1 {
    return this.epochsKept ? 1 : 0
  }
}
