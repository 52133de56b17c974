import type { KafkaError } from '@rivulet/protocol'
import type { SeenEpoch } from '@rivulet/storage'

/** One partition, by its topic's id: a topic that is deleted and made again has other partitions. */
export interface TopicPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

/** An offset that a group has committed for a partition: the next one to read. */
export interface CommittedOffset {
  readonly offset: number
  /** The leader epoch of the record before it, and where that began; null where the committer knew none (Kafka's KIP-320). */
  readonly leaderEpoch: SeenEpoch | null
  readonly metadata: string | null
  /** When it was committed, on the server's clock, ms. */
  readonly committedAt: number
}

/**
 * A partition that a member owns. The grant is the number under which it was given: no two grants of a group are the same,
 * and each is greater than all before it. A commit carries it, and is refused when the partition has been given to anyone
 * since, the same member included.
 */
export interface OwnedPartition extends TopicPartition {
  readonly grant: number
}

/** A partition just given, and where its last owner got to. */
export interface GrantedPartition extends OwnedPartition {
  /** null: nothing is committed (or it has expired). */
  readonly committed: CommittedOffset | null
}

/** What a member tells the group of itself. Stored as JSON. */
export interface MemberRecord {
  readonly clientId: string
  readonly clientHost: string
  /** Kafka's group.instance.id; null: a dynamic member. */
  readonly instanceId: string | null
  /** The topics that it wants, regular expressions resolved, sorted. */
  readonly topics: readonly string[]
  /** The assigners that it can work with, the preferred one first, each with what it wants to tell that assigner (base64). */
  readonly assigners: readonly { readonly name: string; readonly metadata: string }[]
  /** ms */
  readonly sessionTimeout: number
  /** ms */
  readonly rebalanceTimeout: number
}

/**
 * A topic as a member knows it: what a target assignment was computed from. One that is gone has the id '-', which no topic
 * has, and no partitions.
 */
export interface TopicFacts {
  readonly topic: string
  readonly topicId: string
  readonly partitions: number
}

/** Who shall own what, by member id. Every member has an entry, be it empty. */
export type TargetAssignment = ReadonlyMap<string, readonly TopicPartition[]>

/** Everything that is stored of a group's membership, at one moment. */
export interface GroupSnapshot {
  readonly groupId: string
  /** Raised by each change of members, subscriptions, partition counts. kafkajs shows it as the generation id. */
  readonly epoch: number
  /** The epoch that the target assignment was computed for; below `epoch`: another one is needed. */
  readonly assignmentEpoch: number
  /** The assigner that computed the target, '' before the first; and the member that ran it, '' likewise. */
  readonly assigner: string
  readonly leaderId: string
  readonly members: ReadonlyMap<string, MemberRecord>
  readonly target: TargetAssignment
  /** The partitions that are owned at the moment, by member id. */
  readonly owned: ReadonlyMap<string, readonly OwnedPartition[]>
  /** When the last member went, on the server's clock, ms; null while there are members. */
  readonly emptySince: number | null
  /** The server's clock, ms. */
  readonly now: number
}

export type GroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

export interface OffsetCommit extends TopicPartition {
  readonly offset: number
  readonly leaderEpoch: SeenEpoch | null
  readonly metadata: string | null
  /** Under which grant the committer worked; 0: it does not own the partition. */
  readonly grant: number
}

/** What became of one commit; null: it is stored. */
export type CommitOutcome = KafkaError | null

export interface HeartbeatRequest {
  readonly memberId: string
  /** The epochs that the member knows. */
  readonly epoch: number
  readonly assignmentEpoch: number
  /** ms */
  readonly sessionTimeout: number
  /**
   * After so many ms without any heartbeat of any member the group counts as having been stalled: deadlines are moved on
   * before anybody is expired.
   */
  readonly stallAfter: number
}

export interface HeartbeatResult {
  readonly epoch: number
  readonly assignmentEpoch: number
  /** This member is to compute the target assignment, now; nobody else is told so before the lease is over. */
  readonly assign: boolean
  /** The first other member's deadline is so many ms away (at least 0): a heartbeat then finds out whether it is dead. */
  readonly nextExpiry: number
}

