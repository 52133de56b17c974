/** Where a handler waits until a spec lets it go on. */
export class Gate {
  readonly passed: Promise<void>
  #open: () => void = () => undefined

  constructor() {
    this.passed = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }
}
