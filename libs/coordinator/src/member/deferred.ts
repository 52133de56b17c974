/** A promise that is settled from outside. Nobody need wait for it: its rejection alone ends no process. */
export class Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void

  constructor() {
    let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined
    this.promise = new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
    this.promise.catch(() => undefined)
    this.resolve = () => settle?.resolve()
    this.reject = (error) => settle?.reject(error)
  }
}
