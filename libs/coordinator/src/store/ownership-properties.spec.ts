/**
 * Whatever members do, and in whatever order: a partition has one owner, and only its owner's commits count. Members do what
 * is asked of them: they stop working on a partition before they let go of it, and on all of them when no heartbeat was
 * answered for a session.
 */
import assert from 'node:assert/strict'
import { afterAll, beforeAll, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import fc from 'fast-check'
import { TestGroups } from '../../spec-support/test-groups.js'
import { names, offset, partition, SESSION, TestMember } from '../../spec-support/test-member.js'
import type { OwnedPartition, SyncResult } from '../types.js'

const PARTITIONS = ['orders-0', 'orders-1', 'orders-2', 'orders-3']
const MEMBERS = 3

let groups: TestGroups
beforeAll(async () => {
  groups = await TestGroups.open()
})
afterAll(() => groups.close())

const who = fc.nat(MEMBERS - 1)
const name = fc.constantFrom(...PARTITIONS)
const answered = fc.boolean()
const action = <T extends string>(does: T) => fc.constant(does)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: action('join'), who }) },
  { weight: 6, arbitrary: fc.record({ does: action('sync'), who, answered }) },
  { weight: 2, arbitrary: fc.record({ does: action('heartbeat'), who }) },
  { weight: 4, arbitrary: fc.record({ does: action('release'), who, name, answered }) },
  { weight: 1, arbitrary: fc.record({ does: action('leave'), who }) },
  { weight: 5, arbitrary: fc.record({ does: action('commit'), who, name, grantsAgo: fc.nat(2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ does: action('install'), who },
      owners: fc.array(who, { minLength: PARTITIONS.length, maxLength: PARTITIONS.length }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: action('wait'), ms: fc.constantFrom(1, 300, SESSION / 2, SESSION) }) },
  { weight: 1, arbitrary: fc.record({ does: action('fail over') }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Action = Exclude<Step, { does: 'wait' | 'fail over' }>

/** A group, its members, and every grant that was ever given. */
class Model {
  readonly #members: TestMember[] = []
  readonly #answeredAt = new Map<string, number>()
  /** Of each partition, oldest first. */
  readonly #grants = new Map<string, { readonly grant: number; readonly memberId: string }[]>()
  readonly #committed = new Map<string, number>()
  #lastGrant = 0
  #ids = 0
  #offsets = 0

  constructor(readonly groupId: string) {
    for (let i = 0; i < MEMBERS; i++) this.#members.push(this.#newMember())
  }

  async run(one: Step): Promise<void> {
    if (one.does === 'wait') groups.now += one.ms
    else if (one.does === 'fail over')
      groups.replicationId = groups.replicationId === 'cafebabe' ? 'deadbeef' : 'cafebabe'
    else await this.#runAs(this.#member(one.who), one)
    await this.#check()
  }

  async #runAs(member: TestMember, one: Action): Promise<void> {
    try {
      await this.#act(member, one)
    } catch (error) {
      if (!(error instanceof KafkaError) || error.type !== 'UNKNOWN_MEMBER_ID') throw error
      this.#replace(member)
    }
  }

  async #act(member: TestMember, one: Action): Promise<void> {
    switch (one.does) {
      case 'join':
        return this.#sync(member, true, () => member.join())
      case 'sync':
        return this.#sync(member, one.answered, () => member.sync())
      case 'release':
        return this.#release(member, one.name, one.answered)
      case 'heartbeat':
        await member.heartbeat()
        this.#answeredAt.set(member.memberId, groups.now)
        return undefined
      case 'install':
        return this.#install(member, one.owners)
      case 'leave':
        await member.leave()
        return this.#replace(member)
      case 'commit':
        return this.#commit(member, one.name, one.grantsAgo)
    }
  }

  /** Without an answer the member knows nothing of what came of it. */
  async #sync(member: TestMember, hears: boolean, call: () => Promise<SyncResult>): Promise<void> {
    const { owned, epoch, assignmentEpoch } = member
    const result = await call()
    for (const given of result.granted) {
      assert(given.grant > this.#lastGrant, `grant ${given.grant} after ${this.#lastGrant}`)
      this.#lastGrant = given.grant
      const [of = ''] = names([given])
      this.#grants.set(of, [...(this.#grants.get(of) ?? []), { grant: given.grant, memberId: member.memberId }])
    }
    if (hears) this.#answeredAt.set(member.memberId, groups.now)
    else Object.assign(member, { owned, epoch, assignmentEpoch })
  }

  async #release(member: TestMember, of: string, hears: boolean): Promise<void> {
    const own = member.owned.filter((one) => names([one])[0] === of)
    member.owned = member.owned.filter((one) => !own.includes(one))
    await this.#sync(member, hears, () => member.sync({ release: own }))
  }

  async #install(member: TestMember, owners: readonly number[]): Promise<void> {
    const target = this.#members.map(
      ({ memberId }, i) => [memberId, PARTITIONS.filter((_, at) => owners[at] === i)] as const,
    )
    await member.install(Object.fromEntries(target))
  }

  /** Under one of the partition's last grants, whoever got it; before the first one without any. */
  async #commit(member: TestMember, of: string, grantsAgo: number): Promise<void> {
    const given = this.#grants.get(of) ?? []
    const grant = given.at(-1 - grantsAgo)?.grant ?? 0
    const value = ++this.#offsets
    const owner = (await this.#owners()).get(of)
    const commit = [offset(of, value, { grant })]
    const [outcome] = await groups.store.commit(this.groupId, member.memberId, commit)
    if (outcome === null) this.#committed.set(of, value)
    const last = given.at(-1)
    const isLast = grant > 0 && last?.grant === grant && last.memberId === member.memberId
    // It may also come after the owner has let go, until the record of that is dropped.
    if (outcome === null) assert(isLast || (grant === 0 && owner === undefined), 'a commit that should not count')
    else assert(!isLast || owner?.memberId !== member.memberId, 'a commit that should count')
  }

  async #check(): Promise<void> {
    for (const of of PARTITIONS) {
      const working = this.#members.filter((member) => this.#isLive(member) && names(member.owned).includes(of))
      assert(working.length <= 1, `${of} has ${working.length} owners`)
    }
    for (const [of, owner] of await this.#owners()) assert.deepEqual(this.#grants.get(of)?.at(-1), owner)
    const found = await groups.store.committed(this.groupId, PARTITIONS.map(partition))
    assert.deepEqual(
      found.map((one) => one?.offset),
      PARTITIONS.map((of) => this.#committed.get(of)),
    )
  }

  async #owners() {
    const owned = (await groups.store.snapshot(this.groupId))?.owned ?? new Map<string, readonly OwnedPartition[]>()
    return new Map(
      [...owned].flatMap(([memberId, partitions]) =>
        partitions.map((one) => [names([one])[0] ?? '', { grant: one.grant, memberId }] as const),
      ),
    )
  }

  #isLive({ memberId }: TestMember): boolean {
    return groups.now < (this.#answeredAt.get(memberId) ?? -Infinity) + SESSION
  }

  #member(index: number): TestMember {
    return this.#members[index] ?? this.#newMember()
  }

  #replace(member: TestMember): void {
    this.#members[this.#members.indexOf(member)] = this.#newMember()
  }

  #newMember(): TestMember {
    return new TestMember(groups.store, this.groupId, `member-${++this.#ids}`)
  }
}

it('a partition never has two owners, grants grow, and a commit counts under the last grant alone', async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const model = new Model(`property-${runs++}`)
      for (let i = 0; i < MEMBERS; i++) await model.run({ does: 'join', who: i })
      for (const one of steps) await model.run(one)
    }),
    { numRuns: 20 },
  )
}, 60_000)
