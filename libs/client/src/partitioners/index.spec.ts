import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { Partitioners } from './index.js'

const metadata = (partitions: number, leader: (partitionId: number) => number = () => 0) =>
  Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: leader(partitionId),
    replicas: [],
    isr: [],
  }))

describe.each(['DefaultPartitioner', 'LegacyPartitioner', 'JavaCompatiblePartitioner'] as const)('%s', (name) => {
  it('puts every key where the one of kafkajs puts it', () => {
    const [ours, theirs] = [Partitioners[name](), kafkajs.Partitioners[name]()]
    const key = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 100 }), (key, partitions) => {
        const args = { topic: 'orders', partitionMetadata: metadata(partitions), message: { key, value: null } }
        expect(ours(args)).toBe(theirs(args))
      }),
    )
  })

  it("takes the message's own partition, 0 included, before its key", () => {
    const message = { key: '21', value: null, partition: 0 }
    expect(Partitioners[name]()({ topic: 'orders', partitionMetadata: metadata(7), message })).toBe(0)
  })

  it('goes round the partitions that have a leader, for each topic by itself', () => {
    const partitioner = Partitioners[name]()
    const partitionMetadata = metadata(4, (id) => (id === 2 ? -1 : 0))
    const next = (topic: string) => partitioner({ topic, partitionMetadata, message: { key: null, value: 'v' } })
    const turns = Array.from({ length: 6 }, () => [next('a'), next('b')])
    for (const index of [0, 1]) {
      const chosen = turns.map((turn) => turn[index])
      expect(new Set(chosen.slice(0, 3))).toEqual(new Set([0, 1, 3]))
      expect(chosen.slice(3)).toEqual(chosen.slice(0, 3))
    }
  })

  it('goes round all partitions where none has a leader', () => {
    const partitioner = Partitioners[name]()
    const args = { topic: 'a', partitionMetadata: metadata(3, () => -1), message: { value: 'v' } }
    expect(new Set([partitioner(args), partitioner(args), partitioner(args)])).toEqual(new Set([0, 1, 2]))
  })
})
