import type { KafkaMessage } from '../types.js'
import type { DecodedBatches } from './decode-batches.js'

/** What an `eachBatch` handler gets: consecutive records of one partition, out of one or more record batches. */
export class Batch {
  readonly topic: string
  readonly partition: number
  /** The end of the log when the batch was fetched: the offset of the next record to be written, in decimal. */
  readonly highWatermark: string
  readonly messages: KafkaMessage[]
  private readonly first: number
  /** The offset after the last record, records that are not shown (control records) included. */
  private readonly end: number
  private readonly logEndOffset: number

  constructor(topic: string, partition: number, logEndOffset: number, decoded: DecodedBatches) {
    this.topic = topic
    this.partition = partition
    // A fetch's idea of the log's end can be older than the records that a later one brought.
    this.logEndOffset = Math.max(logEndOffset, decoded.endOffset)
    this.highWatermark = String(this.logEndOffset)
    this.messages = decoded.messages
    this.first = decoded.firstOffset
    this.end = decoded.endOffset
  }

  /** Whether there is nothing to show. */
  isEmpty(): boolean {
    return this.messages.length === 0
  }

  /** Whether there is nothing at all, records that are not shown included. */
  isEmptyIncludingFiltered(): boolean {
    return this.first === -1
  }

  /** Whether there are records, but none to show. */
  isEmptyDueToFiltering(): boolean {
    return this.isEmpty() && !this.isEmptyIncludingFiltered()
  }

  /** The offset of the first record; null where there is none. */
  firstOffset(): string | null {
    return this.first === -1 ? null : String(this.first)
  }

  /** The offset that is resolved with the whole batch: of its last record, control records included. */
  lastOffset(): string {
    return String(this.end - 1)
  }

  /** How many records the log has beyond this batch. */
  offsetLag(): string {
    return String(this.logEndOffset - this.end)
  }

  /** How many records the log has beyond this batch's first. */
  offsetLagLow(): string {
    return this.first === -1 ? '0' : String(this.logEndOffset - 1 - this.first)
  }
}
