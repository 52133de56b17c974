import type { StorageLogger } from '@rivulet/storage'
import type { MemberListener, OwnedPartition, SyncResult } from '../types.js'
import type { CallOutcome, ListenerQueue } from './listener-queue.js'
import { partitionName } from '../partition-name.js'
import { reconcile, type Reconciliation } from './reconcile.js'

export interface OwnershipParts {
  readonly listener: MemberListener
  readonly calls: ListenerQueue
  readonly logger: StorageLogger
  /** ms */
  readonly now: () => number
  /** A revocation is over. */
  readonly onReleased: () => void
  /** The listener was told that the member owns what it shall own. */
  readonly onSettled: () => void
}

/** What a member owns, is letting go of and waits for; tells the listener of what changes. */
export class Ownership {
  readonly #parts: OwnershipParts
  #owned = new Map<string, OwnedPartition>()
  /** By key, the grant that is being revoked. */
  readonly #revoking = new Map<string, number>()
  /** What was revoked, and is owned until the group is told. */
  #released: readonly OwnedPartition[] = []
  #waiting: ReadonlySet<string> = new Set()
  /** When the change under way was noticed; null: none is. */
  #noticedAt: number | null = null
  /** Since it joined; the first time it is no rebalancing. */
  #hasSettled = false
  #isRebalancing = false
  /** The epoch of the target that the listener was last told of. */
  #settledEpoch = -1

  constructor(parts: OwnershipParts) {
    this.#parts = parts
  }

  /** Without what is only to be told to have been let go of. */
  get owned(): readonly OwnedPartition[] {
    return [...this.#owned.values()]
  }

  get released(): readonly OwnedPartition[] {
    return this.#released
  }

  /** The keys of the partitions that others have not let go of. */
  get waiting(): ReadonlySet<string> {
    return this.#waiting
  }

  /** Something may change from here on. */
  noticed(): void {
    this.#noticedAt ??= this.#parts.now()
  }

  /**
   * Takes over what the group says.
   *
   * @param released what the group was told of being let go
   * @returns whether the member owns something else than before
   */
  apply(released: readonly OwnedPartition[], result: SyncResult): boolean {
    this.#released = this.#released.filter((partition) => !released.includes(partition))
    const change = reconcile({ owned: this.owned, revoking: this.#revoking }, result)
    this.#owned = new Map(change.owned)
    this.#waiting = change.waiting
    const isChanged = released.length > 0 || change.lost.length > 0 || change.assigned.length > 0
    this.#tell(change, result, isChanged)
    return isChanged
  }

  /**
   * The group has refused a commit of these, by their grants: it does not know the member to own them, though a sync may yet
   * make it believe so. They are lost at once, and if they are to be the member's after all, they are given anew.
   *
   * @returns whether any of them was its own
   */
  refused(partitions: readonly OwnedPartition[]): boolean {
    const lost = partitions.flatMap((partition) => {
      const own = this.#owned.get(partitionName(partition))
      return own?.grant === partition.grant ? [own] : []
    })
    for (const partition of lost) this.#owned.delete(partitionName(partition))
    if (lost.length > 0) void this.#lost(lost)
    return lost.length > 0
  }

  /** The member was expelled: nothing is its own any more. Settles when the listener knows. */
  async lose(): Promise<void> {
    const lost = this.owned
    this.#owned.clear()
    this.#released = []
    this.#waiting = new Set()
    this.#hasSettled = false
    this.#isRebalancing = false
    this.#settledEpoch = -1
    this.noticed()
    if (lost.length > 0) await this.#lost(lost)
  }

  #tell(change: Reconciliation, result: SyncResult, isChanged: boolean): void {
    const { listener, calls, now, onSettled } = this.#parts
    const { lost, revoke, assigned, waiting, settled } = change
    const concerns = lost.length + revoke.length + assigned.length + waiting.size > 0
    if (concerns && this.#hasSettled && !this.#isRebalancing) {
      this.#isRebalancing = true
      void calls.add(() => listener.onRebalancing())
    }
    if (lost.length > 0) void this.#lost(lost)
    if (revoke.length > 0) this.#revoke(revoke)
    if (assigned.length > 0) void calls.add(() => listener.onAssigned(assigned))
    if (!settled || this.#released.length > 0) return
    const { assignmentEpoch: epoch, leaderId, assigner } = result
    const duration = now() - (this.#noticedAt ?? now())
    this.#noticedAt = null
    if (!isChanged && !this.#isRebalancing && epoch === this.#settledEpoch) return
    this.#hasSettled = true
    this.#isRebalancing = false
    this.#settledEpoch = epoch
    const { owned } = this
    void calls.add(() => {
      listener.onSettled({ epoch, leaderId, assigner, owned, duration })
      onSettled()
    })
  }

  #lost(partitions: readonly OwnedPartition[]): Promise<CallOutcome> {
    return this.#parts.calls.add(() => this.#parts.listener.onLost(partitions))
  }

  #revoke(partitions: readonly OwnedPartition[]): void {
    const { listener, calls, logger, onReleased } = this.#parts
    for (const partition of partitions) this.#revoking.set(partitionName(partition), partition.grant)
    void calls
      .add(() => listener.onRevoked(partitions), { holdsUp: false })
      .then((outcome) => {
        if (outcome === 'late')
          logger.warn('partitions are let go of although their revocation has not ended', { partitions })
        for (const partition of partitions) this.#release(partition)
        onReleased()
      })
  }

  #release(partition: OwnedPartition): void {
    const key = partitionName(partition)
    this.#revoking.delete(key)
    // Lost meanwhile, and perhaps given anew: then it is not this revocation's any more.
    if (this.#owned.get(key)?.grant !== partition.grant) return
    this.#owned.delete(key)
    this.#released = [...this.#released, partition]
  }
}
