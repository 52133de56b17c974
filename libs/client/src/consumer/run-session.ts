import type { LogReader, Storage } from '@rivulet/storage'
import type { KafkaJSError } from '../errors.js'
import type { Logger } from '../types.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { BufferBudget } from './buffer-budget.js'
import type { ConsumerInstrumentation } from './consumer-events.js'
import type { ConsumerSettings, RunSettings } from './consumer-settings.js'
import { Dispatcher } from './dispatcher.js'
import { Fetcher } from './fetcher.js'
import { GroupSession, type GroupWork } from './group-session.js'
import { KafkaJSMaxPollIntervalExceeded } from './max-poll-interval-error.js'
import type { MemberProfile } from './member-profile.js'
import type { SubscriptionState } from './subscription-state.js'
import { Termination } from './termination.js'
import { groupless } from './work-hooks.js'
import type { WorkInHand } from './work-in-hand.js'

export interface RunSessionOptions {
  readonly storage: Storage
  /** Closed with the session. */
  readonly reader: LogReader
  readonly subscription: SubscriptionState
  readonly budget: BufferBudget
  readonly settings: ConsumerSettings
  readonly run: RunSettings
  /** null: without a group, the application assigns the partitions. */
  readonly profile: MemberProfile | null
  readonly instrumentation: ConsumerInstrumentation
  readonly clientId: string
  readonly logger: Logger
  readonly pause: (topic: string, partition: number) => void
  readonly resume: (topic: string, partition: number) => void
  /** Called once; and once more where a handler turns out to be stuck while the session ends. */
  readonly onCrash: (error: KafkaJSError) => void
}

/** One run of a consumer, from start to stop or crash: its membership, its fetching and its handlers. */
export class RunSession implements GroupWork {
  /** null: without a group. */
  readonly group: GroupSession | null
  private readonly fetcher: Fetcher | null
  private readonly dispatcher: Dispatcher
  /** Over when the session is to end. */
  readonly ended = new Termination()
  private ending: Promise<void> | null = null

  constructor(private readonly options: RunSessionOptions) {
    const { storage, reader, subscription, budget, settings, run, profile, instrumentation, logger } = options
    const { maxBytesPerPartition, minBytes, maxWaitTimeInMs, retry } = settings
    const onCrash = (error: KafkaJSError): void => this.crashed(error)
    this.group =
      profile === null
        ? null
        : new GroupSession({
            subscriptions: profile.subscriptions,
            membership: (listener) => profile.membership(storage, listener),
            topics: storage.topics,
            subscription,
            settings,
            run,
            work: this,
            instrumentation,
            logger,
            onCrash,
          })
    this.dispatcher = new Dispatcher({
      subscription,
      ...run,
      maxBytesPerPartition,
      retry,
      hooks: this.group ?? groupless(subscription),
      instrumentation,
      logger,
      pause: (topic, partition) => options.pause(topic, partition),
      resume: (topic, partition) => options.resume(topic, partition),
      onDrained: (partition) => this.fetcher?.drained(partition),
      onCrash,
    })
    if (run.eachMessage === undefined && run.eachBatch === undefined) {
      logger.warn(
        'run was given neither eachMessage nor eachBatch: there is nothing to hand records to, none are fetched',
      )
      this.fetcher = null
      return
    }
    this.fetcher = new Fetcher({
      reader,
      topics: storage.topics,
      log: storage.log,
      subscription,
      budget,
      maxBytesPerPartition,
      minBytes,
      maxWaitTimeInMs,
      retry,
      clientId: options.clientId,
      instrumentation,
      logger,
      onRecords: () => this.dispatcher.notify(),
      onCrash,
    })
  }

  get works(): ReadonlySet<WorkInHand> {
    return this.dispatcher.works
  }

  handled(partition: AssignedPartition): Promise<void> {
    return this.dispatcher.handled(partition)
  }

  assignmentChanged(): void {
    this.fetcher?.assignmentChanged()
  }

  notify(): void {
    this.dispatcher.notify()
  }

  /** Positions or pauses have changed. */
  changed(): void {
    this.fetcher?.wake()
    this.dispatcher.notify()
  }

  /** Resolves when handlers have ended their current message or batch; nothing is fetched from now on. */
  stop(): Promise<void> {
    this.ended.resolve()
    this.ending ??= Promise.all([
      this.dispatcher.stop(),
      this.fetcher?.stop(),
      // A blocked call would otherwise have to be waited for.
      this.options.reader.close().catch((error: unknown) => {
        this.options.logger.debug('Closing the reader has failed', { error: String(error) })
      }),
    ]).then(() => undefined)
    return this.ending
  }

  /** Leaves the group, if there is one: handlers have ended, or are given up. @param haste as GroupSession.leave */
  async leave(haste: number | null): Promise<void> {
    await this.group?.leave(haste)
  }

  private crashed(error: KafkaJSError): void {
    // What ends crashes no more; but its end is not to wait for a handler that is stuck.
    if (this.ending !== null && !(error instanceof KafkaJSMaxPollIntervalExceeded)) return
    void this.stop()
    this.options.onCrash(error)
  }
}
