/**
 * Whether a position still belongs to the log, decided from the leader epochs alone (Kafka's KIP-320).
 *
 * A reader remembers which epochs it saw begin where; the log keeps its own history. Up to the last epoch that both
 * know, they read the same records. That epoch ends in the log where the log's next one begins: a reader that went
 * further read a tail that was lost.
 */
import type { LeaderEpoch, PartitionDescription, SeenEpoch, Validation } from './types.js'

export function validatePosition(
  log: Pick<PartitionDescription, 'logStartOffset' | 'logEndOffset' | 'epochs' | 'leaderEpoch' | 'replicationId'>,
  offset: number,
  seen: readonly SeenEpoch[],
): Validation {
  const divergence = seen.length === 0 ? null : findDivergence(log, offset, seen)
  if (divergence !== null && divergence >= log.logStartOffset) return { kind: 'truncated', divergence }
  if (divergence !== null || offset < log.logStartOffset || offset > log.logEndOffset) {
    return { kind: 'out-of-range', logStartOffset: log.logStartOffset, logEndOffset: log.logEndOffset }
  }
  return { kind: 'valid' }
}

/** The first offset at which the reader's records and the log's may differ, where that is below the position; or null. */
function findDivergence(
  log: Pick<PartitionDescription, 'logEndOffset' | 'epochs'>,
  offset: number,
  seen: readonly SeenEpoch[],
): number | null {
  for (const [i, epoch] of [...seen.entries()].toReversed()) {
    const at = log.epochs.findIndex((known) => same(known, epoch))
    if (at < 0) continue
    const endInLog = log.epochs[at + 1]?.startOffset ?? log.logEndOffset
    const endSeen = seen[i + 1]?.startOffset ?? offset
    const common = Math.min(endInLog, endSeen)
    return common < offset ? common : null
  }
  // None of the reader's epochs is in the log's history (they were lost whole, or so long ago that the log no longer
  // remembers them): whatever the log holds from an epoch as new as the reader's first one, the reader never saw.
  const first = seen[0]
  if (first === undefined) return null
  const unseen = log.epochs.find((known) => known.number >= first.number)?.startOffset ?? log.logEndOffset
  return unseen < offset ? unseen : null
}

function same(a: LeaderEpoch, b: LeaderEpoch): boolean {
  return a.number === b.number && a.replicationId === b.replicationId
}
