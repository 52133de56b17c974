import type { TopicPartition } from '../types.js'
import type { AssignorInput } from './assignor.js'

/** The partitions of all topics that have the same subscribers: for who may own them, one is as good as another. */
export interface Pool extends Searched {
  /** One for each subscriber. */
  readonly shares: Share[]
  /** The partitions that nobody owned before. */
  readonly free: TopicPartition[]
}

/** A member, and how many partitions it shall own in all. */
export interface Sharer extends Searched {
  readonly memberId: string
  readonly shares: Share[]
  load: number
}

/** What searches leave behind at the members and pools that they come upon. */
interface Searched {
  /** The number of the last search that came here; 0: none did. */
  search: number
  /** How it came: to a member by what it may take, to a pool by what somebody may give; null: it began here. */
  reachedBy: Share | null
}

/** What one member shall own of one pool. */
export interface Share {
  readonly pool: Pool
  readonly sharer: Sharer
  /** What it owned before, by topic and partition. */
  readonly previous: TopicPartition[]
  /** How many partitions it shall own. */
  count: number
}

/** Members who own nothing yet, sorted. */
export function makeSharers(memberIds: Iterable<string>): Sharer[] {
  return [...memberIds].toSorted().map((memberId) => ({ memberId, shares: [], load: 0, search: 0, reachedBy: null }))
}

/** Members that subscribe to the same topics. */
interface Subscription {
  readonly id: number
  readonly topics: ReadonlySet<string>
  readonly sharers: Sharer[]
}

/** Gives a share more partitions, or takes some from it. */
export function change(share: Share, by: number): void {
  share.count += by
  share.sharer.load += by
}

/** The pool of each topic that exists and has a subscriber, by topic name and sorted by it; shares and pools are still empty. */
export function makePools(input: AssignorInput, sharers: readonly Sharer[]): Map<string, Pool> {
  const subscriptionsOf = new Map<string, Subscription[]>()
  for (const subscription of groupBySubscription(input, sharers)) {
    for (const topic of subscription.topics) {
      const others = subscriptionsOf.get(topic)
      if (others === undefined) subscriptionsOf.set(topic, [subscription])
      else others.push(subscription)
    }
  }
  const poolOf = new Map<string, Pool>()
  const pools = new Map<string, Pool>()
  for (const topic of [...input.topics.keys()].toSorted()) {
    const subscriptions = subscriptionsOf.get(topic)
    if (subscriptions === undefined) continue
    const key = subscriptions.map(({ id }) => id).join()
    const pool = pools.get(key) ?? makePool(subscriptions)
    pools.set(key, pool)
    poolOf.set(topic, pool)
  }
  return poolOf
}

function groupBySubscription(input: AssignorInput, sharers: readonly Sharer[]): Subscription[] {
  const subscriptions = new Map<string, Subscription>()
  for (const sharer of sharers) {
    const topics = input.members.get(sharer.memberId)?.topics ?? []
    const key = topics.join('\n')
    const same = subscriptions.get(key)
    if (same !== undefined) same.sharers.push(sharer)
    else subscriptions.set(key, { id: subscriptions.size, topics: new Set(topics), sharers: [sharer] })
  }
  return [...subscriptions.values()]
}

function makePool(subscriptions: readonly Subscription[]): Pool {
  const pool: Pool = { shares: [], free: [], search: 0, reachedBy: null }
  for (const sharer of subscriptions.flatMap(({ sharers }) => sharers)) {
    const share: Share = { pool, sharer, previous: [], count: 0 }
    pool.shares.push(share)
    sharer.shares.push(share)
  }
  return pool
}