export interface SyncRequest extends HeartbeatRequest {
  /** To join, or when what the member tells of itself has changed; null: it is as it was. */
  readonly record: MemberRecord | null
  /** Whether a changed record asks for another assignment; a join always does. */
  readonly raiseEpoch: boolean
  /** The subscribed topics as the member knows them: a topic or partitions that the group has not heard of raise the epoch. */
  readonly topics: readonly TopicFacts[]
  /** What the member believes to own: after a failover that lost it, the group believes it, too. */
  readonly owned: readonly OwnedPartition[]
  /** What it lets go of, having committed. */
  readonly release: readonly OwnedPartition[]
}

export interface SyncResult extends HeartbeatResult {
  readonly leaderId: string
  readonly assigner: string
  /** What the member shall own. */
  readonly target: readonly TopicPartition[]
  /** What it does own, after this call: a part of `owned` and what was granted now. All else is lost. */
  readonly owned: readonly OwnedPartition[]
  /** The part of `owned` that this call has granted. */
  readonly granted: readonly GrantedPartition[]
  /** The part of the target that other members have not let go of yet. */
  readonly waiting: readonly TopicPartition[]
}

/** What is announced to all members of a group. */
export type GroupMessage =
  /** The target is older than the group; that member computes the new one. */
  | { readonly kind: 'assign'; readonly memberId: string }
  /** There is a new target; for these members it differs from the one before, or they have never seen one. */
  | { readonly kind: 'target'; readonly epoch: number; readonly memberIds: readonly string[] }
  /** Partitions ("<topic id>:<partition>") have been let go of. */
  | { readonly kind: 'free'; readonly partitions: readonly string[] }
  /** Messages may have been missed. */
  | { readonly kind: 'missed' }

/**
 * The atomic steps of a group, all on its shard. Every call rejects with a KafkaError; what a lost connection leaves open
 * (NETWORK_EXCEPTION, REQUEST_TIMED_OUT) can be called again as it was.
 */
export interface GroupStore {
  /**
   * Renews the session, and expires members whose deadline has passed.
   * @throws KafkaError UNKNOWN_MEMBER_ID (expired, or never joined), FENCED_INSTANCE_ID, UNSUPPORTED_VERSION
   */
  heartbeat(groupId: string, request: HeartbeatRequest): Promise<HeartbeatResult>
  /**
   * A heartbeat that also joins (a group that does not exist is made), tells changes, lets go of partitions and takes
   * those that are free.
   * @throws KafkaError as heartbeat; INCONSISTENT_GROUP_PROTOCOL where the members share no assigner
   */
  sync(groupId: string, request: SyncRequest): Promise<SyncResult>
  /** Installs a target for that epoch, unless the group has moved on: false. Tells the members whose target changes. */
  install(
    groupId: string,
    epoch: number,
    installation: {
      readonly assigner: string
      readonly leaderId: string
      readonly target: TargetAssignment
      readonly topics: readonly TopicFacts[]
      /** Of the members' assigners, the names that all of them know. */
      readonly protocols: readonly string[]
    },
  ): Promise<boolean>
  /** Leaves; what it owned is free. Nothing happens where it is no member. */
  leave(groupId: string, memberId: string): Promise<void>
  /** All of a group's membership; null where there is no such group. */
  snapshot(groupId: string): Promise<GroupSnapshot | null>
  /**
   * Stores offsets, each for itself.
   * @param memberId null: of no member, which needs a group without members (made if need be)
   * @returns for each commit, in order: null, or ILLEGAL_GENERATION where the partition has been given to anyone since, or
   *   OFFSET_METADATA_TOO_LARGE
   * @throws KafkaError for all of them: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID; NON_EMPTY_GROUP (memberId null)
   */
  commit(groupId: string, memberId: string | null, commits: readonly OffsetCommit[]): Promise<readonly CommitOutcome[]>
  /** The committed offsets of these partitions, in order; expired ones count as none. */
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly (CommittedOffset | null)[]>
  /** All partitions with committed offsets, by "<topic id>:<partition>"; a group that does not exist has none. */
  allCommitted(groupId: string): Promise<ReadonlyMap<string, CommittedOffset>>
  /** Deletes committed offsets. @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
  deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void>
  /** @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
  delete(groupId: string): Promise<void>
  /** The ids of all groups, sorted. */
  list(): Promise<readonly string[]>
  /** Calls the listener at each message to the group's members. @returns what takes the listener away */
  watch(groupId: string, listener: (message: GroupMessage) => void): Promise<() => Promise<void>>
}

