import { hostname } from 'node:os'
import { type ErrorName, KafkaError } from '@rivulet/protocol'
import type {
  CommitOutcome,
  GroupMembership,
  GroupMessage,
  HeartbeatResult,
  OffsetCommit,
  OwnedPartition,
  SyncResult,
  TopicPartition,
} from '../types.js'
import { Announcements } from './announcements.js'
import { Assignment } from './assignment.js'
import { Deferred } from './deferred.js'
import type { GroupMemberParts } from './group-member-parts.js'
import { GroupLink } from './group-link.js'
import { ListenerQueue } from './listener-queue.js'
import { MemberLoop } from './member-loop.js'
import { MemberProfile } from './member-profile.js'
import { Ownership } from './ownership.js'
import { Subscription } from './subscription.js'
import { within } from './within.js'

/** After a failure to read or store what an assignment needs, a heartbeat tells within so long whether it is still needed, ms. */
const ASSIGN_AGAIN_MS = 200

/** The group does not know the member, or another one by its name. */
const NO_MEMBER: ReadonlySet<ErrorName> = new Set(['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'])

/**
 * One consumer's membership of one group. A loop does one thing at a time: a heartbeat when it is due, and a sync when
 * something has changed on either side. Computing assignments, revoking partitions and whatever the listener does go on
 * beside it, so that none of them costs the session.
 *
 * It can be joined and left once.
 */
export class GroupMember implements GroupMembership {
  readonly #parts: GroupMemberParts
  readonly #calls: ListenerQueue
  readonly #ownership: Ownership
  readonly #subscription: Subscription
  readonly #profile: MemberProfile
  readonly #link: GroupLink
  readonly #assignment: Assignment
  readonly #loop: MemberLoop
  readonly #announcements = new Announcements()
  readonly #firstJoin = new Deferred()

  #isHeartbeatUntold = false
  #hasSettled = false
  #isSubscribed = false
  #unwatch: (() => Promise<void>) | null = null
  #stopped = false
  #ended: Promise<void> | null = null

