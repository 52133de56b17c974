import { jest } from '@jest/globals'
import type { MemberOptions } from '../src/types.js'
import { names, testMember, type TestMember, type TestParts } from './group-members.js'
import { MemoryGroups, type MemoryGroupStore } from './memory-group-store.js'
import { MemoryTopics } from './memory-topics.js'

/** A member and its own connection. */
export interface WorldMember extends TestMember {
  readonly store: MemoryGroupStore
}

/** Lets so much mock time pass, ms. */
export const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms)

/** One group's members and topics in memory and in mock time: between `open` and `close`. */
export class GroupWorld {
  readonly groups: MemoryGroups
  readonly members: WorldMember[] = []

  private constructor(
    readonly topics: MemoryTopics,
    latency: (() => number) | undefined,
  ) {
    this.groups = new MemoryGroups(() => performance.now(), latency)
  }

  static open(topics: Readonly<Record<string, number>>, latency?: () => number): GroupWorld {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] })
    return new GroupWorld(new MemoryTopics(topics), latency)
  }

  /** All members leave; nothing of them may be left. */
  async close(): Promise<void> {
    for (const { store } of this.members) {
      store.unfreeze()
      store.restore()
    }
    const left = Promise.all(this.members.map(({ member }) => member.leave(1000)))
    await pass(1000)
    await left
    const behind = `${jest.getTimerCount()} timers and ${this.topics.watchers} watchers`
    jest.useRealTimers()
    if (behind !== '0 timers and 0 watchers') throw new Error(`the members have left ${behind} behind`)
  }

  /** A member that has not joined. */
  add(clientId: string, options: Partial<MemberOptions> = {}, parts: TestParts = {}): WorldMember {
    const store = this.groups.connect()
    const member = { store, ...testMember(store, this.topics, { clientId, ...options }, parts) }
    this.members.push(member)
    return member
  }

  /** A member that joins; 100 ms pass. */
  async join(clientId: string, options: Partial<MemberOptions> = {}): Promise<WorldMember> {
    const added = this.add(clientId, options)
    void added.member.join().catch(() => undefined)
    await pass(100)
    return added
  }

  /** What each member owns, by its client id: "orders-0 orders-1". */
  get owned(): Record<string, string> {
    return Object.fromEntries(this.members.map(({ member }) => [clientOf(member), names(member.owned).join(' ')]))
  }
}

const clientOf = ({ memberId }: { readonly memberId: string }): string => memberId.slice(0, -37)
