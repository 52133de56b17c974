import { KafkaError } from '@rivulet/protocol'
import { toKafkaError, type StorageLogger, type Topic, type TopicChange, type TopicRegistry } from '@rivulet/storage'
import type { TopicFacts, TopicSubscription } from '../types.js'

export type Topics = Pick<TopicRegistry, 'refresh' | 'list' | 'watch'>

export interface SubscriptionParts {
  readonly topics: Topics
  readonly subscription: TopicSubscription
  /** How long what was looked up counts where no change is heard of, ms. Kafka's `metadata.max.age.ms`. */
  readonly metadataMaxAge: number
  readonly logger: StorageLogger
  /** Everything was looked up anew; it may be as it was. */
  readonly onLooked: () => void
}

/** A lookup that failed is tried again after so long, ms. */
const RETRY_MS = 1000

/**
 * Which topics a member wants, and what is known of them. Names and patterns are looked up at the start, at each change of a
 * topic that they concern, and when what is known gets old.
 */
export class Subscription {
  readonly #parts: SubscriptionParts
  readonly #names: ReadonlySet<string>
  readonly #patterns: readonly RegExp[]
  #facts: ReadonlyMap<string, TopicFacts> = new Map()
  #unwatch: (() => void) | null = null
  #timer: NodeJS.Timeout | null = null
  #looking = false
  #lookAgain = false
  #stopped = false

  constructor(parts: SubscriptionParts) {
    this.#parts = parts
    this.#names = new Set(parts.subscription.topics)
    // Copies: a pattern with the flag g or y remembers where it was, and the application may use its own.
    this.#patterns = parts.subscription.patterns.map((pattern) => new RegExp(pattern.source, pattern.flags))
  }

  /** The topics that are wanted, whether they exist or not, sorted. */
  get topics(): readonly string[] {
    return [...new Set([...this.#names, ...this.#facts.keys()])].sort()
  }

  /** Of those the ones that exist. */
  get facts(): ReadonlyMap<string, TopicFacts> {
    return this.#facts
  }

  /** Looks everything up, and keeps it up to date from then on. @throws KafkaError what kept it from that: try again */
  async start(): Promise<void> {
    if (this.#stopped) return
    this.#unwatch ??= this.#parts.topics.watch((change) => {
      if (this.#concerns(change)) this.refresh()
    })
    this.#looking = true
    try {
      await this.#look()
    } finally {
      this.#looking = false
    }
    this.#arm(this.#parts.metadataMaxAge)
    if (this.#lookAgain) this.refresh()
  }

  /** Looks everything up anew; one lookup at a time. */
  refresh(): void {
    this.#lookAgain = true
    if (!this.#looking && !this.#stopped) void this.#lookWhileWanted()
  }

  stop(): void {
    this.#stopped = true
    this.#unwatch?.()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #lookWhileWanted(): Promise<void> {
    this.#looking = true
    let next = this.#parts.metadataMaxAge
    try {
      while (this.#lookAgain && !this.#stopped) {
        this.#lookAgain = false
        await this.#look()
        if (!this.#stopped) this.#parts.onLooked()
      }
    } catch (error) {
      next = RETRY_MS
      if (!this.#stopped)
        this.#parts.logger.warn(`the subscribed topics cannot be looked up: ${toKafkaError(error).message}`)
    }
    this.#looking = false
    this.#arm(next)
  }

  #arm(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (!this.#stopped) this.#timer = setTimeout(() => this.refresh(), ms)
  }

  async #look(): Promise<void> {
    const { topics, logger } = this.#parts
    const found =
      this.#patterns.length > 0
        ? (await topics.list()).filter(({ name }) => this.#wants(name))
        : await topicsByName([...this.#names], topics, logger)
    this.#facts = new Map(found.map((topic) => [topic.name, factsOf(topic)]))
  }

  #concerns(change: TopicChange): boolean {
    return 'all' in change || this.#wants(change.topic)
  }

  #wants(name: string): boolean {
    return this.#names.has(name) || this.#patterns.some((pattern) => matches(pattern, name))
  }
}

/** The topics of these names as they are stored now. One that does not exist, or that this release cannot read, is left out. */
export async function topicsByName(
  names: readonly string[],
  topics: Pick<TopicRegistry, 'refresh'>,
  logger: StorageLogger,
): Promise<Topic[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        return await topics.refresh(name)
      } catch (error) {
        if (!(error instanceof KafkaError) || error.type !== 'UNSUPPORTED_VERSION') throw error
        logger.error(`topic ${name} is left out: ${error.message}`)
        return null
      }
    }),
  )
  return found.filter((topic) => topic !== null)
}

export const factsOf = ({ name, id, partitions }: Topic): TopicFacts => ({
  topic: name,
  topicId: id,
  partitions: partitions.length,
})

function matches(pattern: RegExp, name: string): boolean {
  pattern.lastIndex = 0
  return pattern.test(name)
}
