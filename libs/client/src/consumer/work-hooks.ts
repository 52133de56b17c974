import type { Offsets, OffsetsByTopicPartition } from '../types.js'
import type { SubscriptionState } from './subscription-state.js'

/** What a group does as records are worked on. Nothing to do is undefined, so that it costs no promise a message. */
export interface WorkHooks {
  /** Whether records may be handed out: not while the group may have given the partitions to others. */
  readonly mayWork: boolean
  heartbeat(): Promise<void>
  /** A message has been resolved. */
  afterMessage(): Promise<void> | undefined
  /** A batch has ended, well or not: what is resolved is to be committed. */
  afterBatch(): Promise<void> | undefined
  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>
  uncommittedOffsets(): OffsetsByTopicPartition
}

/** Without a group there is nobody to tell: 'resolved' moves the position, and that is all. */
export function groupless(subscription: SubscriptionState): WorkHooks {
  return {
    mayWork: true,
    heartbeat: () => Promise.resolve(),
    afterMessage: () => undefined,
    afterBatch: () => undefined,
    commitOffsetsIfNecessary: () => Promise.resolve(),
    uncommittedOffsets: () => ({ topics: subscription.uncommittedOffsets() }),
  }
}
