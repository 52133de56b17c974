import type { GrantedPartition, OwnedPartition, SyncResult } from '../types.js'
import { partitionName } from '../partition-name.js'

/** What a member knew when it asked the group. */
export interface Holding {
  /** What it owned as far as it knew, without what it has let go of. */
  readonly owned: readonly OwnedPartition[]
  /** The partitions that are being revoked: by key, the grant that is. */
  readonly revoking: ReadonlyMap<string, number>
}

/** What follows from the group's answer. */
export interface Reconciliation {
  /** What the member owns from now on, by key. */
  readonly owned: ReadonlyMap<string, OwnedPartition>
  /** What it believed to own and does not. */
  readonly lost: readonly OwnedPartition[]
  /** What it owns, shall not own, and was not asked to let go of yet. */
  readonly revoke: readonly OwnedPartition[]
  /** What it was given. */
  readonly assigned: readonly GrantedPartition[]
  /** The keys of what it shall own and others have not let go of. */
  readonly waiting: ReadonlySet<string>
  /** The target is the group's present one, and the member owns just that. */
  readonly settled: boolean
}

/**
 * Compares what a member has with what the group says.
 *
 * A partition is the member's only under the grant that the group has for it: the same partition under another one has been
 * somebody else's in between, so it is lost and, where it was given anew, assigned again. What is being revoked is not
 * revoked a second time, even if it was lost and given back meanwhile: when the first revocation is over, the member asks
 * the group again.
 */
export function reconcile({ owned, revoking }: Holding, result: SyncResult): Reconciliation {
  const confirmed = new Map(result.owned.map((partition) => [partitionName(partition), partition.grant]))
  const lost = owned.filter((partition) => confirmed.get(partitionName(partition)) !== partition.grant)
  const target = new Set(result.target.map(partitionName))

  const next = new Map<string, OwnedPartition>()
  for (const partition of owned) {
    const key = partitionName(partition)
    if (confirmed.get(key) === partition.grant) next.set(key, partition)
  }
  for (const { topic, topicId, partition, grant } of result.granted) {
    next.set(partitionName({ topicId, partition }), { topic, topicId, partition, grant })
  }

  const isHeldUp = ([key, { grant }]: readonly [string, OwnedPartition]): boolean => revoking.get(key) === grant
  return {
    owned: next,
    lost,
    revoke: [...next].filter(([key]) => !target.has(key) && !revoking.has(key)).map(([, partition]) => partition),
    assigned: result.granted,
    waiting: new Set(result.waiting.map(partitionName)),
    settled:
      result.epoch === result.assignmentEpoch &&
      next.size === target.size &&
      [...target].every((key) => next.has(key)) &&
      ![...next].some(isHeldUp),
  }
}
