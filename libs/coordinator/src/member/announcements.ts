import type { GroupMessage, SyncResult } from '../types.js'

/** What a member knows of its group when it hears a message. */
export interface Listening {
  readonly memberId: string
  /** The epoch of the target that it is in step with. */
  readonly assignmentEpoch: number
  /** The keys of the partitions that it waits for. */
  readonly waiting: ReadonlySet<string>
}

/**
 * Knows whether what was announced calls for a sync. A sync that is under way may or may not have seen what is announced
 * meanwhile: its answer tells.
 */
export class Announcements {
  #callForSync = true
  #meanwhile: { isFree: boolean; assignmentEpoch: number } | null = null

  get callForSync(): boolean {
    return this.#callForSync
  }

  /** Something has happened that only a sync can deal with. */
  call(): void {
    this.#callForSync = true
  }

  heard(message: GroupMessage, { memberId, assignmentEpoch, waiting }: Listening): void {
    if (message.kind === 'missed') this.call()
    else if (message.kind === 'target' && message.memberIds.includes(memberId)) {
      if (this.#meanwhile !== null) this.#meanwhile.assignmentEpoch = message.epoch
      else if (message.epoch > assignmentEpoch) this.call()
    } else if (message.kind === 'free') {
      if (this.#meanwhile !== null) this.#meanwhile.isFree = true
      else if (message.partitions.some((key) => waiting.has(key))) this.call()
    }
  }

  /** A sync is sent. */
  begin(): void {
    this.#callForSync = false
    this.#meanwhile = { isFree: false, assignmentEpoch: 0 }
  }

  /** The sync has ended; null: without an answer. */
  end(result: Pick<SyncResult, 'assignmentEpoch' | 'waiting'> | null): void {
    const { isFree, assignmentEpoch } = this.#meanwhile ?? { isFree: false, assignmentEpoch: 0 }
    this.#meanwhile = null
    if (result === null || assignmentEpoch > result.assignmentEpoch || (isFree && result.waiting.length > 0))
      this.call()
  }
}
