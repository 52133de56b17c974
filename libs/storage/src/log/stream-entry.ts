/**
 * One entry of a segment's stream:
 *
 *     0-<offset after the last record>   b  the record batch, as its producer made it
 *                                        e  the leader epoch that it was written under, as in the partition's state
 *                                        t  the log's timestamp, ms, where the topic asks for it
 *                                        m  the segment's largest timestamp so far, ms, where the batch's own is less
 *     1-0                                s  the number of the segment that follows: this one is sealed
 *
 * A field in lower case that a reader does not know is skipped; one in upper case is an error.
 */
import { readLeaderEpoch } from './partition-state.js'
import type { LeaderEpoch, StoredBatch } from './types.js'

export type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]]

export interface EntryFields {
  batch?: Buffer
  epoch?: LeaderEpoch
  /** The time that the log gave the batch; -1: none. */
  appendTime: number
  /** Of the marker that seals a segment: the next one's number. */
  next?: number
  /** A field that a reader must understand and this one does not. */
  unknown?: string
}

export function entryFields(fields: readonly Buffer[]): EntryFields {
  const entry: EntryFields = { appendTime: -1 }
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]
    const value = fields[i + 1]
    if (name === undefined || value === undefined) break
    // A text of one letter is not made anew.
    const letter = String.fromCharCode(name[0] ?? 0)
    if (letter >= 'A' && letter <= 'Z') entry.unknown = name.toString('latin1')
    else if (name.length > 1) continue
    else if (letter === 'b') entry.batch = value
    else if (letter === 'e') entry.epoch = readLeaderEpoch(value, 0)
    else if (letter === 't') entry.appendTime = Number(value.toString('latin1'))
    else if (letter === 's') entry.next = Number(value.toString('latin1'))
  }
  return entry
}

export function entryEnd(id: Buffer): number {
  return Number(id.toString('latin1', 2))
}

/** `<number>.<replication id>`, as the epoch history has it. */
export function parseLeaderEpoch(text: string): LeaderEpoch {
  const dot = text.indexOf('.')
  return { number: Number(text.slice(0, dot)), replicationId: text.slice(dot + 1) }
}

export function storedBatch(
  bytes: Buffer,
  endOffset: number,
  leaderEpoch: LeaderEpoch,
  appendTime: number,
): StoredBatch {
  // lastOffsetDelta, at byte 23 of the batch's header
  return { bytes, baseOffset: endOffset - bytes.readInt32BE(23) - 1, endOffset, leaderEpoch, appendTime }
}
