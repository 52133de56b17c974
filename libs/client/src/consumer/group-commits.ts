import type { CommitOutcome, GroupMembership, OffsetCommit } from '@rivulet/coordinator'
import { KafkaError } from '@rivulet/protocol'
import type { TopicRegistry } from '@rivulet/storage'
import { type KafkaJSError, KafkaJSNonRetriableError, toKafkaJSError } from '../errors.js'
import type { RetrySettings } from '../retry.js'
import type { Logger, Offsets, OffsetsByTopicPartition, TopicPartitionOffsetAndMetadata } from '../types.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { RunSettings } from './consumer-settings.js'
import type { GroupEvents } from './group-events.js'
import { OffsetCommitter, type PendingCommit } from './offset-committer.js'
import { parseOffset } from './offset-reset.js'
import type { SubscriptionState } from './subscription-state.js'
import type { WorkInHand } from './work-in-hand.js'

export interface GroupCommitsOptions {
  readonly membership: Pick<GroupMembership, 'commit' | 'owned' | 'heartbeat'>
  readonly topics: Pick<TopicRegistry, 'get'>
  readonly subscription: SubscriptionState
  /** What handlers have in hand. */
  readonly works: () => Iterable<Pick<WorkInHand, 'partition'>>
  readonly run: Pick<RunSettings, 'autoCommit' | 'autoCommitInterval' | 'autoCommitThreshold'>
  readonly retry: RetrySettings
  readonly events: GroupEvents
  readonly logger: Logger
  /** An automatic commit has failed for good. */
  readonly onCrash: (error: KafkaJSError) => void
}

/** What is committed of a group's partitions, and when. */
export class GroupCommits {
  private readonly committer: OffsetCommitter
  private readonly timer: NodeJS.Timeout | null
  private isOver = false
  /** On performance.now()'s clock. */
  private lastCommit = performance.now()

  constructor(private readonly options: GroupCommitsOptions) {
    const { membership, retry, logger, run } = options
    this.committer = new OffsetCommitter({
      send: (commits) => send(membership, commits),
      retry,
      logger,
      onAnswer: (commits, outcomes) => this.answered(commits, outcomes),
    })
    const { autoCommit, autoCommitInterval: interval } = run
    this.timer = autoCommit && interval !== null ? setInterval(() => this.inBackground(), interval) : null
  }

  stopTimer(): void {
    if (this.timer !== null) clearInterval(this.timer)
  }

  /** The group is left: gives up what is under way, and takes nothing further of handlers that have not ended. */
  stop(): void {
    this.isOver = true
    this.stopTimer()
    this.committer.stop()
  }

  afterMessage(): Promise<void> | undefined {
    const { autoCommit, autoCommitThreshold } = this.options.run
    return autoCommit && autoCommitThreshold !== null && this.isThresholdReached() ? this.commitResolved() : undefined
  }

  afterBatch(): Promise<void> | undefined {
    return this.options.run.autoCommit ? this.commitResolved() : undefined
  }

  /**
   * What is resolved and not committed, of all partitions. A refusal is no failure: the partition is another member's.
   * @throws KafkaJSError what trying again has not cured
   */
  async commitResolved(): Promise<void> {
    if (this.isOver) return
    const commits: PendingCommit[] = []
    for (const assigned of this.options.subscription.uncommitted) {
      const { topic, partition, position, committedOffset, ownership } = assigned
      if (ownership === null) continue
      // The commit of a seek may be under way, which goes back from what is stored.
      if (position === committedOffset && !this.committer.isCommitting({ topic, partition, ...ownership })) continue
      const leaderEpoch = assigned.epochBelow(position)
      commits.push({ topic, partition, ...ownership, offset: position, leaderEpoch, metadata: null })
    }
    this.lastCommit = performance.now()
    await this.committer.commit(commits)
  }

  async commitOffsetsIfNecessary(offsets?: Offsets): Promise<void> {
    if (offsets?.topics !== undefined) return this.commitOffsets(flatten(offsets))
    const { autoCommitInterval: interval } = this.options.run
    const isDue = interval !== null && performance.now() >= this.lastCommit + interval
    if (offsets !== undefined || isDue || this.isThresholdReached()) await this.commitResolved()
  }

  /** @throws KafkaJSError ILLEGAL_GENERATION where a partition is another member's; UNKNOWN_TOPIC_OR_PARTITION … */
  async commitOffsets(offsets: readonly TopicPartitionOffsetAndMetadata[]): Promise<void> {
    if (this.isOver) throw toKafkaJSError(new KafkaError('UNKNOWN_MEMBER_ID', 'The consumer has left its group'))
    const commits = await Promise.all(offsets.map((offset) => this.toCommit(offset)))
    this.lastCommit = performance.now()
    const outcomes = await this.committer.commit(commits)
    const refusal = outcomes.find((outcome) => outcome !== null)
    if (refusal !== undefined) throw toKafkaJSError(refusal)
  }

