/** An end that somebody waits for, perhaps: a rejection that nobody listens to is no unhandled one. */
export class Termination {
  readonly promise: Promise<void>
  isOver = false
  private settle: (error?: Error) => void = () => undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.settle = (error) => {
        if (error === undefined) resolve()
        else reject(error)
      }
    })
    this.promise.catch(() => undefined)
  }

  static over(): Termination {
    const termination = new Termination()
    termination.resolve()
    return termination
  }

  resolve(): void {
    this.isOver = true
    this.settle()
  }

  reject(error: Error): void {
    this.isOver = true
    this.settle(error)
  }
}
