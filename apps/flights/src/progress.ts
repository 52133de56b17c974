import { formatInteger, formatSeconds, rate } from './format.js'

const BAR = 30
/** Between two pictures of the bar, ms. */
const REDRAW = 100
/** Between two lines where there is no terminal, ms. */
const LINE = 5000

export interface ProgressState {
  /** What is being done. */
  readonly label: string
  readonly done: number
  readonly total: number
  /** So far, ms. */
  readonly elapsed: number
}

/** `Produce  ████████░░░░░░░░  52 %    156,000 flights    412,345/s    0.4 s` */
export function progressLine(state: ProgressState, bar: boolean): string {
  const { label, done, total, elapsed } = state
  const share = total === 0 ? 1 : Math.min(done / total, 1)
  const filled = Math.floor(share * BAR)
  const percent = `${Math.floor(share * 100)} %`.padStart(5)
  const count = formatInteger(done).padStart(formatInteger(total).length)
  const speed = `${formatInteger(rate(done, elapsed))}/s`.padStart(11)
  const picture = bar ? [`${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`] : []
  const figures = [`${count} flights`, speed, formatSeconds(elapsed).padStart(7)]
  return [label.padEnd(7), ...picture, percent, ...figures].join('  ')
}

/** Where progress is shown: process.stdout. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Shows how far a phase is: a bar that moves in a terminal, elsewhere a line now and then. */
export class Progress {
  readonly #start = performance.now()
  #shown = this.#start
  #done = 0

  constructor(
    private readonly label: string,
    readonly total: number,
    private readonly output: ProgressOutput,
  ) {
    if (output.isTTY === true) this.#show('\r')
  }

  get done(): number {
    return this.#done
  }

  add(count: number): void {
    this.#done += count
    const now = performance.now()
    if (now - this.#shown < (this.output.isTTY === true ? REDRAW : LINE)) return
    this.#shown = now
    this.#show(this.output.isTTY === true ? '\r' : '\n')
  }

  /** Shows the end, however far it came. */
  end(): void {
    this.#show('\n')
  }

  #show(lineEnd: string): void {
    const { label, total, output } = this
    const elapsed = performance.now() - this.#start
    const line = progressLine({ label, done: this.#done, total, elapsed }, output.isTTY === true)
    output.write(`${line}${lineEnd}`)
  }
}
