import { expect } from '@jest/globals'

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

  /** What was acknowledged is there once, in order, at the answered offset; nothing is there twice; offsets are dense. */
  check(logs: readonly ReadRecord[][]): void {
    for (const [partition, records] of logs.entries()) {
      const offsets = records.map(({ offset }) => offset)
      expect({ partition, dense: offsets.every((offset, i) => offset === i) }).toEqual({ partition, dense: true })
      const last = new Map<string | null, number>()
      for (const { key, value, offset } of records) {
        // Values of a key grow: a repetition would not, nor would a record that overtook another.
        const known = last.get(key) ?? -1
        if (Number(value) <= known) {
          expect({ partition, offset, key, value }).toBe(`a value above ${known}`)
        }
        last.set(key, Number(value))
      }
    }
    for (const { key, values, answer } of this.#entries) {
      expect(answer).not.toBeUndefined()
      if (!answer) continue
      const base = Number(answer.baseOffset)
      const stored = logs[answer.partition]?.slice(base, base + values.length)
      const found = stored?.map((record) => `${record.key} ${record.value}`)
      expect(found).toEqual(values.map((value) => `${key} ${value}`))
    }
  }
}
