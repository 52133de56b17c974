import type { RetryOptions, StorageLogger } from '@rivulet/storage'
import type { GroupStore, MemberListener, MemberOptions } from '../types.js'
import type { Topics } from './subscription.js'

export interface GroupMemberParts {
  readonly store: GroupStore
  readonly topics: Topics
  readonly options: MemberOptions
  readonly listener: MemberListener
  readonly logger: StorageLogger
  /** How often in a row, and how far apart, is tried what fails before the member has joined. */
  readonly retry: RetryOptions
  /** What the group shows as the member's host; '/' and the machine's name. */
  readonly clientHost?: string
  /** How long a topic's facts count where no change is heard of, ms; 300,000. Kafka's `metadata.max.age.ms`. */
  readonly metadataMaxAge?: number
  /** A clock that is never set back, ms. */
  readonly now?: () => number
}
