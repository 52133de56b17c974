import { KafkaError } from '@rivulet/protocol'
import { partitionName } from '../src/partition-name.js'
import type {
  CommitOutcome,
  CommittedOffset,
  GroupMessage,
  GroupSnapshot,
  HeartbeatRequest,
  HeartbeatResult,
  MemberRecord,
  OffsetCommit,
  OwnedPartition,
  SyncRequest,
  SyncResult,
  TargetAssignment,
  TopicFacts,
  TopicPartition,
} from '../src/types.js'

const LEASE_MS = 300

interface Member {
  record: MemberRecord
  sessionTimeout: number
  deadline: number
}

interface Owner extends OwnedPartition {
  readonly memberId: string
  readonly released: boolean
}

type Installation = {
  readonly assigner: string
  readonly leaderId: string
  readonly target: TargetAssignment
  readonly topics: readonly TopicFacts[]
}

/** One group in memory: each method is one atomic step of a GroupStore. */
export class MemoryGroup {
  epoch = 0
  assignmentEpoch = 0
  readonly members = new Map<string, Member>()
  /** Every grant ever made, in order. */
  readonly grants: Owner[] = []
  private assigner = ''
  private leaderId = ''
  private target: TargetAssignment = new Map()
  private topics = new Map<string, TopicFacts>()
  private readonly owners = new Map<string, Owner>()
  private readonly offsets = new Map<string, CommittedOffset>()
  private readonly instances = new Map<string, string>()
  private readonly fenced = new Set<string>()
  private lease: { readonly memberId: string; readonly until: number } | null = null
  private heartbeatAt: number
  private emptySince: number | null = null

  constructor(
    readonly groupId: string,
    private readonly now: () => number,
    private readonly announce: (message: GroupMessage) => void,
  ) {
    this.heartbeatAt = now()
  }

  heartbeat(request: HeartbeatRequest): HeartbeatResult {
    this.live(request)
    this.member(request.memberId).deadline = this.now() + request.sessionTimeout
    this.expire()
    return this.answer(request.memberId)
  }

  sync(request: SyncRequest): SyncResult {
    this.live(request)
    const { memberId, record } = request
    const known = this.members.get(memberId)
    if (known !== undefined) known.deadline = this.now() + request.sessionTimeout
    this.expire()
    let raise = this.learn(request.topics)
    if (known === undefined) raise = this.join(memberId, record, request.sessionTimeout) || raise
    else if (record !== null) {
      known.record = record
      raise ||= request.raiseEpoch
    }
    if (raise) this.epoch++
    this.adopt(memberId, request.owned)
    this.release(memberId, request.release)
    const granted = this.claim(memberId)
    return {
      ...this.answer(memberId),
      leaderId: this.leaderId,
      assigner: this.assigner,
      target: this.target.get(memberId) ?? [],
      owned: this.ownedBy(memberId),
      granted: granted.map((partition) => ({
        ...partition,
        committed: this.offsets.get(partitionName(partition)) ?? null,
      })),
      waiting: (this.target.get(memberId) ?? []).filter(
        (partition) => this.owners.get(partitionName(partition))?.memberId !== memberId,
      ),
    }
  }

  install(epoch: number, { assigner, leaderId, target, topics }: Installation): boolean {
    if (epoch !== this.epoch || this.assignmentEpoch >= epoch) return false
    const differs = [...target].filter(
      ([memberId, partitions]) =>
        !this.target.has(memberId) || text(this.target.get(memberId) ?? []) !== text(partitions),
    )
    this.target = target
    this.assigner = assigner
    this.leaderId = leaderId
    this.topics = new Map(topics.map((facts) => [facts.topic, facts]))
    this.assignmentEpoch = epoch
    this.lease = null
    this.announce({ kind: 'target', epoch, memberIds: differs.map(([memberId]) => memberId) })
    return true
  }

  leave(memberId: string): void {
    if (!this.members.has(memberId)) return
    this.remove(memberId)
    const [heir] = this.members.keys()
    if (heir !== undefined && this.takeLease(heir)) this.announce({ kind: 'assign', memberId: heir })
  }

