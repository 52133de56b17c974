import type {
  GrantedPartition,
  GroupMembership,
  MemberListener,
  OwnedPartition,
  SettledAssignment,
} from '@rivulet/coordinator'
import type { TopicRegistry } from '@rivulet/storage'
import { type KafkaJSError, toError, toKafkaJSError } from '../errors.js'
import type { Logger, Offsets, OffsetsByTopicPartition, PartitionsListener } from '../types.js'
import { within } from '../within.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { ConsumerInstrumentation } from './consumer-events.js'
import type { ConsumerSettings, RunSettings } from './consumer-settings.js'
import { GroupCommits } from './group-commits.js'
import { byTopic, GroupEvents } from './group-events.js'
import { KafkaJSMaxPollIntervalExceeded } from './max-poll-interval-error.js'
import type { StartOffset } from './offset-reset.js'
import { ProgressWatch } from './progress-watch.js'
import { toCrash } from './retry-state.js'
import type { Assignment, SubscriptionState } from './subscription-state.js'
import type { TopicSubscriptions } from './topic-subscriptions.js'
import type { WorkHooks } from './work-hooks.js'
import type { WorkInHand } from './work-in-hand.js'

/** Of the time that leaving in a hurry may take, the part for committing offsets and telling the application. */
const FAREWELL_PART = 0.6
/** How long leaving itself may take where nobody is in a hurry, ms. */
const LEAVE_TIMEOUT_MS = 5000

/** The part of an interval after which a heartbeat counts as the next one: timers are not that exact. */
const PUNCTUAL = 0.9

/** What is done with the partitions that the group gives. */
export interface GroupWork {
  readonly works: Iterable<WorkInHand>
  /** Resolves when the handler has ended what it has in hand of the partition. */
  handled(partition: AssignedPartition): Promise<void>
  /** Partitions have come or gone. */
  assignmentChanged(): void
  /** Records may be handed out again. */
  notify(): void
}

export interface GroupSessionOptions {
  readonly subscriptions: TopicSubscriptions
  readonly membership: (listener: MemberListener) => GroupMembership
  readonly topics: Pick<TopicRegistry, 'get'>
  readonly subscription: SubscriptionState
  readonly settings: ConsumerSettings
  readonly run: RunSettings
  readonly work: GroupWork
  readonly instrumentation: ConsumerInstrumentation
  readonly logger: Logger
  readonly onCrash: (error: KafkaJSError) => void
}

/** A run as a member of its group: what the group gives and takes, and what is committed. */
export class GroupSession implements MemberListener, WorkHooks {
  readonly commits: GroupCommits
  private readonly membership: GroupMembership
  private readonly events: GroupEvents
  private readonly progress: ProgressWatch
  /** When the application was last told of a heartbeat, on performance.now()'s clock. */
  private lastHeartbeat = performance.now()
  private joined = false
  /** Topics that the assigner wanted to give this member although it has not subscribed them: told with the assignment. */
  private notSubscribed: readonly string[] = []
  private leaving: Promise<void> | null = null

  constructor(private readonly options: GroupSessionOptions) {
    const { topics, subscription, settings, run, instrumentation, logger, work, onCrash } = options
    this.membership = options.membership(this)
    this.events = new GroupEvents(settings.groupId, () => this.membership, instrumentation, logger)
    this.commits = new GroupCommits({
      membership: this.membership,
      topics,
      subscription,
      works: () => work.works,
      run,
      retry: settings.retry,
      events: this.events,
      logger,
      onCrash,
    })
    this.progress = new ProgressWatch(
      settings.maxPollIntervalMs,
      () => work.works,
      (stuck) => this.stuck(stuck),
    )
  }

  /** Resolves when the member owns what it shall own for the first time. @throws KafkaError what kept it from joining */
  async join(): Promise<void> {
    await this.membership.join()
  }

  /**
   * Commits what is resolved, tells the application, and leaves. Handlers have ended, or are given up. Never rejects.
   * @param haste how long it may take, ms; null: nobody is in a hurry, the application may take the rebalance timeout
   */
  leave(haste: number | null): Promise<void> {
    this.leaving ??= this.sayFarewell(haste)
    return this.leaving
  }

  /** Goes on elsewhere; a partition that is not assigned does when it is. */
  seek(topic: string, partition: number, start: StartOffset): void {
    const { subscription } = this.options
    subscription.seek(topic, partition, start)
    const assigned = subscription.get(topic, partition)
    if (assigned !== undefined && !assigned.revoking) this.sought(assigned, start)
  }

  get mayWork(): boolean {
    return this.membership.isLive
  }

  async heartbeat(): Promise<void> {
    if (this.membership.isLive) return
    try {
      await this.membership.heartbeat()
    } catch (error) {
      throw toKafkaJSError(error)
    }
  }

  afterMessage(): Promise<void> | undefined {
    return this.commits.afterMessage()
  }

  afterBatch(): Promise<void> | undefined {
    return this.commits.afterBatch()
  }

  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void> {
    return this.commits.commitOffsetsIfNecessary(offsets)
  }

  uncommittedOffsets(): OffsetsByTopicPartition {
    return this.commits.uncommittedOffsets()
  }

  onRebalancing(): void {
    if (this.joined) this.events.rebalancing()
  }

