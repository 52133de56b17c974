import { CONSUMER_EVENTS, type Instrumentation } from '../instrumentation.js'
import type { ConsumerEventPayloads, ConsumerEvents } from '../types.js'

/** The consumer's events: kafkajs's, and Rivulet's own. */
export type RivuletConsumerEvents = ConsumerEvents & {
  /** The server has lost a tail of the log that this consumer had read (a failover to a replica that was behind). */
  LOG_TRUNCATED: 'consumer.log_truncated'
  /** A partition cannot be read for now: its topic does not exist, or was deleted. The other partitions go on. */
  PARTITION_UNAVAILABLE: 'consumer.partition_unavailable'
}

export type RivuletConsumerEventPayloads = ConsumerEventPayloads & {
  'consumer.log_truncated': {
    topic: string
    partition: number
    /** The consumer's position, in the part that was lost. */
    position: string
    /** Where the log as it is now and the log as it was read part: reading goes on here. */
    divergence: string
  }
  'consumer.partition_unavailable': { topic: string; partition: number; error: Error }
}

export const RIVULET_CONSUMER_EVENTS: RivuletConsumerEvents = {
  ...CONSUMER_EVENTS,
  LOG_TRUNCATED: 'consumer.log_truncated',
  PARTITION_UNAVAILABLE: 'consumer.partition_unavailable',
}

export type ConsumerInstrumentation = Pick<Instrumentation<RivuletConsumerEventPayloads>, 'emit' | 'hasListeners'>
