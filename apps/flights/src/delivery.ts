import { parseRecord } from './flight.js'
import { Ledger, shorten } from './ledger.js'
import { DelayStatistics } from './statistics.js'

interface Message {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly offset: string
}

/** What came back: each record is looked at, and added to the statistics. */
export class Delivery {
  readonly received = new Ledger()
  readonly statistics = new DelayStatistics()
  readonly #faults: string[] = []

  take({ key, value, offset }: Message, partition: number): void {
    const fault =
      key === null || value === null ? 'a record without key or value' : this.#account(key.toString(), value)
    if (fault !== null) this.#faults.push(`partition ${partition}, offset ${offset}: ${fault}`)
  }

  /**
   * Compares what came back with what was sent.
   *
   * @returns what is wrong, in sentences; none: every record came exactly once, unchanged, in the order of its key
   */
  faults(sent: Ledger): string[] {
    return [...shorten(this.#faults), ...shorten(sent.differences(this.received))]
  }

  #account(key: string, value: Buffer): string | null {
    const expected = this.received.next(key)
    this.received.add(key, value)
    try {
      const flight = parseRecord(value.toString())
      this.statistics.add(flight)
      if (flight.origin !== key) return `a flight from ${flight.origin} has the key ${key}`
      return flight.seq === expected ? null : `flight ${flight.seq} of ${key} came where ${expected} was expected`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}