  async onAssigned(granted: readonly GrantedPartition[]): Promise<void> {
    const { subscription, subscriptions, settings, work } = this.options
    await this.tell(settings.onPartitionsAssigned, granted)
    if (this.leaving !== null) return
    const sought: [GrantedPartition, StartOffset][] = []
    const assignments = granted.map((partition): Assignment => {
      const { topic, partition: number, topicId, grant, committed } = partition
      const seek = subscription.takeSeek(topic, number)
      if (seek !== undefined) sought.push([partition, seek])
      const start = seek ?? startOf(committed)
      return {
        topic,
        partition: number,
        start,
        policy: subscriptions.policyOf(topic),
        ownership: { topicId, grant },
      }
    })
    subscription.assign(assignments)
    for (const [{ topic, partition }, start] of sought) {
      const assigned = subscription.get(topic, partition)
      if (assigned !== undefined) this.sought(assigned, start)
    }
    work.assignmentChanged()
  }

  async onRevoked(partitions: readonly OwnedPartition[]): Promise<void> {
    if (this.leaving !== null) return this.leaving
    const { subscription, settings, work, logger } = this.options
    const assigned = this.assignedOf(partitions)
    for (const partition of assigned) partition.revoke()
    work.assignmentChanged()
    await Promise.all(assigned.map((partition) => work.handled(partition)))
    if (this.options.run.autoCommit) for (const partition of assigned) partition.leavePosition()
    try {
      await this.commits.afterBatch()
    } catch (error) {
      logger.error('What was done could not be committed before partitions went to others: it will be done again', {
        error: toError(error).message,
        partitions: byTopic(partitions),
      })
    }
    await this.tell(settings.onPartitionsRevoked, partitions)
    subscription.drop(assigned)
  }

  async onLost(partitions: readonly OwnedPartition[]): Promise<void> {
    const { subscription, settings, work, logger } = this.options
    logger.warn('Partitions are lost: the session was over', { partitions: byTopic(partitions) })
    subscription.drop(this.assignedOf(partitions))
    work.assignmentChanged()
    await this.tell(settings.onPartitionsLost ?? settings.onPartitionsRevoked, partitions)
  }

  onSettled(assignment: SettledAssignment): void {
    this.joined = true
    if (this.notSubscribed.length > 0) {
      const subscribed = this.options.subscriptions.subscription.topics
      this.events.unsubscribedTopics(this.notSubscribed, subscribed, assignment)
      this.notSubscribed = []
    }
    this.events.joined(assignment)
  }

  onUnsubscribedTopics(topics: readonly string[]): void {
    this.notSubscribed = topics
  }

  onHeartbeat(): void {
    // Whatever else shows that the member is alive counts as a heartbeat, too: kafkajs tells of one an interval.
    const now = performance.now()
    if (now - this.lastHeartbeat >= this.options.settings.heartbeatInterval * PUNCTUAL) {
      this.lastHeartbeat = now
      this.events.heartbeat()
    }
    // Records may have been held back while it was not known whether the session is over.
    this.options.work.notify()
  }

  onFailed(error: Error): void {
    this.options.onCrash(toCrash(error))
  }

  private async sayFarewell(haste: number | null): Promise<void> {
    const { settings, logger } = this.options
    const begun = performance.now()
    this.progress.stop()
    this.commits.stopTimer()
    const limit = haste === null ? settings.rebalanceTimeout : haste * FAREWELL_PART
    if (!(await within(this.farewell(), limit))) {
      logger.warn('Leaving the group before everything was committed and told: what was not committed is done again')
    }
    this.commits.stop()
    await this.membership.leave(haste === null ? LEAVE_TIMEOUT_MS : Math.max(1, begun + haste - performance.now()))
  }

  private async farewell(): Promise<void> {
    const { subscription, settings, logger } = this.options
    const owned = subscription.partitions.filter(({ revoking }) => !revoking)
    try {
      await this.commits.afterBatch()
      if (owned.length > 0) await settings.onPartitionsRevoked?.(byTopic(owned))
    } catch (thrown) {
      const error = toError(thrown)
      logger.error(`Leaving the group: ${error.message}`, { stack: error.stack })
    }
  }

  private sought(assigned: AssignedPartition, start: StartOffset): void {
    if (start.kind === 'offset') this.commits.sought(assigned, start.offset)
    else assigned.commitsStart = this.options.run.autoCommit
  }

  /** Calls the application, and waits for it within the rebalance timeout. */
  private async tell(listener: PartitionsListener | undefined, partitions: readonly OwnedPartition[]): Promise<void> {
    if (listener === undefined || partitions.length === 0) return
    const { settings, logger, onCrash } = this.options
    const told = (async () => listener(byTopic(partitions)))()
    told.catch((error: unknown) => onCrash(toKafkaJSError(error)))
    if (await within(told, settings.rebalanceTimeout)) return
    logger.error(
      'A listener for partitions that come or go has not ended within rebalanceTimeout: going on without it',
      {
        partitions: byTopic(partitions),
      },
    )
  }

  /** The partitions as they are worked on, as far as they are. */
  private assignedOf(partitions: readonly OwnedPartition[]): AssignedPartition[] {
    return partitions.flatMap(({ topic, partition, grant }) => {
      const assigned = this.options.subscription.get(topic, partition)
      return assigned?.ownership?.grant === grant ? [assigned] : []
    })
  }

  private stuck({ partition: { topic, partition, position } }: WorkInHand): void {
    const { settings, onCrash } = this.options
    onCrash(new KafkaJSMaxPollIntervalExceeded(topic, partition, position, settings.maxPollIntervalMs))
  }
}

/** Negative offsets can be committed, and count as none. */
function startOf(committed: GrantedPartition['committed']): StartOffset {
  if (committed === null || committed.offset < 0) return { kind: 'reset' }
  const { offset, leaderEpoch } = committed
  return leaderEpoch === null ? { kind: 'offset', offset } : { kind: 'offset', offset, leaderEpoch }
}
