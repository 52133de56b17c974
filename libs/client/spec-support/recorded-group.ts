import { setTimeout as sleep } from 'node:timers/promises'
import { type GroupSnapshot, RedisGroupStore } from '@rivulet/coordinator'
import { type SeededRandom, waitFor } from '@rivulet/testing'
import { within } from '../src/within.js'
import type { TestNamespace } from './consumers.js'
import { GroupLedger, logOf } from './group-ledger.js'

/** The group's id. */
export const GROUP = 'g'
/** How long after all disturbances the group may take to own and do everything, ms. */
const SETTLING = 20_000
/** How long some disturbances, one after the other, may take, ms. */
const DISTURBING = 60_000
/** What happened last, in the words of the disturbances and of the logs, is told with a failure: so many lines of each. */
const LAST_LINES = 60

export interface RecordedGroupOptions {
  readonly url: string
  readonly random: SeededRandom
  /** Topics in which members seek back. */
  readonly mayGoBack?: readonly string[]
}

export interface GroupMember {
  readonly name: string
  readonly topics: ReadonlySet<string | RegExp>
  close(): Promise<void>
}

/** A group, the records that are written for it, and what came of them. */
export class RecordedGroup<Member extends GroupMember> {
  readonly members: Member[] = []
  readonly ledger: GroupLedger
  /** What has happened since the group was last settled. */
  private readonly events: string[] = []
  private readonly topics = new Map<string, { made: string; partitions: number }>()
  /** Of each log, the offset after the last record. */
  private readonly ends = new Map<string, number>()
  private writing = Promise.resolve()

