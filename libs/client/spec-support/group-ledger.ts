import { RedisGroupStore } from '@rivulet/coordinator'

/** A record as its handler gets it. The value says which of the topics that had this name it was written to. */
export interface HandledRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly made: string
}

interface Handling {
  readonly member: string
  state: 'running' | 'done' | 'failed'
}

/** A commit that was stored. Times are ms since 1970. */
export interface StoredCommit {
  readonly memberId: string
  /** "<topic>:<topic id>:<partition>" */
  readonly log: string
  readonly topic: string
  readonly grant: number
  readonly offset: number
  readonly sentAt: number
  readonly answeredAt: number
}

/** What a handler does with its record, told when it is over. */
export interface Course {
  done(): void
  failed(): void
}

/**
 * What the members of a group do, and what of it must never be: a record handled by two, or twice, or out of order, a commit
 * of who is no owner any more, or one that goes back. Where a member has met a fault since the group was last settled, what
 * it had handled may be handled again.
 */
export class GroupLedger {
  readonly problems: string[] = []
  private readonly records = new Map<string, Map<number, Handling>>()
  /** By log: all below was done and committed when the group was last settled. */
  private readonly settledEnds = new Map<string, number>()
  private readonly faulty = new Set<string>()
  private readonly replaced = new Set<string>()
  private hasLateHandlers = false
  /** By member and partition: how often it was given, and what comes next. */
  private readonly stints = new Map<string, { next: number | null }>()
  private readonly commits = new Map<string, StoredCommit[]>()

  /** @param mayGoBack topics of which the application seeks earlier records */
  constructor(private readonly mayGoBack: ReadonlySet<string> = new Set()) {}

  /** From now until the group is settled again, what this member does may be undone. */
  fault(member: string): void {
    this.faulty.add(member)
  }

  /** Another one joins with its group instance id: until it hears of that, it may do what the other one has done. */
  isReplaced(member: string): void {
    this.faulty.add(member)
    this.replaced.add(member)
  }

  /** A handler outlives its partition's revocation, perhaps: should the member have the partition again, it commits for that. */
  handlerIsLate(member: string): void {
    this.faulty.add(member)
    this.hasLateHandlers = true
  }

  given(member: string, topic: string, partition: number): void {
    this.stints.set(`${member} ${topic}-${partition}`, { next: null })
  }

  begun(member: string, record: HandledRecord): Course {
    const { topic, partition, offset } = record
    const name = `${logOf(record)}@${offset}`
    const stint = this.stints.get(`${member} ${topic}-${partition}`)
    if (stint === undefined) this.problems.push(`${member} handles ${name}, and was not given its partition`)
    else if (!this.mayGoBack.has(topic)) {
      if (stint.next !== null && stint.next !== offset)
        this.problems.push(`${member} handles ${name} where ${stint.next} was next`)
      this.checkRepetition(member, record, name)
    }
    const handling: Handling = { member, state: 'running' }
    this.handlingsOf(logOf(record)).set(offset, handling)
    if (stint !== undefined) stint.next = offset
    return {
      done: () => {
        handling.state = 'done'
        if (stint?.next === offset) stint.next = offset + 1
      },
      failed: () => {
        handling.state = 'failed'
      },
    }
  }

  /** What of the log up to that end is not done. */
  missing(log: string, end: number): number[] {
    const handlings = this.records.get(log)
    const missing: number[] = []
    for (let offset = this.settledEnds.get(log) ?? 0; offset < end; offset++) {
      if (handlings?.get(offset)?.state !== 'done') missing.push(offset)
    }
    return missing
  }

  /** All up to these ends is done and committed: nobody may do it again. */
  settled(ends: ReadonlyMap<string, number>): void {
    this.faulty.clear()
    this.hasLateHandlers = false
    for (const [log, stored] of this.commits) this.commits.set(log, stored.slice(-1))
    for (const [log, end] of ends) {
      this.settledEnds.set(log, end)
      this.records.delete(log)
    }
  }

  /** What was stored before a commit was sent must not be of a later owner, nor further on. */
  committed(commit: StoredCommit): void {
    const { memberId, log, topic, grant, offset, sentAt } = commit
    const stored = this.commits.get(log) ?? []
    this.commits.set(log, stored)
    const mayGoBack = this.mayGoBack.has(topic) || this.hasLateHandlers
    for (const before of stored) {
      if (before.answeredAt >= sentAt) continue
      const late = `${memberId} committed ${offset} of ${log} under grant ${grant}`
      if (grant < before.grant) this.problems.push(`${late}: ${before.memberId} had under ${before.grant}`)
      else if (offset < before.offset && !mayGoBack)
        this.problems.push(`${late}: ${before.memberId} had committed ${before.offset}`)
    }
    stored.push(commit)
  }

  private checkRepetition(member: string, record: HandledRecord, name: string): void {
    const log = logOf(record)
    if (record.offset < (this.settledEnds.get(log) ?? 0)) {
      this.problems.push(`${member} handles ${name}, which was done and committed when the group was last settled`)
      return
    }
    const before = this.records.get(log)?.get(record.offset)
    if (before === undefined || before.state === 'failed') return
    if (this.faulty.has(before.member) || this.replaced.has(member)) return
    this.problems.push(`${member} handles ${name}, which is ${before.state} by ${before.member}, who met no fault`)
  }

  private handlingsOf(log: string): Map<number, Handling> {
    const handlings = this.records.get(log) ?? new Map<number, Handling>()
    this.records.set(log, handlings)
    return handlings
  }
}

/** One log of the partition: a topic that is deleted and made again has others. */
export function logOf({ topic, partition, made }: Omit<HandledRecord, 'offset'>): string {
  return `${topic}#${made}-${partition}`
}

/** Calls the listener at each commit that any member in this process stores from now on. */
export function onStoredCommit(listener: (commit: StoredCommit) => void): void {
  const now = (): number => performance.timeOrigin + performance.now()
  const { commit } = RedisGroupStore.prototype
  RedisGroupStore.prototype.commit = async function (...args) {
    const sentAt = now()
    const outcomes = await commit.apply(this, args)
    const [, memberId, commits] = args
    for (const [i, { topic, topicId, partition, grant, offset }] of commits.entries()) {
      if (memberId === null || outcomes[i] !== null) continue
      listener({ memberId, log: `${topic}:${topicId}:${partition}`, topic, grant, offset, sentAt, answeredAt: now() })
    }
    return outcomes
  }
}
