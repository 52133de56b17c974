import { within } from './within.js'

/** How a call went. `late`: it has not ended within the limit, and goes on. */
export type CallOutcome = 'ended' | 'late' | 'closed'

/**
 * Calls a listener in order. A call that holds up the others is waited for before the next one begins, for as long as the
 * limit says; what a call throws is reported, whenever it does.
 */
export class ListenerQueue {
  #last: Promise<unknown> = Promise.resolve()
  readonly #closing = new AbortController()

  /**
   * @param limit ms
   * @param onError a call has thrown
   * @param onLate a call that holds up the others takes longer than that
   */
  constructor(
    private readonly limit: number,
    private readonly onError: (error: unknown) => void,
    private readonly onLate: () => void,
  ) {}

  /** @param holdsUp whether later calls wait for this one's end, and not only for its beginning */
  add(call: () => void | Promise<void>, { holdsUp = true } = {}): Promise<CallOutcome> {
    const begun = this.#last.then(() => (this.#closing.signal.aborted ? null : { end: this.#call(call) }))
    const outcome = begun.then(async (running): Promise<CallOutcome> => {
      if (running === null) return 'closed'
      return (await within(running.end, this.limit, this.#closing.signal)) ? 'ended' : 'late'
    })
    this.#last = holdsUp
      ? outcome.then((how) => {
          if (how === 'late') this.onLate()
        })
      : begun
    return outcome
  }

  /** Calls that have not begun are never made, and those under way are waited for no longer. */
  close(): void {
    this.#closing.abort()
  }

  async #call(call: () => void | Promise<void>): Promise<void> {
    try {
      await call()
    } catch (error) {
      if (!this.#closing.signal.aborted) this.onError(error)
    }
  }
}
