export type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]]

export interface EntryFields {
  batch?: Buffer
  epoch?: string
  /** The time that the log gave the batch; -1: none. */
  appendTime: number
  /** Of the marker that seals a segment: the next one's number. */
  next?: number
  /** A field that a reader must understand and this one does not. */
  unknown?: string
}

/**
 * One stream entry:
 *
 *     0-<offset after the last record>   b  the record batch, as its producer made it
 *                                        e  the leader epoch that it was written under: <number>.<replication id>
 *                                        t  the log's timestamp, ms, where the topic asks for it
 *                                        m  the segment's largest timestamp so far, ms, where the batch's own is less
 *     1-0                                s  the number of the segment that follows: this one is sealed
 *
 * A field in lower case that a reader does not know is skipped; one in upper case is an error.
 */
export function entryFields(fields: readonly Buffer[]): EntryFields {
  const entry: EntryFields = { appendTime: -1 }
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] as Buffer).toString('latin1')
    const value = fields[i + 1] as Buffer
    if (name === 'b') entry.batch = value
    else if (name === 'e') entry.epoch = value.toString('latin1')
    else if (name === 't') entry.appendTime = Number(value.toString('latin1'))
    else if (name === 's') entry.next = Number(value.toString('latin1'))
    else if (/^[A-Z]/.test(name)) entry.unknown = name
  }
  return entry
}

export function entryEnd(id: Buffer): number {
  return Number(id.toString('latin1').slice(2))
}