  /** The application has sought: with autoCommit that is where the group goes on, should this consumer end now. */
  sought({ topic, partition, ownership }: AssignedPartition, offset: number): void {
    if (ownership === null || !this.options.run.autoCommit) return
    const commit = { topic, partition, ...ownership, offset, leaderEpoch: null, metadata: null, silent: true }
    this.committer.commit([commit]).catch((error: unknown) => this.options.onCrash(toKafkaJSError(error)))
  }

  uncommittedOffsets(): OffsetsByTopicPartition {
    return { topics: this.options.subscription.uncommittedOffsets() }
  }

  private inBackground(): void {
    this.commitResolved().catch((error: unknown) => this.options.onCrash(toKafkaJSError(error)))
  }

  private isThresholdReached(): boolean {
    const { autoCommitThreshold: threshold } = this.options.run
    if (threshold === null) return false
    let resolved = 0
    for (const { position, committedOffset } of this.options.subscription.uncommitted)
      resolved += position - committedOffset
    return resolved >= threshold
  }

  private async toCommit(commit: TopicPartitionOffsetAndMetadata): Promise<PendingCommit> {
    const { topic, partition, metadata = null } = commit
    const offset = parseOffset(commit.offset)
    if (offset === null) {
      throw new KafkaJSNonRetriableError(`Invalid offset, expected a long received ${commit.offset}`)
    }
    const assigned = this.options.subscription.get(topic, partition)
    if (this.isOutlived(commit, offset, assigned)) {
      const message = `${topic}-${partition} is not the handler's any more: it was lost while the handler was at work`
      throw toKafkaJSError(new KafkaError('ILLEGAL_GENERATION', message, { topic, partition }))
    }
    const leaderEpoch = assigned?.epochBelow(offset) ?? null
    const ownership = assigned?.ownership ?? (await this.ownershipOf(topic, partition))
    return { topic, partition, ...ownership, offset, leaderEpoch, metadata }
  }

  /**
   * Whether a handler that is still at work on a partition which was lost meanwhile commits what others have gone past. Nothing
   * tells whose a commit is; but whoever works on the partition now commits nothing below where it began.
   */
  private isOutlived(
    { topic, partition }: TopicPartitionOffsetAndMetadata,
    offset: number,
    assigned: AssignedPartition | undefined,
  ): boolean {
    for (const { partition: former } of this.options.works()) {
      if (!former.gone || former.topic !== topic || former.partition !== partition) continue
      if (assigned === undefined) return true
      const { start, position } = assigned
      if (offset < (start?.kind === 'offset' ? start.offset : position)) return true
    }
    return false
  }

  /** Of a partition that is being given or taken, or that is not this member's: that can be committed while it is nobody's. */
  private async ownershipOf(topic: string, partition: number): Promise<{ topicId: string; grant: number }> {
    const { membership, topics } = this.options
    const owned = membership.owned.find((own) => own.topic === topic && own.partition === partition)
    if (owned !== undefined) return { topicId: owned.topicId, grant: owned.grant }
    const log = await topics.get(topic).then(
      (found) => found?.partitions[partition],
      (error: unknown) => Promise.reject(toKafkaJSError(error)),
    )
    if (log !== undefined) return { topicId: log.topicId, grant: 0 }
    throw toKafkaJSError(
      new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic}-${partition}: there is no such topic or partition`),
    )
  }

  private answered(commits: readonly PendingCommit[], outcomes: readonly CommitOutcome[]): void {
    const stored = commits.filter((_, index) => outcomes[index] === null)
    for (const commit of stored) this.assignedOf(commit)?.committed(commit.offset)
    this.options.events.committed(stored.filter(({ silent }) => silent !== true))
    for (const [index, commit] of commits.entries()) {
      const error = outcomes[index]
      if (error !== null && error !== undefined) this.refused(commit, error)
    }
  }

  /** What is not this member's any more is not worked on any further. */
  private refused(commit: PendingCommit, error: KafkaError): void {
    const { subscription, membership, logger } = this.options
    const { topic, partition, offset } = commit
    logger.warn(`A commit was refused: ${error.message}`, {
      topic,
      partition,
      offset: String(offset),
      type: error.type,
    })
    if (error.type === 'ILLEGAL_GENERATION') {
      const assigned = this.assignedOf(commit)
      if (assigned !== undefined) subscription.drop([assigned])
    }
    // What the member owns and what it believes to own differ: a heartbeat tells.
    membership.heartbeat().catch(() => undefined)
  }

  private assignedOf({ topic, partition, grant }: PendingCommit): AssignedPartition | undefined {
    const assigned = this.options.subscription.get(topic, partition)
    return assigned?.ownership?.grant === grant ? assigned : undefined
  }
}

/** A member that was expelled is told so for all of a call: each commit is refused. */
async function send(
  membership: Pick<GroupMembership, 'commit'>,
  commits: readonly OffsetCommit[],
): Promise<readonly CommitOutcome[]> {
  try {
    return await membership.commit(commits)
  } catch (error) {
    if (error instanceof KafkaError && (error.type === 'UNKNOWN_MEMBER_ID' || error.type === 'FENCED_INSTANCE_ID')) {
      return commits.map(() => error)
    }
    throw error
  }
}

function flatten({ topics }: Offsets): TopicPartitionOffsetAndMetadata[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, ...partition })))
}
