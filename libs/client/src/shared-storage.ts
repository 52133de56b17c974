import type { Storage } from '@rivulet/storage'
import { isError, KafkaJSNonRetriableError, toKafkaJSError } from './errors.js'

/** All of a Storage that the sharing itself uses. */
type Closable = Pick<Storage, 'close'>

interface Slot<S> {
  readonly opening: Promise<S>
  readonly abort: AbortController
  users: number
}

/**
 * One Storage for all producers, consumers and admins of a Kafka instance: it is opened by the first that needs it and
 * closed by the last that lets go.
 */
export class SharedStorage<S extends Closable = Storage> {
  readonly #open: (signal: AbortSignal) => Promise<S>
  #slot: Slot<S> | undefined

  /**
   * @param open connects; called for the first user, and again after a failure or after all have let go. The signal
   *   tells it that nobody waits for it any longer
   */
  constructor(open: (signal: AbortSignal) => Promise<S>) {
    this.#open = open
  }

  /**
   * The storage, connected. Whoever gets one owes one `release()`; a failed call owes nothing. Callers at the same time
   * share the attempt to connect; after a failure the next call tries anew.
   *
   * @param signal gives up waiting: the call is rejected with the signal's reason
   * @throws KafkaJSError: what came of connecting
   */
  async acquire(signal?: AbortSignal): Promise<S> {
    signal?.throwIfAborted()
    const slot = (this.#slot ??= this.#openSlot())
    slot.users++
    try {
      return await (signal === undefined ? slot.opening : raceAbort(slot.opening, signal))
    } catch (error) {
      if (signal?.aborted === true) {
        void this.#leave(slot)
        throw reasonOf(signal)
      }
      // The first of those who shared the attempt clears it away; a newer attempt may already be in its place.
      if (this.#slot === slot) this.#slot = undefined
      throw toKafkaJSError(error)
    }
  }

  /** Lets go of the storage; the last one closes it. Takes no longer than the storage's own close (1 s). */
  async release(): Promise<void> {
    if (this.#slot !== undefined) await this.#leave(this.#slot)
  }

  #openSlot(): Slot<S> {
    const abort = new AbortController()
    return { opening: this.#open(abort.signal), abort, users: 0 }
  }

  async #leave(slot: Slot<S>): Promise<void> {
    slot.users--
    if (slot.users > 0) return
    if (this.#slot === slot) this.#slot = undefined
    slot.abort.abort()
    const storage = await slot.opening.catch(() => undefined)
    await storage?.close()
  }
}

/** The promise's outcome, or the rejection with the signal's reason if that comes first. */
function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(reasonOf(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function reasonOf({ reason }: AbortSignal): Error {
  return isError(reason) ? reason : new KafkaJSNonRetriableError('Connecting was given up')
}
