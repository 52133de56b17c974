/** A Redis Cluster divides its keys among this many slots, by the CRC16 of what stands between { and } in a key. */
export const SLOTS = 16_384

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
const LONGEST_TAG = 3

/** The Cluster slot of a hash tag: CRC-16/XMODEM modulo 16,384. */
export function slotOf(tag: string): number {
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff
  }
  return crc % SLOTS
}

/**
 * Hash tags for so many shards, whose slots are spread evenly: shard i's is the one nearest to the middle of the i-th part
 * of all slots. A Cluster gives each of its primaries a range of slots, and so a fair share of the shards. The same number
 * gives the same tags always; but they are stored with the namespace, and read from there.
 */
export function shardTags(shards: number): string[] {
  const shortest = shortestTags()
  const taken = new Set<number>()
  return Array.from({ length: shards }, (_, shard) => {
    const slot = nearest(Math.floor(((shard + 0.5) * SLOTS) / shards), (at) => shortest.has(at) && !taken.has(at))
    taken.add(slot)
    return shortest.get(slot) ?? ''
  })
}

/** For each slot that has one, the first of the shortest texts that lead to it. */
function shortestTags(): ReadonlyMap<number, string> {
  const tags = new Map<number, string>()
  let texts = ['']
  for (let length = 1; length <= LONGEST_TAG; length++) {
    texts = texts.flatMap((text) => Array.from(ALPHABET, (letter) => text + letter))
    for (const text of texts) {
      const slot = slotOf(text)
      if (!tags.has(slot)) tags.set(slot, text)
    }
  }
  return tags
}

function nearest(target: number, suits: (slot: number) => boolean): number {
  for (let distance = 0; distance < SLOTS; distance++) {
    if (suits((target + distance) % SLOTS)) return (target + distance) % SLOTS
    if (suits((target - distance + SLOTS) % SLOTS)) return (target - distance + SLOTS) % SLOTS
  }
  throw new RangeError('there are more shards than tags')
}
