import type { MemberOptions, MemberRecord, TopicFacts } from '../types.js'

/** What the group has not been told yet. */
export interface News {
  /** null: the record is as the group has it. */
  readonly record: MemberRecord | null
  /** Whether the record asks for another assignment. */
  readonly raiseEpoch: boolean
  /** The topics that the group has not been told of like this. */
  readonly topics: readonly TopicFacts[]
}

/**
 * What a member tells the group of itself, and what of that is news. Topics are told only when they have changed: a member
 * whose view is old must not contradict the others again and again, which would raise the group's epoch each time.
 */
export class MemberProfile {
  readonly #options: MemberOptions
  readonly #clientHost: string
  #record: MemberRecord | null = null
  #facts: ReadonlyMap<string, TopicFacts> = new Map()
  #told: MemberRecord | null = null
  readonly #toldFacts = new Map<string, TopicFacts>()
  /** The ids of the topics that the group was, or is to be, told to be gone. */
  readonly #goneIds = new Set<string>()
  #gone: readonly TopicFacts[] = []
  #news: News | null = null

  constructor(options: MemberOptions, clientHost: string) {
    this.#options = options
    this.#clientHost = clientHost
  }

  /** Describes the member anew: asks the assigners what they want to be told. @throws whatever an assigner throws */
  describe(topics: readonly string[], facts: ReadonlyMap<string, TopicFacts>): void {
    const { clientId, instanceId, sessionTimeout, rebalanceTimeout } = this.#options
    const assigners = this.#options.assigners.map((assigner) => ({
      name: assigner.name,
      metadata: assigner.metadata(topics).toString('base64'),
    }))
    const clientHost = this.#clientHost
    this.#record = { clientId, clientHost, instanceId, topics, assigners, sessionTimeout, rebalanceTimeout }
    this.#facts = facts
    this.#compare()
  }

  /** The target still has a topic that is gone: the group is told, once, and computes another one. */
  reportGone(topic: string, topicId: string): void {
    if (this.#goneIds.has(topicId)) return
    this.#goneIds.add(topicId)
    this.#gone = [...this.#gone, { topic, topicId: '-', partitions: 0 }]
    this.#compare()
  }

  /** What the group does not know yet; null: nothing. */
  get news(): News | null {
    return this.#news
  }

  /** The group has heard it. */
  told(news: News): void {
    if (news.record !== null) this.#told = news.record
    for (const facts of news.topics) this.#toldFacts.set(facts.topic, facts)
    for (const topic of this.#toldFacts.keys()) if (!this.#facts.has(topic)) this.#toldFacts.delete(topic)
    this.#gone = this.#gone.filter((facts) => !news.topics.includes(facts))
    this.#compare()
  }

  /** The group knows nothing of this member any more. */
  forgotten(): void {
    this.#told = null
    this.#toldFacts.clear()
    this.#compare()
  }

  #compare(): void {
    const record = this.#record
    const isNew = !isSame(record, this.#told)
    const raiseEpoch = !isSame(record?.topics, this.#told?.topics)
    const changed = [...this.#facts.values()].filter((facts) => !isSame(facts, this.#toldFacts.get(facts.topic)))
    const topics = [...this.#gone, ...changed]
    this.#news = isNew || topics.length > 0 ? { record: isNew ? record : null, raiseEpoch, topics } : null
  }
}

/** Both are plain data whose members always come in the same order. */
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
