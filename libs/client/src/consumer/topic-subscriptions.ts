import type { TopicSubscription } from '@rivulet/coordinator'
import type { AutoOffsetReset } from '../types.js'

interface Entry {
  readonly topic: string | RegExp
  readonly fromBeginning: boolean | undefined
}

/** What a consumer has subscribed, over all calls. */
export class TopicSubscriptions {
  private readonly entries: Entry[] = []

  /** @param autoOffsetReset what counts for topics subscribed without `fromBeginning` */
  constructor(private readonly autoOffsetReset: AutoOffsetReset) {}

  add(topics: readonly (string | RegExp)[], fromBeginning: boolean | undefined): void {
    // A copy's lastIndex is nobody else's: a pattern with the flag g or y answers the same every time.
    for (const topic of topics) {
      this.entries.push({ topic: typeof topic === 'string' ? topic : new RegExp(topic), fromBeginning })
    }
  }

  get subscription(): TopicSubscription {
    const topics = new Set<string>()
    const patterns: RegExp[] = []
    for (const { topic } of this.entries) {
      if (typeof topic === 'string') topics.add(topic)
      else patterns.push(topic)
    }
    return { topics: [...topics], patterns }
  }

  /** Where partitions of the topic start without a committed offset; the last subscription that covers it decides. */
  policyOf(name: string): AutoOffsetReset {
    const fromBeginning = this.entries.findLast(({ topic }) => covers(topic, name))?.fromBeginning
    if (fromBeginning === undefined) return this.autoOffsetReset
    return fromBeginning ? 'earliest' : 'latest'
  }
}

function covers(topic: string | RegExp, name: string): boolean {
  if (typeof topic === 'string') return topic === name
  topic.lastIndex = 0
  return topic.test(name)
}
