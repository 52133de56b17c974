import { KafkaError } from '@rivulet/protocol'
import type {
  CommitOutcome,
  CommittedOffset,
  GroupMessage,
  GroupSnapshot,
  GroupStore,
  HeartbeatRequest,
  HeartbeatResult,
  OffsetCommit,
  SyncRequest,
  SyncResult,
  TopicPartition,
} from '../src/types.js'
import { MemoryGroup } from './memory-group.js'

/** Groups in memory, and what a server's clients share of them: for specs of members without a server. */
export class MemoryGroups {
  readonly groups = new Map<string, MemoryGroup>()
  private readonly clients = new Set<MemoryGroupStore>()

  /** @param latency how long a call takes to the server, and its answer back, ms */
  constructor(
    private readonly now: () => number = () => performance.now(),
    readonly latency: () => number = () => 1,
  ) {}

  /** A client with a connection of its own, which can be disturbed. */
  connect(): MemoryGroupStore {
    const client = new MemoryGroupStore(this)
    this.clients.add(client)
    return client
  }

  group(groupId: string): MemoryGroup {
    let group = this.groups.get(groupId)
    if (group === undefined) {
      group = new MemoryGroup(groupId, this.now, (message) => {
        for (const client of this.clients) client.deliver(groupId, message)
      })
      this.groups.set(groupId, group)
    }
    return group
  }
}

type Installation = Parameters<GroupStore['install']>[2]

/** One client's view of MemoryGroups. Calls and messages take their time; the connection can be cut or frozen. */
export class MemoryGroupStore implements GroupStore {
  /** Every call that was sent, in order. */
  readonly calls: string[] = []
  /** What the next calls fail with before they reach the group, or, with `late`, after they have taken effect. */
  failures: { readonly error: Error; readonly late?: boolean }[] = []
  /** How much longer than others its calls and their answers take, ms. */
  delay = 0
  /** Whether messages do not come, as where SUBSCRIBE is not permitted. */
  deaf = false
  private readonly listeners = new Map<string, Set<(message: GroupMessage) => void>>()
  private isCut = false
  private thaw: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  constructor(private readonly server: MemoryGroups) {}

  /** From now on no call gets through, and no message comes. */
  cut(): void {
    this.isCut = true
  }

  /** The connection is back; what was announced meanwhile is missed. */
  restore(): void {
    this.isCut = false
    for (const groupId of this.listeners.keys()) this.deliver(groupId, { kind: 'missed' })
  }

  /** From now on calls wait, as those of a process that gets no time. */
  freeze(): void {
    if (this.thaw !== null) return
    let resolve = (): void => undefined
    const promise = new Promise<void>((done) => {
      resolve = done
    })
    this.thaw = { promise, resolve }
  }

  unfreeze(): void {
    this.thaw?.resolve()
    this.thaw = null
  }

  deliver(groupId: string, message: GroupMessage): void {
    if (this.isCut || this.deaf) return
    setTimeout(() => {
      void (this.thaw?.promise ?? Promise.resolve()).then(() => {
        for (const listener of this.listeners.get(groupId) ?? []) listener(message)
      })
    }, this.server.latency())
  }

  heartbeat(groupId: string, request: HeartbeatRequest): Promise<HeartbeatResult> {
    return this.call('heartbeat', () => this.existing(groupId, 'UNKNOWN_MEMBER_ID').heartbeat(request))
  }

  sync(groupId: string, request: SyncRequest): Promise<SyncResult> {
    return this.call('sync', () => this.server.group(groupId).sync(request))
  }

  install(groupId: string, epoch: number, installation: Installation): Promise<boolean> {
    return this.call('install', () => this.server.group(groupId).install(epoch, installation))
  }

  leave(groupId: string, memberId: string): Promise<void> {
    return this.call('leave', () => this.server.groups.get(groupId)?.leave(memberId))
  }

  snapshot(groupId: string): Promise<GroupSnapshot | null> {
    return this.call('snapshot', () => this.server.groups.get(groupId)?.snapshot() ?? null)
  }

  commit(
    groupId: string,
    memberId: string | null,
    commits: readonly OffsetCommit[],
  ): Promise<readonly CommitOutcome[]> {
    return this.call('commit', () => {
      const group = memberId === null ? this.server.group(groupId) : this.existing(groupId, 'UNKNOWN_MEMBER_ID')
      return group.commit(memberId, commits)
    })
  }

  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly (CommittedOffset | null)[]> {
    return this.call('committed', () =>
      partitions.map((partition) => this.server.groups.get(groupId)?.committed(partition) ?? null),
    )
  }

  allCommitted(groupId: string): Promise<ReadonlyMap<string, CommittedOffset>> {
    return this.call('allCommitted', () => this.server.groups.get(groupId)?.allCommitted() ?? new Map())
  }

  deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    return this.call('deleteOffsets', () => {
      const group = this.empty(groupId)
      for (const partition of partitions) group.deleteOffset(partition)
    })
  }

  delete(groupId: string): Promise<void> {
    return this.call('delete', () => {
      this.empty(groupId)
      this.server.groups.delete(groupId)
    })
  }

  list(): Promise<readonly string[]> {
    return this.call('list', () => [...this.server.groups.keys()].sort())
  }

  async watch(groupId: string, listener: (message: GroupMessage) => void): Promise<() => Promise<void>> {
    const listeners = this.listeners.get(groupId) ?? new Set()
    await this.call('watch', () => this.listeners.set(groupId, listeners.add(listener)))
    return async () => void listeners.delete(listener)
  }

  private async call<T>(name: string, effect: () => T): Promise<T> {
    this.calls.push(name)
    await this.travel()
    const failure = this.failures.shift()
    if (failure !== undefined && failure.late !== true) throw failure.error
    const result = effect()
    await this.travel()
    if (failure !== undefined) throw failure.error
    return result
  }

  private async travel(): Promise<void> {
    await new Promise<void>((resolve) => void setTimeout(resolve, this.delay + this.server.latency()))
    await this.thaw?.promise
    if (this.isCut) throw new KafkaError('NETWORK_EXCEPTION', 'the connection is cut')
  }

  private existing(groupId: string, error: 'UNKNOWN_MEMBER_ID' | 'GROUP_ID_NOT_FOUND'): MemoryGroup {
    const group = this.server.groups.get(groupId)
    if (group === undefined) throw new KafkaError(error)
    return group
  }

  private empty(groupId: string): MemoryGroup {
    const group = this.existing(groupId, 'GROUP_ID_NOT_FOUND')
    if (group.members.size > 0) throw new KafkaError('NON_EMPTY_GROUP')
    return group
  }
}
