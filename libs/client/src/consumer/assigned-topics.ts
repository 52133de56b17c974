import { KafkaError } from '@rivulet/protocol'
import type { Partition, Topic, TopicRegistry } from '@rivulet/storage'
import { type KafkaJSError, toKafkaJSError } from '../errors.js'
import type { RetrySettings } from '../retry.js'
import type { Logger } from '../types.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { ConsumerInstrumentation } from './consumer-events.js'
import { RetryState } from './retry-state.js'
import type { SubscriptionState } from './subscription-state.js'

/** How often a topic that is not there is looked for, besides on the registry's own notice, ms. */
const LOOK_AGAIN_MS = 1000

export interface AssignedTopicsOptions {
  readonly topics: Pick<TopicRegistry, 'get' | 'refresh' | 'watch'>
  readonly subscription: SubscriptionState
  readonly retry: RetrySettings
  readonly instrumentation: ConsumerInstrumentation
  readonly logger: Logger
  /** Partitions have a log that had none, or another one, or none any more. */
  readonly onChange: () => void
  readonly onCrash: (error: KafkaJSError) => void
}

/**
 * Knows which log each assigned partition reads: looks topics up by name, and notices when one is deleted or made again.
 *
 * A topic made again under the same name is another log, and nothing of the old position means anything in it. Kafka's
 * consumer keeps the number and resets by policy only where it happens to be out of range, so that it may skip what the
 * new topic got first, or all of it. Here the new log is read from its start: a reader of the old topic wants what
 * comes after it, and `latest` means "what is written from now on", where now was before the new topic. With `none`
 * nothing is guessed and the consumer fails. The same holds for a topic that appears only after it was assigned.
 */
export class AssignedTopics {
  private stopped = false
  private timer: NodeJS.Timeout | null = null
  private readonly failures: RetryState
  private unwatch: (() => void) | null = null

  constructor(private readonly options: AssignedTopicsOptions) {
    this.failures = new RetryState(options.retry)
  }

  start(): void {
    this.unwatch = this.options.topics.watch((change) => void this.lookUp('topic' in change ? change.topic : undefined))
  }

  stop(): void {
    this.stopped = true
    this.unwatch?.()
    if (this.timer !== null) clearTimeout(this.timer)
  }

  /** Looks up the topic, or all assigned ones. Never rejects: a server that does not answer is asked again. */
  async lookUp(only?: string): Promise<void> {
    const { subscription, topics, onCrash } = this.options
    const names = new Set(
      subscription.partitions.map(({ topic }) => topic).filter((topic) => only === undefined || topic === only),
    )
    try {
      await Promise.all(
        [...names].map(async (name) => {
          const own = subscription.partitions.filter(({ topic }) => topic === name)
          const cached = own.some(({ missing }) => missing) ? null : await topics.get(name)
          // The cache is told of changes by a message, which may be lost or late: what is missing is asked for past it.
          const isStale = own.some((partition) => readableLog(partition, cached) === null)
          const topic = isStale ? await topics.refresh(name) : cached
          if (!this.stopped) this.apply(name, topic)
        }),
      )
      this.failures.succeeded()
    } catch (thrown) {
      if (this.stopped) return
      const after = this.failures.failed(thrown)
      if (after.kind === 'give-up') onCrash(after.error)
      else this.lookAgain(after.wait)
      return
    }
    if (subscription.partitions.some(({ log }) => log === null)) this.lookAgain(LOOK_AGAIN_MS)
  }

  /** The partition's log does not exist: it was deleted, and the registry's message may still be on its way. */
  gone(partition: AssignedPartition): void {
    partition.goneTopicId = partition.log?.topicId ?? null
    this.unavailable(partition)
    this.options.onChange()
    this.lookAgain(0)
  }

  private lookAgain(delay: number): void {
    if (this.stopped || this.timer !== null) return
    this.timer = setTimeout(() => {
      this.timer = null
      void this.lookUp()
    }, delay)
  }

  private apply(name: string, topic: Topic | null): void {
    let changed = false
    for (const assigned of this.options.subscription.partitions) {
      if (assigned.topic !== name) continue
      const log = readableLog(assigned, topic)
      if (log === null) {
        if (assigned.log === null && assigned.missing) continue
        this.unavailable(assigned)
      } else if (assigned.log !== null && assigned.log.topicId === log.topicId) {
        if (assigned.log.shard === log.shard) continue
        assigned.setLog(log)
      } else {
        if (assigned.log !== null) this.unavailable(assigned)
        if (assigned.missing) this.found(assigned)
        assigned.setLog(log)
      }
      changed = true
    }
    if (changed) this.options.onChange()
  }

  private found(assigned: AssignedPartition): void {
    this.options.logger.info('The topic is there', { topic: assigned.topic, partition: assigned.partition })
    assigned.missing = false
    assigned.goneTopicId = null
  }

  private unavailable(assigned: AssignedPartition): void {
    const { topic, partition, policy } = assigned
    const existed = assigned.log !== null
    assigned.missing = true
    assigned.setLog(null)
    // An offset that the application has asked for and that was never looked up stays what it asked for.
    const keepsStart = !existed && assigned.start?.kind !== 'latest' && assigned.start?.kind !== 'reset'
    if (!keepsStart || assigned.start === null) {
      assigned.startFrom(policy === 'none' ? { kind: 'reset' } : { kind: 'earliest' })
    }
    const message = existed
      ? `${topic}-${partition}: the topic was deleted; reading goes on when a topic of that name is made again`
      : `${topic}-${partition}: there is no such topic or partition; reading begins when there is`
    const error = toKafkaJSError(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', message, { topic, partition }))
    this.options.logger.error(message, { topic, partition })
    this.options.instrumentation.emit('consumer.partition_unavailable', { topic, partition, error })
  }
}

/** The log that the partition reads, as far as that topic has it. */
function readableLog(assigned: AssignedPartition, topic: Topic | null): Partition | null {
  const log = topic?.partitions[assigned.partition]
  return log === undefined || log.topicId === assigned.goneTopicId || !assigned.mayRead(log) ? null : log
}
