import { describe, expect, it } from '@jest/globals'

import { isWellFilled, roomLeft } from './redis-allocation.js'

/** Of jemalloc, as its documentation lists them. */
const SIZES = [
  5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
].map((kilobytes) => kilobytes * 1024)
/** A batch that fills such an allocation: measured, the largest that `XADD` puts there. */
const FULL = 56
const KB = 1024

describe('roomLeft', () => {
  it('is what remains to the next allocation, whatever the size', () => {
    for (let bytes = 4 * KB + 1; bytes < 256 * KB; bytes += 97) {
      const allocated = SIZES.find((size) => size >= bytes + FULL) ?? NaN
      expect([bytes, roomLeft(bytes)]).toEqual([bytes, allocated - FULL - bytes])
    }
  })

  it('is nothing in a full one, and a whole step after it', () => {
    expect(roomLeft(80 * KB - FULL)).toBe(0)
    expect(roomLeft(80 * KB - FULL + 1)).toBe(16 * KB - 1)
  })
})

describe('isWellFilled', () => {
  it('holds where little is left, and the next piece would need a larger allocation', () => {
    expect(isWellFilled(79 * KB, 20 * KB, 0)).toBe(true)
    expect(isWellFilled(74 * KB, 20 * KB, 0)).toBe(true)
    expect(isWellFilled(70 * KB, 20 * KB, 0)).toBe(false)
    expect(isWellFilled(79 * KB, 500, 0)).toBe(false)
  })

  it('never holds for a small batch, or one below what it should have at least', () => {
    expect(isWellFilled(28 * KB - FULL, 5 * KB, 0)).toBe(false)
    expect(isWellFilled(80 * KB - FULL, 5 * KB, 81 * KB)).toBe(false)
  })
})
