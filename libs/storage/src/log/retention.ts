/**
 * What retention lets go, decided from a partition's segments alone: whole segments, oldest first, as in Kafka.
 */
import type { TopicConfig } from '@rivulet/protocol'
import type { PartitionDescription } from './types.js'

export interface RetentionVerdict {
  /** The log start offset to move to; null: nothing is to go. */
  readonly logStartOffset: number | null
  /** The active segment has outlived `retention.ms` too: it must be rolled before it can go. */
  readonly rollFirst: boolean
}

/** `now`: ms on the clock that record timestamps are compared with. */
export function decideRetention(
  { segments, size }: Pick<PartitionDescription, 'segments' | 'size'>,
  config: Pick<TopicConfig, 'retentionMs' | 'retentionBytes'>,
  now: number,
): RetentionVerdict {
  let start: number | null = null
  let left = size
  for (const segment of segments) {
    const expired =
      config.retentionMs >= 0 && segment.maxTimestamp >= 0 && segment.maxTimestamp + config.retentionMs < now
    // Kafka's rule: a segment goes if what remains without it is still as much as retention.bytes asks to keep
    const excess = config.retentionBytes >= 0 && left - segment.bytes >= config.retentionBytes
    if (segment.active) {
      if (expired && segment.bytes > 0) return { logStartOffset: segment.endOffset, rollFirst: true }
      break
    }
    if (!expired && !excess) break
    start = segment.endOffset
    left -= segment.bytes
  }
  return { logStartOffset: start, rollFirst: false }
}
