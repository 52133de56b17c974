import type { Sink } from '../peers/peer.js'
import { WrongResult } from './work.js'

/** Counts what handlers get, and tells when so much is there. */
export class Receipt implements Sink {
  #records = 0
  #bytes = 0
  #awaited = Infinity
  #reached = (): void => {}
  #first = 0
  #firstRecords = 0
  #last = 0
  #fault: WrongResult | null = null
  readonly #seen: boolean[][] = []

  constructor(readonly checking: boolean) {}

  /** From the first call of the handler to the last one awaited: what came in the first call does not count. */
  get rate(): number {
    return ((this.#records - this.#firstRecords) / (this.#last - this.#first)) * 1000
  }

  take(records: number, valueBytes: number): void {
    if (this.#records === 0) {
      this.#first = performance.now()
      this.#firstRecords = records
    }
    this.#records += records
    this.#bytes += valueBytes
    if (this.#records >= this.#awaited) {
      this.#last = performance.now()
      this.#awaited = Infinity
      this.#reached()
    }
  }

  at(partition: number, offset: string): void {
    const seen = (this.#seen[partition] ??= [])
    const index = Number(offset)
    if (seen[index] === true) this.#fault = new WrongResult(`Offset ${offset} of partition ${partition} came twice`)
    seen[index] = true
  }

  /** Resolves when so many records came since the beginning. @throws WrongResult when that takes too long */
  async until(records: number, seconds: number): Promise<void> {
    if (this.#records >= records) return
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#awaited = records
        this.#reached = resolve
        const tooLate = (): void =>
          reject(new WrongResult(`${this.#records} of ${records} records came in ${seconds} s`))
        timer = setTimeout(tooLate, seconds * 1000)
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** @throws WrongResult when other records or bytes came than were sent, or the same twice */
  check(records: number, bytes: number): void {
    if (this.#fault !== null) throw this.#fault
    if (this.#records !== records) throw new WrongResult(`${this.#records} records came, ${records} were sent`)
    if (this.#bytes !== bytes) throw new WrongResult(`Values of ${this.#bytes} bytes came, ${bytes} were sent`)
  }
}
