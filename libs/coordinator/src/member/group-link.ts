import { randomUUID } from 'node:crypto'
import type {
  CommitOutcome,
  GroupStore,
  HeartbeatRequest,
  HeartbeatResult,
  MemberOptions,
  OffsetCommit,
  OwnedPartition,
  SyncResult,
  TopicPartition,
} from '../types.js'
import type { MemberProfile } from './member-profile.js'

type Epochs = Pick<HeartbeatResult, 'epoch' | 'assignmentEpoch'>

const NO_NEWS = { record: null, raiseEpoch: false, topics: [] } as const

/** One member's talk with its group: under which name, what it has been told, and whether it is in step. */
export class GroupLink {
  readonly #store: GroupStore
  readonly #options: MemberOptions
  readonly #profile: MemberProfile
  #memberId: string
  #leaderId = ''
  #target: readonly TopicPartition[] = []
  /** The epochs that were last heard of, and those that the member is in step with. */
  #known: Epochs = { epoch: 0, assignmentEpoch: 0 }
  #synced: Epochs = this.#known
  /** A join was sent. */
  #mayBeMember = false

  constructor(store: GroupStore, options: MemberOptions, profile: MemberProfile) {
    this.#store = store
    this.#options = options
    this.#profile = profile
    this.#memberId = newMemberId(options)
  }

  get memberId(): string {
    return this.#memberId
  }

  get leaderId(): string {
    return this.#leaderId
  }

  /** The group's epoch, as it was last heard of. */
  get epoch(): number {
    return this.#known.epoch
  }

  /** The epoch of the target that the member is in step with. */
  get assignmentEpoch(): number {
    return this.#synced.assignmentEpoch
  }

  /** What the member shall own, as of the last sync. */
  get target(): readonly TopicPartition[] {
    return this.#target
  }

  /** The group has something to tell the member, or the member the group. */
  get isOutOfStep(): boolean {
    const { epoch, assignmentEpoch } = this.#synced
    return epoch !== this.#known.epoch || assignmentEpoch !== this.#known.assignmentEpoch || this.#profile.news !== null
  }

  /** @throws KafkaError as GroupStore.heartbeat */
  async heartbeat(): Promise<HeartbeatResult> {
    const result = await this.#store.heartbeat(this.#options.groupId, this.#request())
    this.#known = result
    return result
  }

  /** Tells what is news, what the member owns, and what it lets go of. @throws KafkaError as GroupStore.sync */
  async sync(owned: readonly OwnedPartition[], release: readonly OwnedPartition[]): Promise<SyncResult> {
    const { news } = this.#profile
    const { record, raiseEpoch, topics } = news ?? NO_NEWS
    this.#mayBeMember = true
    const result = await this.#store.sync(this.#options.groupId, {
      ...this.#request(),
      ...{ record, raiseEpoch, topics, owned, release },
    })
    if (news !== null) this.#profile.told(news)
    this.#known = result
    this.#synced = result
    this.#leaderId = result.leaderId
    this.#target = result.target
    return result
  }

  /** @throws KafkaError as GroupStore.commit */
  commit(commits: readonly OffsetCommit[]): Promise<readonly CommitOutcome[]> {
    return this.#store.commit(this.#options.groupId, this.#memberId, commits)
  }

  /** A static member only falls silent: it may be back before its session is over. */
  async leave(): Promise<void> {
    const { groupId, instanceId } = this.#options
    if (this.#mayBeMember && instanceId === null) await this.#store.leave(groupId, this.#memberId)
  }

  /** The group does not know the member any more: it is another one from now on. */
  renew(): void {
    this.#memberId = newMemberId(this.#options)
    this.#profile.forgotten()
  }

  #request(): HeartbeatRequest {
    const { sessionTimeout, heartbeatInterval } = this.#options
    const { epoch, assignmentEpoch } = this.#known
    // More than a heartbeat interval, or every group would count as stalled and no dead member be expelled; well below a
    // session, or all would be expelled before it counts.
    const stallAfter = (sessionTimeout + heartbeatInterval) / 2
    return { memberId: this.#memberId, epoch, assignmentEpoch, sessionTimeout, stallAfter }
  }
}

const newMemberId = ({ clientId }: MemberOptions): string => `${clientId}-${randomUUID()}`
