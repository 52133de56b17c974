import type { Storage } from '@rivulet/storage'
import { KafkaJSNonRetriableError } from '../errors.js'
import type { SharedStorage } from '../shared-storage.js'
import { within } from '../within.js'

/** How long the connections may take to close, ms. */
const RELEASE_GRACE_MS = 250

/** A consumer's share of the client's storage: taken when it is first needed, until it is given back. */
export class StorageLease {
  private acquired: { readonly storage: Promise<Storage>; readonly abort: AbortController } | null = null

  constructor(private readonly shared: SharedStorage) {}

  /** The storage; connects if need be. @throws KafkaJSError what kept it from connecting */
  get(): Promise<Storage> {
    if (this.acquired === null) {
      const abort = new AbortController()
      const acquired = { storage: this.shared.acquire(abort.signal), abort }
      this.acquired = acquired
      acquired.storage.catch(() => {
        if (this.acquired === acquired) this.acquired = null
      })
    }
    return this.acquired.storage
  }

  /** Gives it back; ends connecting, too. Takes no longer than a quarter of a second. */
  async release(): Promise<void> {
    const { acquired } = this
    if (acquired === null) return
    this.acquired = null
    acquired.abort.abort(new KafkaJSNonRetriableError('The consumer was disconnected while it was connecting'))
    // What was not acquired owes no release.
    const released = acquired.storage.then(
      () => this.shared.release(),
      () => undefined,
    )
    await within(released, RELEASE_GRACE_MS)
  }
}
