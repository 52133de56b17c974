import { crc32 } from 'node:zlib'

interface Entry {
  count: number
  /** CRC-32 of the values, one after the other. */
  checksum: number
}

/** How many differences are told one by one. */
const TOLD = 5

/**
 * Keeps account of values by their keys: how many there were, and a checksum over all of them in their order. What was
 * sent and what came back is the same if the two ledgers are.
 */
export class Ledger {
  readonly #entries = new Map<string, Entry>()
  #count = 0
  #bytes = 0

  get count(): number {
    return this.#count
  }

  /** Of the values. */
  get bytes(): number {
    return this.#bytes
  }

  get keys(): number {
    return this.#entries.size
  }

  /** The number that the key's next value has: how many it has had so far. */
  next(key: string): number {
    return this.#entries.get(key)?.count ?? 0
  }

  add(key: string, value: Buffer): void {
    let entry = this.#entries.get(key)
    if (entry === undefined) this.#entries.set(key, (entry = { count: 0, checksum: 0 }))
    entry.count++
    entry.checksum = crc32(value, entry.checksum)
    this.#count++
    this.#bytes += value.length
  }

  /** One checksum over all keys: 8 hexadecimal digits. */
  checksum(): string {
    const lines = [...this.#entries].map(([key, { count, checksum }]) => `${key} ${count} ${checksum}\n`)
    return crc32(lines.sort().join('')).toString(16).padStart(8, '0')
  }

  /** How what came back differs from this, in sentences; none: it does not. */
  differences(back: Ledger): string[] {
    const found: string[] = []
    for (const key of new Set([...this.#entries.keys(), ...back.#entries.keys()])) {
      const [sent, came] = [this.#entries.get(key), back.#entries.get(key)]
      if (sent?.count !== came?.count)
        found.push(`${key}: ${sent?.count ?? 0} were sent, ${came?.count ?? 0} came back`)
      else if (sent?.checksum !== came?.checksum) found.push(`${key}: what came back is not what was sent`)
    }
    return shorten(found)
  }
}

/** The first few sentences, and how many more there are. */
export function shorten(sentences: readonly string[]): string[] {
  const more = sentences.length - TOLD
  return more > 0 ? [...sentences.slice(0, TOLD), `and ${more} more`] : [...sentences]
}
