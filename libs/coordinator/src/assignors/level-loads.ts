import { change, type Pool, type Share, type Sharer } from './pools.js'

/**
 * Hands partitions on until the members' loads are as even as their subscriptions allow. One hand-over may go through several
 * members: A gives one of its partitions to B, which gives one of a topic that A does not subscribe to C. As long as any such
 * path leads from a member to another whose load is lower by two or more, it is followed; when there is none, no assignment
 * is more even, by any measure (the assignment is an optimal semi-matching).
 */
export function levelLoads(sharers: readonly Sharer[], pools: readonly Pool[]): void {
  for (const { shares } of pools) if (shares.every(({ sharer }) => sharer.shares.length === 1)) levelAlone(shares)
  for (let search = 1; ; search++) {
    const end = findPath(sharers, search)
    if (end === null) return
    handOver(end)
  }
}

/** The bulk of it where members have nothing but this pool, as with equal subscriptions: without searches. */
function levelAlone(shares: readonly Share[]): void {
  const mean = shares.reduce((sum, { count }) => sum + count, 0) / shares.length
  const takers = shares.values()
  let taker = takers.next()
  for (const giver of shares) {
    while (giver.count > Math.ceil(mean) && taker.done !== true) {
      const room = Math.floor(mean) - taker.value.count
      if (room > 0) {
        const given = Math.min(room, giver.count - Math.ceil(mean))
        change(giver, -given)
        change(taker.value, given)
      } else {
        taker = takers.next()
      }
    }
  }
}

/** The end of a path; where it came from is noted in what it passes. */
function findPath(sharers: readonly Sharer[], search: number): Sharer | null {
  let lowest = Infinity
  for (const { load } of sharers) if (load < lowest) lowest = load
  for (;;) {
    const start = highest(sharers, search)
    if (start === null || start.load < lowest + 2) return null
    // Without a path, nothing that can be reached from here has a lower load than this one's less one: what starts lower and
    // comes upon it need not look there again.
    const end = lowestFrom(start, search, lowest)
    if (end.load <= start.load - 2) return end
  }
}

/** Of the members that the search has not reached yet, the one with the highest load. */
function highest(sharers: readonly Sharer[], search: number): Sharer | null {
  let found: Sharer | null = null
  for (const sharer of sharers) {
    if ((found === null || sharer.load > found.load) && sharer.search !== search) found = sharer
  }
  return found
}

/** The member with the lowest load that partitions can be handed on to, on a shortest path. */
function lowestFrom(start: Sharer, search: number, enough: number): Sharer {
  const queue = [start]
  reach(start, search, null)
  let found = start
  for (const sharer of queue) {
    for (const given of sharer.shares) {
      if (given.count === 0 || given.pool.search === search) continue
      reach(given.pool, search, given)
      for (const taken of given.pool.shares) {
        if (taken.sharer.search === search) continue
        reach(taken.sharer, search, taken)
        queue.push(taken.sharer)
        if (taken.sharer.load < found.load) found = taken.sharer
        if (found.load === enough) return found
      }
    }
  }
  return found
}

function reach(place: Sharer | Pool, search: number, by: Share | null): void {
  place.search = search
  place.reachedBy = by
}

function handOver(end: Sharer): void {
  let taken = end.reachedBy
  while (taken !== null) {
    const given = taken.pool.reachedBy
    if (given === null) return
    change(taken, 1)
    change(given, -1)
    taken = given.sharer.reachedBy
  }
}
