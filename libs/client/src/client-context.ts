import type { SharedStorage } from './shared-storage.js'
import type { Logger, RetryOptions } from './types.js'

/** What a Kafka instance hands to each of its producers, consumers and admins. */
export interface ClientContext {
  readonly clientId: string
  /** The client's logger: each component takes `logger.namespace('Producer')` and the like. */
  readonly logger: Logger
  readonly storage: SharedStorage
  /** As the user gave them, checked: what is missing has its default in retry.ts. */
  readonly retry: RetryOptions
}