  constructor(parts: GroupMemberParts) {
    const { store, topics, options, listener, logger, retry } = parts
    const { groupId, assigners, heartbeatInterval, rebalanceTimeout } = options
    const now = parts.now ?? (() => performance.now())
    this.#parts = parts
    this.#profile = new MemberProfile(options, parts.clientHost ?? `/${hostname()}`)
    this.#link = new GroupLink(store, options, this.#profile)
    const onLate = (): void => logger.warn(`group ${groupId}: a listener has not ended within ${rebalanceTimeout} ms`)
    this.#calls = new ListenerQueue(rebalanceTimeout, (error) => this.#fail(error), onLate)
    const onReleased = (): void => this.#syncSoon()
    const onSettled = (): void => {
      this.#hasSettled = true
      this.#firstJoin.resolve()
    }
    this.#ownership = new Ownership({ listener, calls: this.#calls, logger, now, onReleased, onSettled })
    this.#subscription = new Subscription({
      topics,
      subscription: options.subscription,
      metadataMaxAge: parts.metadataMaxAge ?? 300_000,
      logger,
      onLooked: () => this.#looked(),
    })
    this.#assignment = new Assignment({
      store,
      topics,
      groupId,
      assigners,
      timeout: rebalanceTimeout,
      logger,
      isOver: (memberId) => this.#stopped || memberId !== this.memberId,
      onUnsubscribedTopics: (names) => void this.#calls.add(() => listener.onUnsubscribedTopics?.(names)),
      onInstalled: () => this.#syncSoon(),
      onInterrupted: ({ message, type }) => {
        logger.warn(`group ${groupId} could not be assigned: ${message}`, { groupId, type })
        this.#loop.beatWithin(ASSIGN_AGAIN_MS)
      },
      onFailed: (error) => this.#fail(error),
    })
    this.#loop = new MemberLoop({
      groupId,
      heartbeatInterval,
      retry,
      logger,
      now,
      hasJoined: () => this.#hasSettled,
      needsSync: () => this.#needsSync,
      isWaiting: () => this.#ownership.waiting.size > 0,
      heartbeat: (answered) => this.#heartbeat(answered),
      sync: (answered) => this.#sync(answered),
      onExpelled: () => this.#expelled(),
    })
  }

  get memberId(): string {
    return this.#link.memberId
  }

  get epoch(): number {
    return this.#link.epoch
  }

  get leaderId(): string {
    return this.#link.leaderId
  }

  get owned(): readonly OwnedPartition[] {
    return this.#ownership.owned
  }

  get isLive(): boolean {
    return this.#loop.silence < this.#parts.options.sessionTimeout
  }

  join(): Promise<void> {
    this.#ended ??= this.#run()
    return this.#firstJoin.promise
  }

  async heartbeat(): Promise<void> {
    if (this.#stopped || this.#ended === null) throw this.#closed()
    await this.#loop.heartbeat()
  }

  async commit(commits: readonly OffsetCommit[]): Promise<readonly CommitOutcome[]> {
    try {
      const outcomes = await this.#link.commit(commits)
      const refused = commits.filter((_, i) => outcomes[i]?.type === 'ILLEGAL_GENERATION')
      if (this.#ownership.refused(refused)) this.#syncSoon()
      return outcomes
    } catch (error) {
      // The loop finds out by a heartbeat, and joins again: that need not wait for its time.
      if (error instanceof KafkaError && NO_MEMBER.has(error.type)) this.#loop.beatWithin(0)
      throw error
    }
  }

  async leave(deadline: number): Promise<void> {
    this.#stop()
    this.#firstJoin.reject(this.#closed())
    await within(this.#leave(), deadline)
  }

  async #leave(): Promise<void> {
    // The sync under way might join once more.
    await this.#ended
    await this.#link.leave()
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      await this.#loop.run()
    } catch (error) {
      this.#fail(error)
    }
    await this.#unwatch?.().catch(() => undefined)
  }

  get #needsSync(): boolean {
    return this.#announcements.callForSync || this.#link.isOutOfStep || this.#ownership.released.length > 0
  }

  async #heartbeat(answered: (result: HeartbeatResult) => void): Promise<void> {
    const result = await this.#link.heartbeat()
    if (this.#stopped) return
    answered(result)
    this.#answered(result)
  }

  async #sync(answered: (result: HeartbeatResult) => void): Promise<void> {
    await this.#begin()
    if (this.#stopped) throw this.#closed()
    const { released } = this.#ownership
    this.#announcements.begin()
    this.#ownership.noticed()
    let result: SyncResult | null = null
    try {
      result = await this.#link.sync([...this.#ownership.owned, ...released], released)
    } finally {
      this.#announcements.end(result)
    }
    if (this.#stopped) return
    answered(result)
    if (this.#ownership.apply(released, result)) this.#describe()
    this.#answered(result)
    if (!result.target.every((partition) => this.#isKnown(partition))) this.#subscription.refresh()
  }

  /** What comes before the first join. */
  async #begin(): Promise<void> {
    const { store, options } = this.#parts
    this.#unwatch ??= await store.watch(options.groupId, (message) => this.#heard(message))
    if (this.#isSubscribed) return
    await this.#subscription.start()
    this.#isSubscribed = true
    this.#describe()
  }

  #isKnown({ topic, topicId, partition }: TopicPartition): boolean {
    const known = this.#subscription.facts.get(topic)
    return known?.topicId === topicId && partition < known.partitions
  }

  #answered(result: HeartbeatResult): void {
    if (result.assign) this.#assignment.begin(this.memberId)
    if (this.#isHeartbeatUntold) return
    this.#isHeartbeatUntold = true
    void this.#calls.add(() => {
      this.#isHeartbeatUntold = false
      this.#parts.listener.onHeartbeat()
    })
  }

  /** All is lost, and is known to be before anything is given anew. */
  async #expelled(): Promise<void> {
    this.#parts.logger.warn(`group ${this.#parts.options.groupId} has expelled ${this.memberId}: it joins again`)
    this.#announcements.call()
    this.#link.renew()
    await this.#ownership.lose()
    if (!this.#stopped) this.#describe()
  }

  #heard(message: GroupMessage): void {
    if (this.#stopped) return
    const { memberId, assignmentEpoch } = this.#link
    if (message.kind === 'assign' && message.memberId === memberId) this.#assignment.begin(memberId)
    this.#announcements.heard(message, { memberId, assignmentEpoch, waiting: this.#ownership.waiting })
    if (this.#announcements.callForSync) this.#loop.ring()
  }

  /** The subscribed topics were looked up anew. */
  #looked(): void {
    if (!this.#isSubscribed) return
    this.#describe()
    // One member tells of the topics that are gone: who has their first partition.
    const { facts } = this.#subscription
    for (const { topic, topicId, partition } of this.#link.target) {
      if (partition === 0 && !facts.has(topic)) this.#profile.reportGone(topic, topicId)
    }
    this.#loop.ring()
  }

  #describe(): void {
    try {
      this.#profile.describe(this.#subscription.topics, this.#subscription.facts)
    } catch (error) {
      this.#fail(error)
    }
  }

  #syncSoon(): void {
    this.#announcements.call()
    this.#loop.ring()
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#stop()
    if (!this.#hasSettled) return this.#firstJoin.reject(error)
    try {
      this.#parts.listener.onFailed(error instanceof Error ? error : new Error(String(error), { cause: error }))
    } catch (thrown) {
      this.#parts.logger.error(`a listener has failed: ${String(thrown)}`)
    }
  }

  #stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#calls.close()
    this.#subscription.stop()
    this.#assignment.stop()
    this.#loop.stop(this.#closed())
  }

  #closed(): KafkaError {
    return new KafkaError('CLIENT_CLOSED', `${this.memberId} is not a member of group ${this.#parts.options.groupId}`)
  }
}
