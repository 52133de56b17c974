/** A timer that waits for longer than this waits not at all. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Lets a loop wait for a time or for whoever rings, whichever comes first. A ring while nobody waits is nothing. */
export class Alarm {
  #wake: (() => void) | null = null

  ring(): void {
    this.#wake?.()
  }

  /** @param ms at most so long */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(Math.ceil(ms), LONGEST_TIMER))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = null
  }
}
