import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { crc32c, portableCrc32c } from './crc32c.js'

describe.each([
  ['crc32c', crc32c],
  ['portableCrc32c', portableCrc32c],
])('%s', (_, checksum) => {
  // The vectors of RFC 3720, appendix B.4, and the usual one.
  it.each([
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (__, i) => i)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({ length: 32 }, (__, i) => 31 - i)), 0x113fdb5c],
  ])('of %s', (__, bytes, expected) => {
    expect(checksum(bytes)).toBe(expected)
  })

  it('of a part is that of the part alone, at every length around the threshold of the native code', () => {
    const bytes = Buffer.from(Array.from({ length: 2000 }, (__, i) => (i * 31) & 0xff))
    for (const length of [0, 1, 7, 8, 9, 255, 256, 257, 1024]) {
      expect(checksum(bytes, 13, 13 + length)).toBe(portableCrc32c(Uint8Array.from(bytes.subarray(13, 13 + length))))
    }
  })
})

describe('crc32c', () => {
  it('is the same with and without the native code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, start) => {
        const from = Math.min(start, bytes.length)
        expect(crc32c(bytes, from)).toBe(portableCrc32c(bytes, from))
      }),
    )
  })
})
