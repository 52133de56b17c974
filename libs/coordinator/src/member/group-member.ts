import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { KafkaError } from '@rivulet/protocol'
import type {
  CommitOutcome,
  GroupMembership,
  GroupMessage,
  HeartbeatRequest,
  HeartbeatResult,
  MemberOptions,
  OffsetCommit,
  OwnedPartition,
  SyncResult,
  TopicPartition,
} from '../types.js'
import { Announcements } from './announcements.js'
import { Assignment } from './assignment.js'
import { Deferred } from './deferred.js'
import type { GroupMemberParts } from './group-member-parts.js'
import { ListenerQueue } from './listener-queue.js'
import { MemberLoop } from './member-loop.js'
import { MemberProfile } from './member-profile.js'
import { Ownership } from './ownership.js'
import { Subscription } from './subscription.js'
import { within } from './within.js'

/** After a failure to read or store what an assignment needs, a heartbeat tells within so long whether it is still needed, ms. */
const ASSIGN_AGAIN_MS = 200

const NO_NEWS = { record: null, raiseEpoch: false, topics: [] } as const

type Epochs = Pick<HeartbeatResult, 'epoch' | 'assignmentEpoch'>

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
  readonly #assignment: Assignment
  readonly #loop: MemberLoop
  readonly #announcements = new Announcements()
  readonly #firstJoin = new Deferred()

  #memberId: string
  #leaderId = ''
  /** The epochs that were last heard of, and those that the member is in step with. */
  #known: Epochs = { epoch: 0, assignmentEpoch: 0 }
  #synced: Epochs = this.#known
  #target: readonly TopicPartition[] = []
  /** A join was sent. */
  #mayBeMember = false
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
    this.#memberId = newMemberId(options)
    this.#profile = new MemberProfile(options, parts.clientHost ?? `/${hostname()}`)
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
      isOver: (memberId) => this.#stopped || memberId !== this.#memberId,
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
    return this.#memberId
  }

  get epoch(): number {
    return this.#known.epoch
  }

  get leaderId(): string {
    return this.#leaderId
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
      const outcomes = await this.#parts.store.commit(this.#parts.options.groupId, this.#memberId, commits)
      const refused = commits.filter((_, i) => outcomes[i]?.type === 'ILLEGAL_GENERATION')
      if (this.#ownership.refused(refused)) this.#syncSoon()
      return outcomes
    } catch (error) {
      // The loop finds out by a heartbeat, and joins again: that need not wait for its time.
      if (error instanceof KafkaError && error.type === 'UNKNOWN_MEMBER_ID') this.#loop.beatWithin(0)
      throw error
    }
  }

  async leave(deadline: number): Promise<void> {
    this.#stop()
    this.#firstJoin.reject(this.#closed())
    await within(this.#leave(), deadline)
  }

  async #leave(): Promise<void> {
    const { store, options } = this.#parts
    // The sync under way might join once more.
    await this.#ended
    if (this.#mayBeMember && options.instanceId === null) await store.leave(options.groupId, this.#memberId)
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
    return (
      this.#announcements.callForSync ||
      this.#known.epoch !== this.#synced.epoch ||
      this.#known.assignmentEpoch !== this.#synced.assignmentEpoch ||
      this.#profile.news !== null ||
      this.#ownership.released.length > 0
    )
  }

  #request(): HeartbeatRequest {
    const { sessionTimeout, heartbeatInterval } = this.#parts.options
    // More than a heartbeat interval, or every group would count as stalled and no dead member be expelled; well below a
    // session, or all would be expelled before it counts.
    const stallAfter = (sessionTimeout + heartbeatInterval) / 2
    return { memberId: this.#memberId, ...this.#known, sessionTimeout, stallAfter }
  }

  async #heartbeat(answered: (result: HeartbeatResult) => void): Promise<void> {
    const result = await this.#parts.store.heartbeat(this.#parts.options.groupId, this.#request())
    if (this.#stopped) return
    answered(result)
    this.#answered(result)
  }

  async #sync(answered: (result: HeartbeatResult) => void): Promise<void> {
    const { store, options } = this.#parts
    await this.#begin()
    if (this.#stopped) throw this.#closed()
    const { news } = this.#profile
    const { record, raiseEpoch, topics } = news ?? NO_NEWS
    const { released: release } = this.#ownership
    const owned = [...this.#ownership.owned, ...release]
    this.#announcements.begin()
    this.#mayBeMember = true
    this.#ownership.noticed()
    let result: SyncResult | null = null
    try {
      result = await store.sync(options.groupId, { ...this.#request(), record, raiseEpoch, topics, owned, release })
    } finally {
      this.#announcements.end(result)
    }
    if (this.#stopped) return
    answered(result)
    if (news !== null) this.#profile.told(news)
    this.#synchronised(result, release)
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

  #synchronised(result: SyncResult, release: readonly OwnedPartition[]): void {
    this.#leaderId = result.leaderId
    this.#target = result.target
    this.#synced = { epoch: result.epoch, assignmentEpoch: result.assignmentEpoch }
    if (this.#ownership.apply(release, result)) this.#describe()
    this.#answered(result)
    const { facts } = this.#subscription
    const isKnown = ({ topic, topicId, partition }: TopicPartition): boolean => {
      const known = facts.get(topic)
      return known?.topicId === topicId && partition < known.partitions
    }
    if (!result.target.every(isKnown)) this.#subscription.refresh()
  }

  #answered(result: HeartbeatResult): void {
    this.#known = { epoch: result.epoch, assignmentEpoch: result.assignmentEpoch }
    if (result.assign) this.#assignment.begin(this.#memberId)
    if (this.#isHeartbeatUntold) return
    this.#isHeartbeatUntold = true
    void this.#calls.add(() => {
      this.#isHeartbeatUntold = false
      this.#parts.listener.onHeartbeat()
    })
  }

  /** All is lost, and is known to be before anything is given anew. */
  async #expelled(): Promise<void> {
    this.#parts.logger.warn(`group ${this.#parts.options.groupId} has expelled ${this.#memberId}: it joins again`)
    this.#announcements.call()
    this.#memberId = newMemberId(this.#parts.options)
    this.#profile.forgotten()
    await this.#ownership.lose()
    if (!this.#stopped) this.#describe()
  }

  #heard(message: GroupMessage): void {
    if (this.#stopped) return
    const memberId = this.#memberId
    if (message.kind === 'assign' && message.memberId === memberId) this.#assignment.begin(memberId)
    const { assignmentEpoch } = this.#synced
    this.#announcements.heard(message, { memberId, assignmentEpoch, waiting: this.#ownership.waiting })
    if (this.#announcements.callForSync) this.#loop.ring()
  }

  /** The subscribed topics were looked up anew. */
  #looked(): void {
    if (!this.#isSubscribed) return
    this.#describe()
    // One member asks for an assignment without the topics that are gone: who has their first partition.
    const { facts } = this.#subscription
    for (const { topic, topicId, partition } of this.#target) {
      if (partition === 0 && !facts.has(topic)) this.#profile.reportGone(topicId)
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
    return new KafkaError('CLIENT_CLOSED', `${this.#memberId} is not a member of group ${this.#parts.options.groupId}`)
  }
}

const newMemberId = ({ clientId }: MemberOptions): string => `${clientId}-${randomUUID()}`
