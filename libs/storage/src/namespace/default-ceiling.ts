import type { ServerFacts } from '../connection/server-facts.js'

/**
 * How many bytes a namespace may hold where max.bytes is not set: half of maxmemory, or half of the machine's memory where
 * Redis has no limit. The other half is for Redis's own overhead, its replicas' buffers, and whoever else uses it.
 * Nothing is known of a server that keeps INFO to itself: there is no ceiling then but maxmemory.
 */
export function defaultCeiling(facts: Pick<ServerFacts, 'maxmemory' | 'totalSystemMemory'>): number {
  const memory = facts.maxmemory !== null && facts.maxmemory > 0 ? facts.maxmemory : facts.totalSystemMemory
  return memory === null || memory <= 0 ? Number.MAX_SAFE_INTEGER : Math.floor(memory / 2)
}
