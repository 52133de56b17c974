import { parseTopicConfig } from '@rivulet/protocol'
import type { Topic, TopicChange } from '@rivulet/storage'
import type { Topics } from '../src/member/subscription.js'

/** A registry of topics in memory. */
export class MemoryTopics implements Topics {
  /** How often topics were looked up. */
  lookups = 0
  /** What the next lookups fail with. */
  readonly failures: Error[] = []
  /** Whether changes are announced. */
  announces = true
  private readonly topics = new Map<string, Topic>()
  private readonly listeners = new Set<(change: TopicChange) => void>()
  private made = 0

  constructor(partitions: Readonly<Record<string, number>> = {}) {
    for (const [name, count] of Object.entries(partitions)) this.create(name, count)
  }

  get watchers(): number {
    return this.listeners.size
  }

  create(name: string, partitions: number): void {
    this.put(name, `id${++this.made}`, partitions)
  }

  addPartitions(name: string, total: number): void {
    this.put(name, this.topics.get(name)?.id ?? '', total)
  }

  delete(name: string): void {
    this.topics.delete(name)
    this.changed({ topic: name })
  }

  changed(change: TopicChange): void {
    if (this.announces) for (const listener of [...this.listeners]) listener(change)
  }

  async refresh(name: string): Promise<Topic | null> {
    this.lookUp()
    return this.topics.get(name) ?? null
  }

  async list(): Promise<Topic[]> {
    this.lookUp()
    return [...this.topics.values()]
  }

  watch(listener: (change: TopicChange) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private lookUp(): void {
    this.lookups++
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
  }

  private put(name: string, id: string, count: number): void {
    const partitions = Array.from({ length: count }, (_, partition) => ({
      topic: name,
      topicId: id,
      partition,
      shard: 0,
    }))
    this.topics.set(name, { name, id, partitions, config: parseTopicConfig({}), overrides: {} })
    this.changed({ topic: name })
  }
}
