import { formatSeconds } from './format.js'

/** Times phases that follow each other. */
export class Stopwatch {
  readonly #start: number
  readonly #laps: { readonly name: string; readonly elapsed: number }[] = []
  #last: number

  constructor(private readonly now: () => number = () => performance.now()) {
    this.#start = this.#last = now()
  }

  /** Ends a phase, which began with the last one's end. @returns how long it took, ms */
  lap(name: string): number {
    const now = this.now()
    const elapsed = now - this.#last
    this.#last = now
    this.#laps.push({ name, elapsed })
    return elapsed
  }

  /** `Took 3.2 s: start of Redis 0.2 s, produce 1.9 s, consume 1.1 s` */
  summary(): string {
    const laps = this.#laps.map(({ name, elapsed }) => `${name} ${formatSeconds(elapsed)}`)
    return `Took ${formatSeconds(this.#last - this.#start)}: ${laps.join(', ')}`
  }
}
