import type { OffsetCommit } from '@rivulet/coordinator'

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

interface Accepted {
  readonly grant: number
  readonly offset: number
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
  /** By member and partition: how often it was given, and what comes next. */
  private readonly stints = new Map<string, { next: number | null }>()
  /** By topic id and partition, in the order of the answers, each with the largest grant and offset so far. */
  private readonly commits = new Map<string, Accepted[]>()

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
    for (const [log, end] of ends) {
      this.settledEnds.set(log, end)
      this.records.delete(log)
    }
  }

  /** A commit was stored. Times are on performance.now()'s clock. */
  committed(member: string, { topic, topicId, partition, grant, offset }: OffsetCommit, sentAt: number): void {
    const name = `${topic}:${topicId}-${partition}`
    const accepted = this.commits.get(name) ?? []
    this.commits.set(name, accepted)
    const before = accepted.findLast(({ answeredAt }) => answeredAt < sentAt)
    if (before !== undefined && grant < before.grant)
      this.problems.push(`${member} committed ${name} under grant ${grant} after one under ${before.grant}`)
    if (before !== undefined && offset < before.offset && !this.mayGoBack.has(topic))
      this.problems.push(`${member} committed offset ${offset} of ${name} after ${before.offset}`)
    const last = accepted.at(-1)
    accepted.push({
      grant: Math.max(grant, last?.grant ?? 0),
      offset: Math.max(offset, last?.offset ?? 0),
      answeredAt: performance.now(),
    })
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