  constructor(
    readonly namespace: TestNamespace,
    protected readonly options: RecordedGroupOptions,
  ) {
    this.ledger = new GroupLedger(new Set(options.mayGoBack))
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.close()))
    await this.namespace.close()
  }

  happens(what: string): void {
    this.events.push(`${new Date().toISOString()} ${what}`)
  }

  async makeTopic(name: string, partitions: number): Promise<void> {
    const topic = await this.namespace.topic(name, partitions)
    this.topics.set(name, { made: topic.id, partitions })
  }

  async deleteTopic(name: string): Promise<void> {
    const topic = this.topics.get(name)
    this.topics.delete(name)
    await this.writing
    for (let partition = 0; partition < (topic?.partitions ?? 0); partition++)
      this.ends.delete(logOf({ topic: name, partition, made: topic?.made ?? '' }))
    await this.namespace.storage.topics.delete(name)
  }

  async addPartition(name: string): Promise<void> {
    const topic = this.topics.get(name)
    if (topic === undefined) return
    await this.namespace.storage.topics.addPartitions(name, topic.partitions + 1)
    topic.partitions++
  }

  partitionsOf(name: string): number {
    return this.topics.get(name)?.partitions ?? 0
  }

  /** Writes some records to a partition; one call after the other, so that it is known where each log ends. */
  write(topic: string, partition: number, count: number): Promise<void> {
    const written = this.writing.then(() => this.writeNow(topic, partition, count))
    this.writing = written.catch(() => undefined)
    return written
  }

  /** Writes all the while that something else is done, which must have an end. */
  async writeDuring(work: () => Promise<void>): Promise<void> {
    const { random } = this.options
    const over = new AbortController()
    const flow = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const topic = random.pick([...this.topics.keys()])
        await this.write(topic, random.int(0, this.partitionsOf(topic) - 1), random.int(1, 20))
        await sleep(random.int(0, 10))
      }
    }
    await Promise.all([this.limited(work()).finally(() => over.abort()), flow()])
  }

  private async limited(work: Promise<void>): Promise<void> {
    if (await within(work, DISTURBING)) return work
    this.ledger.problems.push(`what is done to the group has not ended within ${DISTURBING} ms`)
    throw new Error(this.report())
  }

  async writeEverywhere(): Promise<void> {
    for (const [topic, { partitions }] of this.topics)
      for (let partition = 0; partition < partitions; partition++) await this.write(topic, partition, 1)
  }

  /**
   * Waits until every subscribed partition has one owner, and all records of it are done and committed.
   *
   * @throws Error what is missing, or must never have been, with what has happened since the last time
   */
  async settle(): Promise<void> {
    const store = new RedisGroupStore(this.namespace.storage)
    await this.writeEverywhere()
    let lacking = ''
    const look = async (): Promise<boolean> => {
      const [snapshot, committed] = await Promise.all([store.snapshot(GROUP), store.allCommitted(GROUP)])
      const offsets = new Map([...committed].map(([partition, { offset }]) => [partition, offset]))
      lacking = this.lacking(snapshot, offsets)
      return lacking === '' || this.ledger.problems.length > 0
    }
    await waitFor(look, { what: 'the group to settle', deadline: SETTLING }).catch((error: unknown) =>
      this.ledger.problems.push(`${String(error)}: ${lacking}`),
    )
    if (this.ledger.problems.length > 0) throw new Error(this.report())
    this.ledger.settled(this.subscribedEnds())
    this.events.length = 0
    this.namespace.logged.length = 0
  }

  private async writeNow(topic: string, partition: number, count: number): Promise<void> {
    const made = this.topics.get(topic)?.made
    if (made === undefined) return
    const values = Array.from({ length: count }, (_, i) => `${made} ${i}`)
    // Written twice is no harm where it is not known whether it was written: members handle what there is.
    const produce = async (): Promise<number> => 1 + (await this.namespace.produce(topic, partition, values))
    const base = (await waitFor(produce, { what: 'records to be written' })) - 1
    this.ends.set(logOf({ topic, partition, made }), base + count)
  }

  /** What is to be before the group counts as settled; '' when all is. */
  private lacking(snapshot: GroupSnapshot | null, offsets: ReadonlyMap<string, number>): string {
    if (snapshot === null) return 'there is no group'
    if (snapshot.epoch !== snapshot.assignmentEpoch) return 'the assignment is outdated'
    const owned = [...snapshot.owned.values()].flat().map(({ topicId, partition }) => `${topicId}:${partition}`)
    if (new Set(owned).size !== owned.length) this.ledger.problems.push(`two own one partition: ${owned.sort().join()}`)
    const wanted = this.subscribed()
    for (const { topic, made, partition } of wanted) {
      const [name, log] = [`${made}:${partition}`, logOf({ topic, made, partition })]
      if (!owned.includes(name)) return `nobody owns ${log}`
      const end = this.ends.get(log) ?? 0
      const missing = this.ledger.missing(log, end)
      if (missing.length > 0) return `${log} has ${missing.length} records that are not done, from ${missing[0]} on`
      const offset = offsets.get(name) ?? 0
      if (offset !== end) return `${log} ends at ${end}, ${offset} is committed`
    }
    return owned.length === wanted.length ? '' : `${owned.length} partitions are owned, ${wanted.length} there are`
  }

  private subscribed(): { topic: string; made: string; partition: number }[] {
    const isWanted = (name: string): boolean =>
      this.members.some(({ topics }) =>
        [...topics].some((topic) => (typeof topic === 'string' ? topic === name : topic.test(name))),
      )
    return [...this.topics].flatMap(([topic, { made, partitions }]) =>
      isWanted(topic) ? Array.from({ length: partitions }, (_, partition) => ({ topic, made, partition })) : [],
    )
  }

  private subscribedEnds(): Map<string, number> {
    return new Map(
      this.subscribed()
        .map(logOf)
        .map((log) => [log, this.ends.get(log) ?? 0]),
    )
  }

  private report(): string {
    const { logged } = this.namespace
    const lines = logged
      .filter(({ label }) => label === 'WARN' || label === 'ERROR')
      .map(({ label, log: { timestamp, message } }) => `${timestamp} ${label} ${message}`)
    return [
      `RIVULET_TEST_SEED=${this.options.random.seed}`,
      ...this.ledger.problems,
      'after',
      ...this.events.slice(-LAST_LINES),
      'logged',
      ...lines.slice(-LAST_LINES),
    ].join('\n  ')
  }
}
