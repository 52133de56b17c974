import type { Member, MemberListener } from '../peers/group-member.js'
import type { GroupMaker, MemberTimes, Topic } from '../peers/peer.js'
import { WrongResult } from './work.js'

/** How long a group may take to settle, ms. */
const PATIENCE = 60_000

class Observed implements MemberListener {
  owned: readonly number[] = []
  /** When each partition's last record came to this member. */
  readonly lastRecord = new Map<number, number>()
  member: Member | null = null

  constructor(private readonly observer: GroupObserver) {}

  onRecord(partition: number): void {
    const now = performance.now()
    this.observer.noteRecord(partition, this, now)
    this.lastRecord.set(partition, now)
  }

  async leave(): Promise<void> {
    await this.member?.leave()
  }

  onAssigned(partitions: readonly number[]): void {
    this.owned = partitions
    this.observer.look()
  }
}

export interface Change {
  /** From the beginning of the change until every partition is read by the one member that owns it, shares being even, ms. */
  readonly settled: number
  /** The longest silence of a partition that kept its owner meanwhile, ms; 0: none kept its owner. */
  readonly pause: number
}

/** Sees which member of a group owns and reads what, while members come and go. All of them live in this process. */
export class GroupObserver {
  readonly #members = new Set<Observed>()
  #gaps = new Map<number, { readonly member: Observed; gap: number }>()
  #began = 0
  #isSettled: (() => void) | null = null
  /** Whether a partition counts as read only when a record has come. */
  #underLoad = true

  constructor(
    private readonly groups: GroupMaker,
    readonly group: string,
    private readonly topic: Topic,
    private readonly times: MemberTimes = {},
  ) {}

  /** For a topic that nobody writes to: owning is enough. */
  withoutLoad(): this {
    this.#underLoad = false
    return this
  }

  async join(): Promise<Change> {
    const observed = new Observed(this)
    const begin = await this.groups.member(this.group, this.times)
    return this.#change(async () => {
      this.#members.add(observed)
      observed.member = await begin(this.topic, observed)
    })
  }

  /** The members that came first leave, so many at once. */
  leave(count = 1): Promise<Change> {
    const leaving = [...this.#members].slice(0, count)
    return this.#change(async () => {
      for (const observed of leaving) this.#members.delete(observed)
      await Promise.all(leaving.map((observed) => observed.leave()))
    })
  }

  /** Resolves when the group has settled after something that happens elsewhere. */
  change(): Promise<Change> {
    return this.#change(async () => {})
  }

  async end(): Promise<void> {
    await Promise.all([...this.#members].map((observed) => observed.leave()))
    this.#members.clear()
    await this.groups.deleteGroup(this.group)
  }

  noteRecord(partition: number, member: Observed, now: number): void {
    const last = Math.max(member.lastRecord.get(partition) ?? this.#began, this.#began)
    const known = this.#gaps.get(partition)
    if (known === undefined) this.#gaps.set(partition, { member, gap: now - last })
    else if (known.member !== member) this.#gaps.set(partition, { member, gap: NaN })
    else known.gap = Math.max(known.gap, now - last)
    this.look()
  }

  look(): void {
    if (this.#isSettled !== null && this.#settled) this.#isSettled()
  }

  async #change(act: () => Promise<void>): Promise<Change> {
    const owners = this.#owners()
    this.#gaps = new Map()
    this.#began = performance.now()
    const settled = new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new WrongResult(`The group did not settle: ${this.#picture()}`)), PATIENCE)
      this.#isSettled = () => {
        clearTimeout(timer)
        this.#isSettled = null
        resolve(performance.now() - this.#began)
      }
    })
    const [duration] = await Promise.all([settled, act().then(() => this.look())])
    const kept = [...this.#gaps].filter(([partition, { member }]) => owners.get(partition) === member)
    const gaps = kept.map(([, { gap }]) => gap).filter((gap) => !Number.isNaN(gap))
    return { settled: duration, pause: Math.max(0, ...gaps) }
  }

  /** Every partition has one owner, which has read of it since the change began, and no member has two more than another. */
  get #settled(): boolean {
    const shares = [...this.#members].map(({ owned }) => owned.length)
    if (Math.max(...shares) - Math.min(...shares) > 1) return false
    if (shares.reduce((sum, share) => sum + share, 0) !== this.topic.partitions) return false
    const owners = this.#owners()
    if (owners.size !== this.topic.partitions) return false
    if (!this.#underLoad) return true
    return [...owners].every(([partition, { lastRecord }]) => (lastRecord.get(partition) ?? 0) > this.#began)
  }

  #owners(): Map<number, Observed> {
    const owners = new Map<number, Observed>()
    for (const member of this.#members) for (const partition of member.owned) owners.set(partition, member)
    return owners
  }

  #picture(): string {
    return [...this.#members].map(({ owned }) => `[${owned.join(' ')}]`).join(' ')
  }
}
