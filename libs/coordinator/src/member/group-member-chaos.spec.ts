import { describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { seededRandom } from '@rivulet/testing'
import fc from 'fast-check'
import { names } from '../../spec-support/group-members.js'
import { GroupWorld, pass, type WorldMember } from '../../spec-support/group-world.js'
import { OwnershipLedger } from '../../spec-support/ownership-ledger.js'

/** What happens to a group, one after the other. `who` counts the members there are, `ms` is what passes afterwards. */
type Event = { readonly who: number; readonly ms: number } & (
  | { readonly kind: 'join' | 'leave' | 'freeze' | 'unfreeze' | 'cut' | 'restore' | 'loseAnswer' | 'makeTopicAgain' }
  | { readonly kind: 'addPartitions' }
)

const kinds = [
  'join',
  'join',
  'join',
  'leave',
  'freeze',
  'unfreeze',
  'cut',
  'restore',
  'loseAnswer',
  'makeTopicAgain',
  'addPartitions',
] as const

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom(...kinds),
  who: fc.nat(9),
  ms: fc.oneof(fc.constantFrom(0, 1, 2, 5), fc.nat(20), fc.nat(2000), fc.nat(20_000)),
})

/** A group that events happen to. */
class Chaos {
  readonly world: GroupWorld
  readonly ledger = new OwnershipLedger()
  private readonly present = new Map<string, WorldMember>()
  private partitions = 6
  private joined = 0

  constructor(private readonly random: () => number) {
    this.world = GroupWorld.open({ orders: this.partitions }, () => 1 + Math.floor(random() * 6))
  }

  async happen({ kind, who, ms }: Event): Promise<void> {
    const [name, member] = [...this.present][who % Math.max(1, this.present.size)] ?? []
    if (kind === 'join') this.join()
    else if (kind === 'makeTopicAgain') this.makeTopicAgain()
    else if (kind === 'addPartitions') this.world.topics.addPartitions('orders', ++this.partitions)
    else if (name !== undefined && member !== undefined) this.disturb(kind, name, member)
    await pass(ms)
  }

  /** What everybody owns once nothing happens any more. */
  async settled(): Promise<string[]> {
    for (const { store } of this.present.values()) {
      store.unfreeze()
      store.restore()
    }
    await pass(120_000)
    return [...this.present.values()].flatMap(({ member }) => names(member.owned)).sort()
  }

  get expected(): string[] {
    if (this.present.size === 0) return []
    return Array.from({ length: this.partitions }, (_, partition) => `orders-${partition}`).sort()
  }

  get leftWaiting(): string[] {
    return [...this.present].filter(([, { listener }]) => listener.settled.length === 0).map(([name]) => name)
  }

  private join(): void {
    if (this.present.size === 5) return
    const name = `m${this.joined++}`
    const revoke = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, this.random() * 3000))
    const mayOwn = (other: string): boolean => this.present.get(other)?.member.isLive ?? false
    const retry = { retries: 1000, initialRetryTime: 100, maxRetryTime: 1000, multiplier: 2, factor: 0.2 }
    const member = this.world.add(
      name,
      { sessionTimeout: 10_000 },
      { retry, follow: (listener) => this.ledger.follow(name, listener, mayOwn, revoke) },
    )
    this.present.set(name, member)
    void member.member.join().catch(() => undefined)
  }

  private disturb(kind: Exclude<Event['kind'], 'join'>, name: string, { member, store }: WorldMember): void {
    if (kind === 'freeze') store.freeze()
    else if (kind === 'unfreeze') store.unfreeze()
    else if (kind === 'cut') store.cut()
    else if (kind === 'restore') store.restore()
    else if (kind === 'loseAnswer') {
      store.failures.push({ error: new KafkaError('NETWORK_EXCEPTION', 'the answer was lost'), late: true })
    } else if (kind === 'leave') {
      void member.leave(1000)
      this.ledger.left(name)
      this.present.delete(name)
    }
  }

  private makeTopicAgain(): void {
    this.world.topics.delete('orders')
    this.world.topics.create('orders', this.partitions)
  }
}

describe('whatever happens', () => {
  it('no two members have a partition, and in the end every partition is had', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), fc.nat(), async (events, seed) => {
        const chaos = new Chaos(seededRandom(seed).next)
        try {
          for (const one of events) await chaos.happen(one)
          expect(await chaos.settled()).toEqual(chaos.expected)
          expect([chaos.ledger.violations, chaos.leftWaiting]).toEqual([[], []])
        } finally {
          await chaos.world.close()
        }
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})
