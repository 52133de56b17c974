import type { Delivery } from './delivery.js'

export interface Arrival {
  readonly partition: number
  /** Of the first record. */
  readonly offset: number
  readonly records: readonly (readonly [key: string, value: string])[]
}

/**
 * Puts together what the members of a group were given. A member that is killed has been given records that it had not
 * committed: its successor is given them again, and they count once. What comes from two processes can come in any order:
 * what is ahead of its turn waits.
 */
export class Arrivals {
  /** The offset that comes next, by partition. */
  readonly #next = new Map<number, number>()
  readonly #ahead = new Map<number, Arrival[]>()
  /** Records that were given again. */
  repeated = 0

  constructor(
    private readonly delivery: Delivery,
    starts: ReadonlyMap<number, number>,
  ) {
    this.#next = new Map(starts)
  }

  /** @returns how many records came for the first time */
  add(arrival: Arrival): number {
    const { partition } = arrival
    const waiting = [...(this.#ahead.get(partition) ?? []), arrival].toSorted((a, b) => a.offset - b.offset)
    let taken = 0
    let first = waiting[0]
    while (first !== undefined && first.offset <= (this.#next.get(partition) ?? 0)) {
      taken += this.#take(first)
      waiting.shift()
      first = waiting[0]
    }
    this.#ahead.set(partition, waiting)
    return taken
  }

  /** What never got its turn: a gap lies before it. */
  faults(): string[] {
    return [...this.#ahead].flatMap(([partition, waiting]) =>
      waiting.map(
        ({ offset }) => `partition ${partition}: offset ${this.#next.get(partition)} never came, ${offset} did`,
      ),
    )
  }

  #take({ partition, offset, records }: Arrival): number {
    const next = this.#next.get(partition) ?? 0
    const known = Math.min(records.length, next - offset)
    this.repeated += known
    for (let i = known; i < records.length; i++) {
      const [key, value] = records[i] ?? []
      this.delivery.take({ key: toBuffer(key), value: toBuffer(value), offset: String(offset + i) }, partition)
    }
    this.#next.set(partition, Math.max(next, offset + records.length))
    return records.length - known
  }
}

const toBuffer = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text))
