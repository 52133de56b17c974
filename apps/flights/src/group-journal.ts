import { formatSeconds, formatTable } from './format.js'

/** A moment of the group: what each reader owned from then on. */
interface Entry {
  /** ms */
  readonly time: number
  /** By the reader's name; null: it was killed. Readers that have not begun are not in it. */
  owned: ReadonlyMap<string, readonly number[] | null>
}

/** Changes that follow each other this closely (ms) are shown as one: partitions on their way from one to the other. */
const AT_ONCE = 40

/** Keeps account of who owned which partitions, when. */
export class GroupJournal {
  readonly #entries: Entry[] = []
  readonly #names: string[] = []

  /** @param now in ms, 0 = the beginning */
  constructor(private readonly now: () => number) {}

  /** What the reader owns at the moment. */
  current(reader: string): readonly number[] {
    return this.#entries.at(-1)?.owned.get(reader) ?? []
  }

  /** @param partitions null: it was killed; what it had said before may still come, and counts no more */
  owns(reader: string, partitions: readonly number[] | null): void {
    if (!this.#names.includes(reader)) this.#names.push(reader)
    const time = this.now()
    const last = this.#entries.at(-1)
    if (last?.owned.get(reader) === null) return
    const owned = new Map(last?.owned).set(reader, partitions)
    if (last !== undefined && partitions !== null && time - last.time < AT_ONCE) last.owned = owned
    else this.#entries.push({ time, owned })
  }

  /** A column for each reader, a row for each change. */
  table(): string[] {
    return formatTable(
      [{ title: 'From', align: 'right' }, ...this.#names.map((title) => ({ title }))],
      this.#entries.map(({ time, owned }) => [
        formatSeconds(time),
        ...this.#names.map((name) => {
          const partitions = owned.get(name)
          if (partitions === undefined) return ''
          return partitions === null ? 'killed' : formatRanges(partitions)
        }),
      ]),
    )
  }
}

/** 0–3, 7 */
export function formatRanges(numbers: readonly number[]): string {
  const ranges: { from: number; to: number }[] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && number === last.to + 1) last.to = number
    else ranges.push({ from: number, to: number })
  }
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}–${to}`)).join(', ') || '–'
}