  commit(memberId: string | null, commits: readonly OffsetCommit[]): CommitOutcome[] {
    if (memberId === null ? this.members.size > 0 : !this.members.has(memberId)) {
      throw new KafkaError(memberId === null ? 'NON_EMPTY_GROUP' : 'UNKNOWN_MEMBER_ID')
    }
    return commits.map(({ offset, leaderEpoch, metadata, grant, ...partition }) => {
      const owner = this.owners.get(partitionName(partition))
      const isOwn = owner !== undefined && owner.grant === grant && owner.memberId === memberId
      if (!isOwn && !(grant === 0 && (owner === undefined || owner.released)))
        return new KafkaError('ILLEGAL_GENERATION')
      this.offsets.set(partitionName(partition), { offset, leaderEpoch, metadata, committedAt: this.now() })
      return null
    })
  }

  committed(partition: TopicPartition): CommittedOffset | null {
    return this.offsets.get(partitionName(partition)) ?? null
  }

  allCommitted(): ReadonlyMap<string, CommittedOffset> {
    return new Map(this.offsets)
  }

  deleteOffset(partition: TopicPartition): void {
    this.offsets.delete(partitionName(partition))
  }

  snapshot(): GroupSnapshot {
    const members = [...this.members]
    return {
      groupId: this.groupId,
      epoch: this.epoch,
      assignmentEpoch: this.assignmentEpoch,
      assigner: this.assigner,
      leaderId: this.leaderId,
      members: new Map(members.map(([memberId, { record }]) => [memberId, record])),
      target: this.target,
      owned: new Map(members.map(([memberId]) => [memberId, this.ownedBy(memberId)])),
      emptySince: this.emptySince,
      now: this.now(),
    }
  }

  /** Loses the latest epochs and grants, as a failover to a replica that was behind does. */
  loseTail(): void {
    this.epoch = Math.max(0, this.epoch - 1)
    this.assignmentEpoch = Math.min(this.assignmentEpoch, this.epoch)
    this.owners.clear()
    this.grants.length = 0
  }

  /** Forgets a member, as if its session had expired. */
  expel(memberId: string): void {
    this.remove(memberId)
  }

  private live({ memberId, epoch, stallAfter, ...request }: HeartbeatRequest & Partial<SyncRequest>): void {
    const now = this.now()
    if (now - this.heartbeatAt > stallAfter) {
      for (const member of this.members.values()) {
        member.deadline = Math.max(member.deadline, now + member.sessionTimeout)
      }
    }
    this.heartbeatAt = now
    if (epoch > this.epoch) this.epoch = epoch + 1
    if (this.fenced.has(memberId)) throw new KafkaError('FENCED_INSTANCE_ID')
    const isJoin = request.record !== undefined && request.record !== null
    if (!this.members.has(memberId) && !isJoin) throw new KafkaError('UNKNOWN_MEMBER_ID')
  }

  private expire(): void {
    for (const [memberId, { deadline }] of this.members) if (deadline <= this.now()) this.remove(memberId)
  }

