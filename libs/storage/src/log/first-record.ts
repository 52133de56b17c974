import { RecordBatch } from '@rivulet/protocol'
import { entryEnd, entryFields, type StreamEntry } from './stream-entry.js'

export interface OffsetAndTimestamp {
  readonly offset: number
  /** In ms. */
  readonly timestamp: number
}

/** Of an entry that the timestamp search found: its first record at or after the timestamp, from an offset on. */
export async function firstRecordAtOrAfter(
  entry: StreamEntry | null,
  timestamp: number,
  fromOffset: number,
): Promise<OffsetAndTimestamp | null> {
  if (entry === null) return null
  const [id, fields] = entry
  const { batch, appendTime } = entryFields(fields)
  if (batch === undefined) return null
  const view = RecordBatch.read(batch)
  if ((appendTime === -1 ? view.maxTimestamp : appendTime) < timestamp) return null
  const baseOffset = entryEnd(id) - view.lastOffsetDelta - 1
  const records: OffsetAndTimestamp[] = []
  const raw = await view.records()
  raw.readInto(records, (offset, time) => ({ offset, timestamp: time }), { baseOffset, fromOffset, appendTime })
  return records.find((record) => record.timestamp >= timestamp) ?? null
}
