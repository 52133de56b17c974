import type { Topic } from './topic-entry.js'

interface Cached {
  readonly topic: Topic
  readonly until: number
}

/**
 * What a client knows of the topics. Entries age, and are dropped at once when a change is announced.
 *
 * A read that was under way when the change was announced may bring the old entry:
 *   1. the read is sent; 2. another client changes the topic; 3. its announcement comes; 4. the read's answer comes.
 * So each read notes the cache's generation of the topic at (1), and its answer is kept only if it is the same at (4).
 */
export class TopicCache {
  readonly #topics = new Map<string, Cached>()
  readonly #reads = new Map<string, { stale: boolean; readonly answer: Promise<Topic | null> }>()

  constructor(
    private readonly maxAge: number,
    private readonly now: () => number = Date.now,
  ) {}

  get(name: string): Topic | undefined {
    const cached = this.#topics.get(name)
    if (cached === undefined) return undefined
    if (this.now() < cached.until) return cached.topic
    this.#topics.delete(name)
    return undefined
  }

  /**
   * Reads a topic; several who want it at the same time share the read. That a topic is not there is not kept: somebody
   * may be waiting for it to be made.
   */
  read(name: string, fetch: () => Promise<Topic | null>): Promise<Topic | null> {
    const running = this.#reads.get(name)
    if (running !== undefined && !running.stale) return running.answer
    const answer = fetch().then(
      (topic) => {
        if (!read.stale) {
          if (topic === null) this.#topics.delete(name)
          else this.#put(topic)
        }
        this.#done(name, read)
        return topic
      },
      (error: unknown) => {
        this.#done(name, read)
        throw error
      },
    )
    const read = { stale: false, answer }
    this.#reads.set(name, read)
    return answer
  }

  drop(name: string): void {
    this.#topics.delete(name)
    const read = this.#reads.get(name)
    if (read !== undefined) read.stale = true
  }

  dropAll(): void {
    this.#topics.clear()
    for (const read of this.#reads.values()) read.stale = true
  }

  #put(topic: Topic): void {
    this.#topics.set(topic.name, { topic, until: this.now() + this.maxAge })
  }

  #done(name: string, read: { stale: boolean }): void {
    if (this.#reads.get(name) === read) this.#reads.delete(name)
  }
}
