import type { LogReader, TopicRegistry } from '@rivulet/storage'
import type { KafkaJSError } from '../errors.js'
import type { RetrySettings } from '../retry.js'
import type { Logger } from '../types.js'
import { AssignedTopics } from './assigned-topics.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { BufferBudget } from './buffer-budget.js'
import type { ConsumerInstrumentation } from './consumer-events.js'
import { FetchEvents } from './fetch-events.js'
import { LaneFetcher } from './lane-fetcher.js'
import { type LogBoundsSource, Positions } from './positions.js'
import type { SubscriptionState } from './subscription-state.js'

export interface FetcherOptions {
  readonly reader: LogReader
  readonly topics: Pick<TopicRegistry, 'get' | 'refresh' | 'watch'>
  readonly log: LogBoundsSource
  readonly subscription: SubscriptionState
  readonly budget: BufferBudget
  readonly maxBytesPerPartition: number
  readonly minBytes: number
  readonly maxWaitTimeInMs: number
  readonly retry: RetrySettings
  readonly clientId: string
  readonly instrumentation: ConsumerInstrumentation
  readonly logger: Logger
  /** There is something to hand out. */
  readonly onRecords: () => void
  readonly onCrash: (error: KafkaJSError) => void
}

/**
 * Fills the buffers of the assigned partitions: looks topics up, and runs a loop for each lane, that is for each
 * connection that partitions share.
 */
export class Fetcher {
  private readonly lanes = new Map<string, LaneFetcher>()
  private readonly assignedTopics: AssignedTopics
  private readonly positions: Positions
  private readonly forgetReconnects: () => void
  private stopped = false

  constructor(private readonly options: FetcherOptions) {
    const { reader, topics, log, subscription, retry, instrumentation, logger } = options
    const onCrash = (error: KafkaJSError): void => options.onCrash(error)
    const onTopicGone = (partition: AssignedPartition): void => this.assignedTopics.gone(partition)
    const onChange = (): void => this.wake()
    this.assignedTopics = new AssignedTopics({
      topics,
      subscription,
      retry,
      instrumentation,
      logger,
      onChange,
      onCrash,
    })
    this.positions = new Positions({ log, reader, instrumentation, logger, onTopicGone, onCrash })
    this.forgetReconnects = reader.onReconnect(() => this.reconnected())
    this.assignedTopics.start()
    this.assignmentChanged()
  }

  /** Partitions were assigned or revoked. */
  assignmentChanged(): void {
    // A wait under way may still cover what was revoked: its result is dropped, but the next one should not.
    this.wake()
    void this.assignedTopics.lookUp()
  }

  /** Positions or pauses have changed. */
  wake(): void {
    if (this.stopped) return
    for (const { log } of this.options.subscription.partitions)
      if (log !== null) this.openLane(this.options.reader.lane(log))
    for (const lane of this.lanes.values()) lane.wake()
  }

  /** A handler is done with what it had of the partition. */
  drained(partition: AssignedPartition): void {
    if (this.stopped) return
    for (const lane of this.lanes.values()) lane.drained(partition)
  }

  /** Ends the loops; resolves when the last call has come back. */
  async stop(): Promise<void> {
    this.stopped = true
    this.forgetReconnects()
    this.assignedTopics.stop()
    for (const lane of this.lanes.values()) lane.stop()
    await Promise.all([...this.lanes.values()].map(({ ended }) => ended))
  }

  private openLane(name: string): void {
    if (this.lanes.has(name)) return
    const { reader, subscription, budget, maxBytesPerPartition, minBytes, maxWaitTimeInMs } = this.options
    const { retry, instrumentation, clientId, logger } = this.options
    const lane = new LaneFetcher({
      name,
      reader,
      subscription,
      budget,
      positions: this.positions,
      maxBytesPerPartition,
      minBytes,
      maxWaitTimeInMs,
      retry,
      events: new FetchEvents({ instrumentation, clientId, lane: name, nodeId: this.lanes.size }),
      logger,
      onRecords: () => this.options.onRecords(),
      onTopicGone: (partition) => this.assignedTopics.gone(partition),
      onCrash: (error) => this.options.onCrash(error),
    })
    this.lanes.set(name, lane)
    lane.start()
  }

  /** Another server may answer now, and it may lack a tail of what was read: nothing counts before it is checked. */
  private reconnected(): void {
    for (const partition of this.options.subscription.partitions) {
      if (partition.hasPosition) partition.needsValidation = true
    }
    this.wake()
  }
}
