import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeTopicEntry, encodeTopicEntry, shardsOf, topicOf } from './topic-entry.js'

const entries = fc.record({
  id: fc.string({ minLength: 1 }),
  shards: fc.array(fc.nat(1023), { minLength: 1 }),
  configs: fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { noNullPrototype: true }),
})

describe("a topic's entry", () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(decodeTopicEntry('t', encodeTopicEntry(entry))).toEqual(entry)
      }),
    )
  })

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"id":1,"shards":[0],"configs":{}}',
    '{"id":"i","shards":[],"configs":{}}',
    '{"id":"i","shards":[-1],"configs":{}}',
    '{"id":"i","shards":[0],"configs":{"a":1}}',
  ])('that is %s is refused', (json) => {
    expect(() => decodeTopicEntry('t', json)).toThrow(expect.objectContaining({ type: 'UNSUPPORTED_VERSION' }))
  })

  it('ignores configs that only a newer release knows', () => {
    const topic = topicOf('t', { id: 'i', shards: [0], configs: { 'retention.ms': '5', 'of.later': 'x' } })
    expect(topic.config.retentionMs).toBe(5)
    expect(topic.overrides).toEqual({ 'retention.ms': '5', 'of.later': 'x' })
  })
})

describe('the shards of partitions', () => {
  it('follow one another, and are the same however many partitions are asked for at a time', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.nat(40),
        fc.nat(40),
        fc.integer({ min: 1, max: 64 }),
        (topic, a, b, shards) => {
          const all = shardsOf(topic, 0, a + b, shards)
          expect([...shardsOf(topic, 0, a, shards), ...shardsOf(topic, a, a + b, shards)]).toEqual(all)
          all.forEach((shard, i) => expect(shard).toBe(((all[0] ?? 0) + i) % shards))
        },
      ),
    )
  })

  it('begin at different ones for different topics', () => {
    const first = new Set(Array.from({ length: 200 }, (_, i) => shardsOf(`topic-${i}`, 0, 1, 12)[0]))
    expect(first.size).toBe(12)
  })
})
