import { partitionName } from './partition-name.js'
import type { GroupSnapshot, GroupState, TopicPartition } from './types.js'

/**
 * Where a group stands:
 *
 * - Dead: there is no such group.
 * - Empty: it has no members, and perhaps offsets.
 * - Assigning: something has changed since the target assignment was computed; another one is needed.
 * - Reconciling: some member does not own what it shall own yet, or owns what it shall not.
 * - Stable: every member owns just what it shall own.
 */
export function groupState(snapshot: GroupSnapshot | null): GroupState {
  if (snapshot === null) return 'Dead'
  const { members, target, owned, epoch, assignmentEpoch } = snapshot
  if (members.size === 0) return 'Empty'
  if (assignmentEpoch < epoch) return 'Assigning'
  const settled = [...members.keys()].every((memberId) => samePartitions(target.get(memberId), owned.get(memberId)))
  return settled ? 'Stable' : 'Reconciling'
}

function samePartitions(wanted: readonly TopicPartition[] = [], owned: readonly TopicPartition[] = []): boolean {
  const keys = new Set(owned.map(partitionName))
  return wanted.length === owned.length && wanted.every((partition) => keys.has(partitionName(partition)))
}
