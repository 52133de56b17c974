const DEADLINE_MS = 8000

/** Keeps what comes, in order, and waits for more of it. */
export class Journal<T> {
  readonly entries: T[] = []
  readonly #what: string
  readonly #waiting = new Set<() => void>()

  /** @param what what comes, in the plural, as the error of a wait that was in vain names it */
  constructor(what: string) {
    this.#what = what
  }

  note(entry: T): void {
    this.entries.push(entry)
    for (const check of this.#waiting) check()
  }

  /** The first `count` entries, as soon as there are so many. Rejects after 8 s, with the number of those that came. */
  until(count: number): Promise<T[]> {
    return this.untilTrue((entries) => entries.length >= count, `${count} ${this.#what}`).then((entries) =>
      entries.slice(0, count),
    )
  }

  /** The first entry that is as wanted, as soon as there is one. Rejects as `until`. */
  async first(isWanted: (entry: T) => boolean): Promise<T> {
    const entries = await this.untilTrue((all) => all.some(isWanted), `one of certain ${this.#what}`)
    const found = entries.find(isWanted)
    if (found === undefined) throw new Error(`The ${this.#what} are no longer what they were`)
    return found
  }

  /** All entries, as soon as they are as wanted. Rejects as `until`. */
  untilTrue(isEnough: (entries: readonly T[]) => boolean, what: string): Promise<T[]> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!isEnough(this.entries)) return
        clearTimeout(timer)
        this.#waiting.delete(check)
        resolve([...this.entries])
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(check)
        reject(new Error(`Waited ${DEADLINE_MS} ms for ${what}; ${this.entries.length} ${this.#what} came`))
      }, DEADLINE_MS)
      this.#waiting.add(check)
      check()
    })
  }
}