/** What a consumer group's member wants. */
export interface MemberOptions {
  readonly groupId: string
  readonly clientId: string
  readonly instanceId: string | null
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly heartbeatInterval: number
  /** The assigners it can work with, the preferred one first. */
  readonly assigners: readonly GroupAssigner[]
  readonly subscription: TopicSubscription
}

/** What is subscribed: names, and patterns that are matched anew whenever topics appear. */
export interface TopicSubscription {
  readonly topics: readonly string[]
  readonly patterns: readonly RegExp[]
}

/** Computes target assignments, perhaps by an application's own code. */
export interface GroupAssigner {
  readonly name: string
  /** What a member tells the assigner of itself, when it joins and whenever what it owns has changed. */
  metadata(topics: readonly string[]): Buffer
  /**
   * Shares out all partitions of the topics. Need not be synchronous: an application's may look at things.
   * @throws whatever the application's own throws: the member that ran it fails
   */
  assign(input: AssignmentInput): Promise<TargetAssignment> | TargetAssignment
}

export interface AssignmentInput {
  readonly members: ReadonlyMap<string, AssignmentMember>
  /** Every topic that a member is subscribed to and that exists, by name. */
  readonly topics: ReadonlyMap<string, TopicFacts>
  /** Who owned or was to own what before: what sticky assigners start from. Members that are gone are left out. */
  readonly previous: TargetAssignment
}

export interface AssignmentMember {
  readonly topics: readonly string[]
  readonly instanceId: string | null
  /** What it told this assigner. */
  readonly metadata: Buffer
}

/**
 * What a membership tells the consumer. Each call begins when the one before has ended, or takes longer than the rebalance
 * timeout; only a revocation holds up no other: partitions can be assigned, or lost, while others are being revoked. What
 * they throw ends the membership.
 */
export interface MemberListener {
  /** A change is under way that concerns this member. */
  onRebalancing(): void
  /** Partitions are this member's from now on. */
  onAssigned(partitions: readonly GrantedPartition[]): void | Promise<void>
  /**
   * Partitions are to go to others: nothing of them is to be handed out from the call on; when the promise resolves, what
   * was done is committed. They are let go of then, and at the latest after the rebalance timeout.
   */
  onRevoked(partitions: readonly OwnedPartition[]): Promise<void>
  /** Partitions are gone, others may own them already: nothing of them can be committed any more. */
  onLost(partitions: readonly OwnedPartition[]): void | Promise<void>
  /** The member owns what it shall own; told of every target, changed or not. */
  onSettled(assignment: SettledAssignment): void
  /** The assigner, run by this member, gave it topics that it is not subscribed to: it does not get them. */
  onUnsubscribedTopics?(topics: readonly string[]): void
  /** A heartbeat was answered. */
  onHeartbeat(): void
  /** The membership has ended by an error that trying again does not cure. Told once; nothing follows. */
  onFailed(error: Error): void
}

export interface SettledAssignment {
  readonly epoch: number
  readonly leaderId: string
  readonly assigner: string
  readonly owned: readonly OwnedPartition[]
  /** Since the change was noticed, ms. */
  readonly duration: number
}

/** One consumer's membership of one group, from joining to leaving. */
export interface GroupMembership {
  /** Changes when the member was expelled and has joined again. */
  readonly memberId: string
  readonly epoch: number
  readonly leaderId: string
  /** What the member owns, as far as it knows. */
  readonly owned: readonly OwnedPartition[]
  /**
   * Joins; resolves when the member owns what it shall own for the first time. Heartbeats go on in the background from
   * then on, whatever handlers do.
   * @throws KafkaError what kept it from joining
   */
  join(): Promise<void>
  /**
   * Whether the session cannot have expired yet: a heartbeat that was answered was sent less than a session ago. While it is
   * not, nothing may be handed out (a process that was frozen finds out here); `heartbeat()` tells.
   */
  readonly isLive: boolean
  /** A heartbeat now. @throws KafkaError when it is not answered, or the member is expelled */
  heartbeat(): Promise<void>
  /** Commits. @returns as GroupStore.commit @throws as GroupStore.commit */
  commit(commits: readonly OffsetCommit[]): Promise<readonly CommitOutcome[]>
  /**
   * Leaves at once; a static member only stops its heartbeats. Nothing is revoked: who leaves has committed. Never rejects;
   * takes no longer than the deadline, ms.
   */
  leave(deadline: number): Promise<void>
}