  private member(memberId: string): Member {
    const member = this.members.get(memberId)
    if (member === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID')
    return member
  }

  /** @returns whether it asks for another assignment */
  private join(memberId: string, record: MemberRecord | null, sessionTimeout: number): boolean {
    if (record === null) throw new KafkaError('UNKNOWN_MEMBER_ID')
    const names = new Set(record.assigners.map(({ name }) => name))
    const shares = [...this.members.values()].every((member) =>
      member.record.assigners.some(({ name }) => names.has(name)),
    )
    if (!shares) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
    const former = record.instanceId === null ? undefined : this.instances.get(record.instanceId)
    const formerMember = former === undefined ? undefined : this.members.get(former)
    this.members.set(memberId, { record, sessionTimeout, deadline: this.now() + sessionTimeout })
    this.emptySince = null
    if (record.instanceId !== null) this.instances.set(record.instanceId, memberId)
    if (former === undefined || formerMember === undefined) return true
    this.takeOver(former, memberId)
    return formerMember.record.topics.join() !== record.topics.join()
  }

  private takeOver(former: string, memberId: string): void {
    this.members.delete(former)
    this.fenced.add(former)
    const target = new Map(this.target)
    target.set(memberId, target.get(former) ?? [])
    target.delete(former)
    this.target = target
    for (const [key, owner] of this.owners) {
      if (owner.memberId === former) this.owners.set(key, { ...owner, released: true })
    }
  }

  private remove(memberId: string): void {
    const instanceId = this.members.get(memberId)?.record.instanceId ?? null
    this.members.delete(memberId)
    if (instanceId !== null && this.instances.get(instanceId) === memberId) this.instances.delete(instanceId)
    const target = new Map(this.target)
    target.delete(memberId)
    this.target = target
    const freed = [...this.owners].filter(([, owner]) => owner.memberId === memberId && !owner.released)
    for (const [key, owner] of freed) this.owners.set(key, { ...owner, released: true })
    if (freed.length > 0) this.announce({ kind: 'free', partitions: freed.map(([key]) => key) })
    this.epoch++
    if (this.members.size === 0) this.emptySince = this.now()
  }

  private learn(topics: readonly TopicFacts[]): boolean {
    let isNew = false
    for (const facts of topics) {
      const known = this.topics.get(facts.topic)
      if (known?.topicId === facts.topicId && known.partitions >= facts.partitions) continue
      this.topics.set(facts.topic, facts)
      isNew = true
    }
    return isNew
  }

  private adopt(memberId: string, owned: readonly OwnedPartition[]): void {
    const named = new Set<string>()
    for (const { topic, topicId, partition, grant } of owned) {
      const key = partitionName({ topicId, partition })
      const owner = this.owners.get(key)
      if (owner === undefined || owner.grant < grant) {
        this.owners.set(key, { topic, topicId, partition, grant, memberId, released: false })
        const last = this.grants.at(-1)
        if (last === undefined || last.grant < grant)
          this.grants.push({ topic, topicId, partition, grant, memberId, released: false })
      }
      const present = this.owners.get(key)
      if (present?.grant === grant && present.memberId === memberId) named.add(key)
    }
    // What the member does not know of it cannot use: the answer that gave it got lost.
    for (const [key, owner] of this.owners) {
      if (owner.memberId === memberId && !owner.released && !named.has(key)) {
        this.owners.set(key, { ...owner, released: true })
        this.announce({ kind: 'free', partitions: [key] })
      }
    }
  }

  private release(memberId: string, release: readonly OwnedPartition[]): void {
    const freed: string[] = []
    for (const partition of release) {
      const key = partitionName(partition)
      const owner = this.owners.get(key)
      if (owner?.memberId !== memberId || owner.grant !== partition.grant || owner.released) continue
      this.owners.set(key, { ...owner, released: true })
      freed.push(key)
    }
    if (freed.length > 0) this.announce({ kind: 'free', partitions: freed })
  }

  private claim(memberId: string): OwnedPartition[] {
    const granted: OwnedPartition[] = []
    for (const { topic, topicId, partition } of this.target.get(memberId) ?? []) {
      const key = partitionName({ topicId, partition })
      const owner = this.owners.get(key)
      if (owner !== undefined && !owner.released && this.members.has(owner.memberId)) continue
      const grant = (this.grants.at(-1)?.grant ?? 0) + 1
      const record = { topic, topicId, partition, grant, memberId, released: false }
      this.owners.set(key, record)
      this.grants.push(record)
      granted.push({ topic, topicId, partition, grant })
    }
    return granted
  }

  private ownedBy(memberId: string): OwnedPartition[] {
    return [...this.owners.values()]
      .filter((owner) => owner.memberId === memberId && !owner.released)
      .map(({ topic, topicId, partition, grant }) => ({ topic, topicId, partition, grant }))
  }

  private takeLease(memberId: string): boolean {
    if (this.epoch <= this.assignmentEpoch) return false
    const isFree = this.lease === null || this.lease.until <= this.now() || !this.members.has(this.lease.memberId)
    if (isFree) this.lease = { memberId, until: this.now() + LEASE_MS }
    return this.lease?.memberId === memberId
  }

  private answer(memberId: string): HeartbeatResult {
    const others = [...this.members].filter(([id]) => id !== memberId).map(([, { deadline }]) => deadline)
    const { epoch, assignmentEpoch } = this
    const nextExpiry = Math.max(0, Math.min(...others, Number.MAX_SAFE_INTEGER) - this.now())
    return { epoch, assignmentEpoch, assign: this.takeLease(memberId), nextExpiry }
  }
}

const text = (partitions: readonly TopicPartition[]): string => partitions.map(partitionName).sort().join(' ')
