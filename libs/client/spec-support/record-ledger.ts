import type { Producer, RecordMetadata } from '../src/types.js'
import type { ReadRecord } from './read-log.js'

interface Entry {
  readonly key: string
  readonly values: string[]
  /** null: rejected; undefined: not settled. */
  answer: RecordMetadata | null | undefined
  readonly error?: unknown
}

/** Keeps account of what was sent and what was answered, and compares it with what the log holds. */
export class RecordLedger {
  readonly #entries: Entry[] = []
  #next = 0
  readonly errors: unknown[] = []

  get sent(): number {
    return this.#next
  }

  get acknowledged(): number {
    return this.#entries.reduce((sum, { answer, values }) => sum + (answer ? values.length : 0), 0)
  }

  /** Sends records of one key; never rejects. Values are numbered in the order of sending. */
  async send(
    producer: Pick<Producer, 'send'>,
    topic: string,
    key: string,
    count: number,
    compression?: 1,
  ): Promise<void> {
    const values = Array.from({ length: count }, () => String(this.#next++))
    const entry: Entry = { key, values, answer: undefined }
    this.#entries.push(entry)
    try {
      const messages = values.map((value) => ({ key, value }))
      const [metadata] = await producer.send({ topic, messages, ...(compression === undefined ? {} : { compression }) })
      entry.answer = metadata ?? null
    } catch (error) {
      entry.answer = null
      this.errors.push(error)
    }
  }

  /**
   * What is wrong with the log: what was acknowledged is there once, in order, at the answered offset; nothing is there
   * twice; offsets are dense. No problems: an empty list.
   */
  problems(logs: readonly (readonly ReadRecord[])[]): string[] {
    const problems: string[] = []
    for (const [partition, records] of logs.entries()) {
      const last = new Map<string | null, number>()
      for (const [expected, { key, value, offset }] of records.entries()) {
        if (offset !== expected) problems.push(`${partition}: offset ${offset} where ${expected} should be`)
        // Values of a key grow: a repetition would not, nor would a record that overtook another.
        const known = last.get(key) ?? -1
        if (Number(value) <= known) problems.push(`${partition}@${offset}: ${key} has ${value} after ${known}`)
        last.set(key, Number(value))
      }
    }
    for (const { key, values, answer } of this.#entries) {
      if (answer === undefined) problems.push(`${key} ${values.join()}: neither acknowledged nor refused`)
      if (!answer) continue
      const base = Number(answer.baseOffset)
      const stored = logs[answer.partition]
        ?.slice(base, base + values.length)
        .map((record) => `${record.key} ${record.value}`)
      const sent = values.map((value) => `${key} ${value}`)
      if (stored?.join() !== sent.join())
        problems.push(`${answer.partition}@${base}: ${stored?.join()} for ${sent.join()}`)
    }
    return problems
  }
}
