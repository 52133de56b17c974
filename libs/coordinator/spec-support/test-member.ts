import type {
  GroupStore,
  HeartbeatResult,
  MemberRecord,
  OffsetCommit,
  OwnedPartition,
  SyncRequest,
  SyncResult,
  TopicFacts,
  TopicPartition,
} from '../src/types.js'

/** A topic's id in these specs. */
export const topicId = (topic: string): string => `id-of-${topic}`

/** 'orders-0' as a partition. */
export function partition(name: string): TopicPartition {
  const [, topic = '', number = ''] = /^(.*)-(\d+)$/.exec(name) ?? []
  return { topic, topicId: topicId(topic), partition: Number(number) }
}

/** Partitions as 'orders-0', sorted. */
export function names(partitions: readonly TopicPartition[]): string[] {
  return partitions.map((one) => `${one.topic}-${one.partition}`).toSorted()
}

export function facts(partitionsByTopic: Readonly<Record<string, number>>): TopicFacts[] {
  return Object.entries(partitionsByTopic).map(([topic, partitions]) => ({
    topic,
    topicId: topicId(topic),
    partitions,
  }))
}

export function offset(name: string, value: number, more: Partial<OffsetCommit> = {}): OffsetCommit {
  return { ...partition(name), offset: value, leaderEpoch: null, metadata: null, grant: 0, ...more }
}

export interface TestMemberOptions {
  readonly instanceId?: string | null
  /** Topics that it subscribes, with their numbers of partitions. */
  readonly topics?: Readonly<Record<string, number>>
  readonly assigners?: readonly string[]
  readonly sessionTimeout?: number
}

export const SESSION = 30_000
export const STALL = 15_000

/** Calls a store as a member does: it remembers what it was answered last. */
export class TestMember {
  epoch = 0
  assignmentEpoch = 0
  owned: readonly OwnedPartition[] = []
  topics: Readonly<Record<string, number>>
  readonly sessionTimeout: number
  readonly record: MemberRecord

  constructor(
    readonly store: GroupStore,
    readonly groupId: string,
    readonly memberId: string,
    {
      instanceId = null,
      topics = { orders: 4 },
      assigners = ['range'],
      sessionTimeout = SESSION,
    }: TestMemberOptions = {},
  ) {
    this.topics = topics
    this.sessionTimeout = sessionTimeout
    this.record = {
      clientId: 'client',
      clientHost: '/host',
      instanceId,
      topics: Object.keys(topics).toSorted(),
      assigners: assigners.map((name) => ({ name, metadata: '' })),
      sessionTimeout,
      rebalanceTimeout: 60_000,
    }
  }

  join(changes: Partial<SyncRequest> = {}): Promise<SyncResult> {
    return this.sync({ record: this.record, raiseEpoch: true, ...changes })
  }

  async sync(changes: Partial<SyncRequest> = {}): Promise<SyncResult> {
    const result = await this.store.sync(this.groupId, {
      ...this.#known(),
      record: null,
      raiseEpoch: false,
      topics: facts(this.topics),
      owned: this.owned,
      release: [],
      ...changes,
    })
    this.#learn(result)
    this.owned = result.owned
    return result
  }

  async heartbeat(): Promise<HeartbeatResult> {
    const result = await this.store.heartbeat(this.groupId, this.#known())
    this.#learn(result)
    return result
  }

  /** Lets go of some of what it owns. */
  release(...partitions: string[]): Promise<SyncResult> {
    return this.sync({ release: partitions.map((name) => this.own(name)) })
  }

  /** What it owns of that name. */
  own(name: string): OwnedPartition {
    const own = this.owned.find((one) => names([one])[0] === name)
    if (own === undefined) throw new Error(`${this.memberId} does not own ${name}`)
    return own
  }

  /** Installs a target for the epoch that it knows: partitions by member id. */
  install(target: Readonly<Record<string, readonly string[]>>, protocols = ['range']): Promise<boolean> {
    return this.store.install(this.groupId, this.epoch, {
      assigner: 'range',
      leaderId: this.memberId,
      target: new Map(Object.entries(target).map(([id, partitions]) => [id, partitions.map(partition)])),
      topics: facts(this.topics),
      protocols,
    })
  }

  /** Commits one offset of what it owns. @returns null, or the error's name */
  async commit(name: string, value: number, grant = this.own(name).grant): Promise<string | null> {
    const [outcome] = await this.store.commit(this.groupId, this.memberId, [offset(name, value, { grant })])
    return outcome?.type ?? null
  }

  leave(): Promise<void> {
    return this.store.leave(this.groupId, this.memberId)
  }

  #known() {
    const { memberId, epoch, assignmentEpoch, sessionTimeout } = this
    return { memberId, epoch, assignmentEpoch, sessionTimeout, stallAfter: STALL }
  }

  #learn({ epoch, assignmentEpoch }: HeartbeatResult): void {
    this.epoch = epoch
    this.assignmentEpoch = assignmentEpoch
  }
}
