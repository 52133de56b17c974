/**
 * What is done with a partition's log besides appending and reading: describing it, looking for a timestamp, deleting
 * records, retention. One instance serves all partitions, over one shared connection.
 */
import type { KafkaError, TopicConfig } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import { toKafkaError } from '../connection/server-errors.js'
import type { Keyspace } from '../keys.js'
import { advanceLogStart } from '../scripts/advance-log-start.js'
import { createPartition } from '../scripts/create-partition.js'
import { deletePartition, type SegmentRange } from '../scripts/delete-partition.js'
import { describePartition } from '../scripts/describe-partition.js'
import { dropDeleted } from '../scripts/drop-deleted.js'
import { findTimestamp } from '../scripts/find-timestamp.js'
import { rollSegment } from '../scripts/roll-segment.js'
import { firstRecordAtOrAfter, type OffsetAndTimestamp } from './first-record.js'
import { decideRetention } from './retention.js'
import { entryEnd, type StreamEntry } from './stream-entry.js'
import type { Partition, PartitionDescription } from './types.js'

/** A step of dropping records is sized so that the server is held for about this long. */
const DROP_STEP_MS = 2
const DROP_ENTRIES = { least: 8, most: 1024 }
/** Entries read at a time where they must be looked at one by one. */
const SCAN_ENTRIES = 16

export class PartitionLog {
  constructor(
    private readonly connection: Connection,
    private readonly keyspace: Keyspace,
    /** Whether leader epochs are kept: INFO is permitted. */
    readonly epochsKept: boolean,
  ) {}

  /** Makes an empty partition; nothing happens where it exists. */
  create(partition: Partition): Promise<void> {
    return createPartition(this.connection, this.keyspace.of(partition), this)
  }

  /** Deletes a partition and all that it holds; nothing happens where there is none. */
  async delete(partition: Partition): Promise<void> {
    const keys = this.keyspace.of(partition)
    let range: SegmentRange | null = { oldest: 0, active: 0 }
    while (range !== null) range = await deletePartition(this.connection, keys, range)
  }

  /** Throws KafkaError UNKNOWN_TOPIC_ID where there is no such partition. */
  describe(partition: Partition): Promise<PartitionDescription> {
    return describePartition(this.connection, partition, this.keyspace.of(partition), this)
  }

  /** Descriptions in the order asked for; an error stands for the partition that it concerns. */
  async describeAll(partitions: readonly Partition[]): Promise<(PartitionDescription | KafkaError)[]> {
    return Promise.all(
      partitions.map((partition) => this.describe(partition).catch((error: unknown) => toKafkaError(error))),
    )
  }

  /**
   * The earliest record whose timestamp is at least `timestamp` (ms); null: every record is older.
   * Mirrors Kafka's ListOffsets by timestamp.
   */
  async offsetForTimestamp(partition: Partition, timestamp: number): Promise<OffsetAndTimestamp | null> {
    const description = await this.describe(partition)
    const keys = this.keyspace.of(partition)
    for (const { number, baseOffset, endOffset, maxTimestamp } of description.segments) {
      if (maxTimestamp < timestamp || endOffset <= description.logStartOffset) continue
      const fromOffset = Math.max(baseOffset, description.logStartOffset)
      const entry = await findTimestamp(this.connection, keys, { segment: number, timestamp, fromOffset, endOffset })
      const found =
        (await firstRecordAtOrAfter(entry, timestamp, description.logStartOffset)) ??
        (entry === null ? null : await this.#firstRecordAfter(entry, keys.log(number), timestamp))
      if (found !== null) return found
    }
    return null
  }

  /**
   * Deletes every record below an offset; -1: all of them. Answers the new log start offset.
   * Throws KafkaError OFFSET_OUT_OF_RANGE for an offset past the log's end. Mirrors Kafka's DeleteRecords.
   */
  async deleteRecords(partition: Partition, before: number): Promise<number> {
    const start = await advanceLogStart(this.connection, this.keyspace.of(partition), before)
    await this.#dropDeleted(partition)
    return start
  }

  /**
   * Lets go what the topic's `retention.ms` and `retention.bytes` no longer keep. `now`: ms; the server's clock, so that
   * no client whose own is fast deletes what the others still want.
   */
  async applyRetention(
    partition: Partition,
    config: Pick<TopicConfig, 'retentionMs' | 'retentionBytes'>,
    now?: number,
  ): Promise<void> {
    const [description, serverTime] = await Promise.all([this.describe(partition), now ?? this.#serverTime()])
    const verdict = decideRetention(description, config, serverTime)
    if (verdict.rollFirst) {
      const active = description.segments.at(-1)
      if (active !== undefined) await this.roll(partition, active.number)
    }
    if (verdict.logStartOffset !== null) await this.deleteRecords(partition, verdict.logStartOffset)
  }

  /** Seals the active segment, if it is still the one named and not empty. Answers the active segment's number. */
  roll(partition: Partition, segment: number): Promise<number> {
    return rollSegment(this.connection, this.keyspace.of(partition), segment)
  }

  async #serverTime(): Promise<number> {
    const [seconds] = await this.connection.command((client) => client.time())
    return Number(seconds) * 1000
  }

  /**
   * Looks at one entry after another. For when the entry that the search found has no such record: then it was one deleted
   * since that had so late a timestamp, and the running maximum tells nothing of what follows.
   */
  async #firstRecordAfter(entry: StreamEntry, log: string, timestamp: number): Promise<OffsetAndTimestamp | null> {
    let after = entryEnd(entry[0])
    for (;;) {
      const entries = await this.connection.command((client) =>
        client.xrangeBuffer(log, `0-${after + 1}`, '(1-0', 'COUNT', SCAN_ENTRIES),
      )
      for (const next of entries) {
        after = entryEnd(next[0])
        const found = await firstRecordAtOrAfter(next, timestamp, 0)
        if (found !== null) return found
      }
      if (entries.length < SCAN_ENTRIES) return null
    }
  }

  async #dropDeleted(partition: Partition): Promise<void> {
    const keys = this.keyspace.of(partition)
    let step = { oldest: 0, more: true }
    let entries = DROP_ENTRIES.least
    while (step.more) {
      const since = performance.now()
      step = await dropDeleted(this.connection, keys, { oldest: step.oldest, entries })
      const isShort = performance.now() - since < DROP_STEP_MS
      entries = Math.min(DROP_ENTRIES.most, Math.max(DROP_ENTRIES.least, isShort ? entries * 2 : entries >> 1))
    }
  }
}
