import { describe, expect, it } from '@jest/globals'
import { shardTags, SLOTS, slotOf } from './shard-tags.js'

const COUNTS = [1, 2, 3, 7, 12, 64, 1_000, 1_024]

describe('the tags of shards', () => {
  it("are in the slots that Redis's specification gives as examples", () => {
    // CRC-16/XMODEM of '123456789' is 0x31C3
    expect(slotOf('123456789')).toBe(0x31c3)
    expect(slotOf('')).toBe(0)
    expect(slotOf('foo')).toBe(12_182)
    expect(slotOf('bar')).toBe(5_061)
  })

  it.each(COUNTS)('are %i different ones, the same each time, of at most three letters and digits', (count) => {
    const tags = shardTags(count)
    expect(tags).toHaveLength(count)
    expect(new Set(tags).size).toBe(count)
    expect(shardTags(count)).toEqual(tags)
    for (const tag of tags) expect(tag).toMatch(/^[0-9a-z]{1,3}$/)
  })

  it.each(COUNTS)('of %i shards are spread evenly over the slots', (count) => {
    for (const [shard, tag] of shardTags(count).entries()) {
      const middle = ((shard + 0.5) * SLOTS) / count
      expect(Math.abs(slotOf(tag) - middle)).toBeLessThanOrEqual(Math.max(2, SLOTS / count / 8))
    }
  })

  it.each([2, 3, 4, 6])('give each of %i primaries the same number of 12 shards', (primaries) => {
    const held = new Array<number>(primaries).fill(0)
    for (const tag of shardTags(12)) {
      const primary = Math.floor((slotOf(tag) * primaries) / SLOTS)
      held[primary] = (held[primary] ?? 0) + 1
    }
    expect(held).toEqual(new Array(primaries).fill(12 / primaries))
  })
})
