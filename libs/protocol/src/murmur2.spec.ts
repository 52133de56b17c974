import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { kafkajsLegacyMurmur2, kafkajsMurmur2 } from '../spec-support/kafkajs-internals.js'
import { legacyMurmur2, murmur2, partitionForKey } from './murmur2.js'

// kafkajs looks for Buffers with Buffer.isBuffer: a Uint8Array is compared as the Buffer of the same bytes.
const anyBytes = fc.uint8Array({ maxLength: 200 })
const anyText = fc.oneof(fc.string({ maxLength: 100 }), fc.string({ unit: 'binary', maxLength: 100 }))

describe('murmur2', () => {
  it.each([
    ['', 275646681],
    ['21', -973932308],
    ['1', -1993445489],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])("hashes '%s' as Kafka's Java client does", (key, hash) => {
    expect(murmur2(key)).toBe(hash)
    expect(murmur2(Buffer.from(key))).toBe(hash)
  })

  it('is what kafkajs computes, for bytes and strings of every length up to 64', () => {
    for (let length = 0; length <= 64; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 151 + length * 7) & 0xff))
      const text = bytes.toString('latin1')
      for (const key of [bytes, text, text.replaceAll(/[^ -~]/g, 'x')]) expect(murmur2(key)).toBe(kafkajsMurmur2(key))
    }
  })

  it('is what kafkajs computes, for any bytes and any text', () => {
    fc.assert(fc.property(anyBytes, (key) => murmur2(key) === kafkajsMurmur2(Buffer.from(key))))
    fc.assert(fc.property(anyText, (key) => murmur2(key) === kafkajsMurmur2(key)))
  })

  it('hashes a string as its UTF-8 bytes', () => {
    for (const letter of ['x', 'ä', '€', '😀', '\ud800']) {
      for (const length of [1, 19, 20, 21, 341, 342, 1024, 1025, 5000]) {
        expect(murmur2(letter.repeat(length))).toBe(murmur2(Buffer.from(letter.repeat(length))))
      }
    }
    fc.assert(fc.property(anyText, (key) => murmur2(key) === murmur2(Buffer.from(key))))
  })
})

describe('partitionForKey', () => {
  it('is the positive hash modulo the number of partitions', () => {
    expect(partitionForKey('1', 10)).toBe((-1993445489 & 0x7fffffff) % 10)
    fc.assert(
      fc.property(anyBytes, fc.integer({ min: 1, max: 10_000 }), (key, partitions) => {
        const partition = partitionForKey(key, partitions)
        return Number.isInteger(partition) && partition >= 0 && partition < partitions
      }),
    )
  })
})

describe('legacyMurmur2', () => {
  it('differs from murmur2 as kafkajs documents it', () => {
    expect(legacyMurmur2('1')).toBe(1311020360)
  })

  it("is what kafkajs's LegacyPartitioner computes, for bytes and strings of every length up to 64", () => {
    for (let length = 0; length <= 64; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 151 + length * 7) & 0xff))
      const text = bytes.toString('latin1')
      for (const key of [bytes, text]) expect(legacyMurmur2(key)).toBe(kafkajsLegacyMurmur2(key))
    }
  })

  it("is what kafkajs's LegacyPartitioner computes, for any bytes and any text", () => {
    fc.assert(fc.property(anyBytes, (key) => legacyMurmur2(key) === kafkajsLegacyMurmur2(Buffer.from(key))))
    fc.assert(fc.property(anyText, (key) => legacyMurmur2(key) === kafkajsLegacyMurmur2(key)))
  })
})
