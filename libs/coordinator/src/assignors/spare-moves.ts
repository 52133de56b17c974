import { change, type Pool, type Share, type Sharer } from './pools.js'

/** A member, a pool, or a load: what partitions pass when they are handed on. */
interface Node {
  /** The cheapest way here that is known, in moves of partitions. */
  cost: number
  from: Node | null
  /** The share that is changed between `from` and here, and how; null: none is. */
  share: Share | null
  by: 1 | -1
}

interface Edge {
  readonly from: Node
  readonly to: Node
  readonly share: Share | null
  readonly by: 1 | -1
}

/**
 * Exchanges partitions so that fewer of them move, until none could be spared without making the loads less even. It looks for
 * rings of hand-overs which leave the loads as they are, or let members exchange theirs, and by which more partitions return
 * to their previous owners than leave them (this is min-cost flow, by cancelling negative cycles).
 */
export function spareMoves(sharers: readonly Sharer[], pools: readonly Pool[]): void {
  while (swapOnce(sharers, pools)) {
    // Each round spares at least one move.
  }
}

function swapOnce(sharers: readonly Sharer[], pools: readonly Pool[]): boolean {
  const { nodes, edges } = graph(sharers, pools)
  while (relax(edges)) {
    const rings = findRings(nodes)
    for (const ring of rings) for (const { share, by } of ring) if (share !== null) change(share, by)
    if (rings.length > 0) return true
  }
  return false
}

const node = (): Node => ({ cost: 0, from: null, share: null, by: 1 })

function graph(sharers: readonly Sharer[], pools: readonly Pool[]): { nodes: Node[]; edges: Edge[] } {
  const poolNodes = new Map(pools.map((pool) => [pool, node()]))
  const loadNodes = new Map<number, Node>()
  const nodes = [...poolNodes.values()]
  const edges: Edge[] = []
  const loadNode = (load: number): Node => {
    let found = loadNodes.get(load)
    if (found === undefined) {
      found = node()
      loadNodes.set(load, found)
      nodes.push(found)
    }
    return found
  }
  for (const sharer of sharers) {
    const member = node()
    nodes.push(member)
    // Who takes one more stands in for another that had as many, and gives one up.
    edges.push({ from: member, to: loadNode(sharer.load + 1), share: null, by: 1 })
    edges.push({ from: loadNode(sharer.load), to: member, share: null, by: 1 })
    for (const share of sharer.shares) {
      const pool = poolNodes.get(share.pool)
      if (pool === undefined) continue
      if (share.count > 0) edges.push({ from: member, to: pool, share, by: -1 })
      edges.push({ from: pool, to: member, share, by: 1 })
    }
  }
  return { nodes, edges }
}

/** In moves: a partition that leaves its previous owner is one, one that returns to it is spared. */
function costOf({ share, by }: Edge): number {
  if (share === null) return 0
  if (by === -1) return share.count <= share.previous.length ? 1 : 0
  return share.count < share.previous.length ? -1 : 0
}

function relax(edges: readonly Edge[]): boolean {
  let cheaper = false
  for (const edge of edges) {
    const cost = edge.from.cost + costOf(edge)
    if (cost >= edge.to.cost) continue
    Object.assign(edge.to, { cost, from: edge.from, share: edge.share, by: edge.by })
    cheaper = true
  }
  return cheaper
}

/** Rings among the cheapest ways: each costs less than nothing, and no two share a node. */
function findRings(nodes: readonly Node[]): Node[][] {
  const rings: Node[][] = []
  const walks = new Map<Node, number>()
  for (const [walk, start] of nodes.entries()) {
    let at: Node | null = start
    while (at !== null && !walks.has(at)) {
      walks.set(at, walk)
      at = at.from
    }
    if (at !== null && walks.get(at) === walk) rings.push(ringAt(at))
  }
  return rings
}

function ringAt(start: Node): Node[] {
  const ring = [start]
  for (let at = start.from; at !== null && at !== start; at = at.from) ring.push(at)
  return ring
}
