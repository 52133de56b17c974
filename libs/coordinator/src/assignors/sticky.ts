import type { TargetAssignment, TopicPartition } from '../types.js'
import type { AssignorInput } from './assignor.js'
import { topicPartitions } from './assignor.js'
import { spareMoves } from './spare-moves.js'
import { levelLoads } from './level-loads.js'
import { change, makePools, makeSharers, type Pool, type Share, type Sharer } from './pools.js'

/**
 * Shares out partitions as evenly as the subscriptions allow, and among all assignments that are as even takes one that moves
 * the fewest partitions away from their previous owners. With equal subscriptions no member has two partitions more than
 * another. Where there is a choice, the partitions of a topic are spread over the members.
 *
 * What Kafka's UniformAssignor and CooperativeStickyAssignor aim at.
 */
export function sticky(input: AssignorInput): TargetAssignment {
  const sharers = makeSharers(input.members.keys())
  const pools = makePools(input, sharers)
  giveBack(input, sharers, pools)
  const distinct = [...new Set(pools.values())]
  // Few subscribers first: those with a choice come later, and make up for it.
  for (const pool of distinct.toSorted((a, b) => a.shares.length - b.shares.length)) giveToLeastLoaded(pool)
  levelLoads(sharers, distinct)
  spareMoves(sharers, distinct)
  return toTarget(sharers, distinct)
}

/** Gives the partitions to their previous owners, as far as those still subscribe to them. */
function giveBack(input: AssignorInput, sharers: readonly Sharer[], pools: ReadonlyMap<string, Pool>): void {
  const owners = new Map([...pools.keys()].map((topic): [string, Share[]] => [topic, []]))
  for (const sharer of sharers) {
    for (const { topic, topicId, partition } of input.previous.get(sharer.memberId) ?? []) {
      const ownersOfTopic = owners.get(topic)
      if (ownersOfTopic?.[partition] !== undefined || input.topics.get(topic)?.topicId !== topicId) continue
      const pool = pools.get(topic)
      const share = sharer.shares.find((candidate) => candidate.pool === pool)
      if (ownersOfTopic !== undefined && share !== undefined) ownersOfTopic[partition] = share
    }
  }
  for (const [topic, pool] of pools) {
    const ownersOfTopic = owners.get(topic)
    for (const partition of topicPartitions(input, topic)) {
      const share = ownersOfTopic?.[partition.partition]
      if (share === undefined) {
        pool.free.push(partition)
      } else {
        share.previous.push(partition)
        change(share, 1)
      }
    }
  }
}

/** Gives the free partitions to those who own the least, one after the other. */
function giveToLeastLoaded({ free, shares }: Pool): void {
  const sorted = shares.toSorted((a, b) => a.sharer.load - b.sharer.load)
  let left = free.length
  // The first `width` of them, which have the same load, get as much as those after them have, and are joined by the next.
  for (let width = 1; left > 0 && width <= sorted.length; width++) {
    const load = sorted[0]?.sharer.load ?? 0
    const room = width * ((sorted[width]?.sharer.load ?? Infinity) - load)
    if (room === 0) continue
    const given = Math.min(room, left)
    for (const [i, share] of sorted.slice(0, width).entries()) {
      change(share, Math.floor(given / width) + (i < given % width ? 1 : 0))
    }
    left -= given
  }
}

function toTarget(sharers: readonly Sharer[], pools: readonly Pool[]): TargetAssignment {
  const target = new Map(sharers.map(({ memberId }): [string, TopicPartition[]] => [memberId, []]))
  for (const pool of pools) {
    for (const [{ sharer }, partitions] of deal(pool)) {
      const all = target.get(sharer.memberId)
      for (const partition of partitions) all?.push(partition)
    }
  }
  for (const partitions of target.values()) partitions.sort(byTopicAndPartition)
  return target
}

/** Turns the numbers into partitions: everybody keeps what it may, the rest goes round. */
function deal({ shares, free }: Pool): ReadonlyMap<Share, readonly TopicPartition[]> {
  const given = [...free]
  const dealt = new Map<Share, TopicPartition[]>()
  for (const share of shares) {
    const previous = spread(share.previous)
    dealt.set(share, previous.slice(0, share.count))
    for (const partition of previous.slice(share.count)) given.push(partition)
  }
  const receivers = inTurns(dealt)
  for (const [i, partition] of given.toSorted(byTopicAndPartition).entries()) receivers[i]?.push(partition)
  return dealt
}

/** Those who lack partitions, once for each: first all of them, then those who lack two, and so on. */
function inTurns(dealt: ReadonlyMap<Share, TopicPartition[]>): TopicPartition[][] {
  const receivers: TopicPartition[][] = []
  let open = [...dealt]
  for (let turn = 1; open.length > 0; turn++) {
    open = open.filter(([{ count }, partitions]) => count - partitions.length >= turn)
    for (const [, partitions] of open) receivers.push(partitions)
  }
  return receivers
}

/** Sorted so that the first ones, however many, are of as many topics as can be. */
function spread(partitions: readonly TopicPartition[]): TopicPartition[] {
  const seen = new Map<string, number>()
  const ranked = partitions.map((partition) => {
    const rank = seen.get(partition.topic) ?? 0
    seen.set(partition.topic, rank + 1)
    return { partition, rank }
  })
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ partition }) => partition)
}

function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}
