import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { OffsetCommit } from '../types.js'
import { parseCommittedOffset, storedAfterCommitTime } from './committed-offset.js'
import { parseGroupMessage } from './group-message.js'
import { parsePartitionName, partitionName } from '../partition-name.js'
import { parseTarget, targetText } from './target-text.js'

const id = fc.stringMatching(/^[\w-]{22}$/)
const topic = fc.stringMatching(/^[a-zA-Z0-9._-]{1,30}$/)

describe('a target', () => {
  const partition = fc.record({ topic, topicId: id, partition: fc.nat() })
  const key = ({ topic: name, topicId, partition: number }: { topic: string; topicId: string; partition: number }) =>
    `${name}:${topicId}:${number}`

  it('reads back, and is the same text in whatever order it comes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(partition, { selector: key }), (partitions) => {
        const text = targetText(partitions)
        expect(parseTarget(text).map(key).toSorted()).toEqual(partitions.map(key).toSorted())
        expect(targetText(partitions.toReversed())).toBe(text)
      }),
    )
  })

  it('has the topics and the partitions sorted', () => {
    const of = (name: string, number: number) => ({ topic: name, topicId: 'id', partition: number })
    expect(targetText([of('b', 10), of('a', 1), of('b', 9)])).toBe('a:id:1 b:id:9,10')
    expect(targetText([])).toBe('')
    expect(parseTarget('')).toEqual([])
  })
})

describe('a committed offset', () => {
  const leaderEpoch = fc.record({
    number: fc.nat(),
    replicationId: fc.stringMatching(/^[0-9a-f]{0,8}$/),
    startOffset: fc.maxSafeNat(),
  })
  const commit: fc.Arbitrary<OffsetCommit> = fc.record({
    ...{ topic, topicId: id, partition: fc.nat(), grant: fc.nat(), offset: fc.maxSafeInteger() },
    leaderEpoch: fc.option(leaderEpoch),
    metadata: fc.option(fc.string({ unit: 'binary' })),
  })

  it('reads back, whatever its metadata', () => {
    fc.assert(
      fc.property(commit, (one) => {
        const { offset, leaderEpoch: epoch, metadata } = one
        expect(parseCommittedOffset(`${offset} 1700000000000 ${storedAfterCommitTime(one)}`)).toEqual({
          ...{ offset, leaderEpoch: epoch, metadata, committedAt: 1_700_000_000_000 },
        })
      }),
    )
  })

  it('that cannot be read is of a newer release', () => {
    expect(() => parseCommittedOffset('nonsense')).toThrow(expect.objectContaining({ type: 'UNSUPPORTED_VERSION' }))
  })
})

it('a partition’s name reads back', () => {
  fc.assert(
    fc.property(id, fc.nat(), (topicId, partition) => {
      expect(parsePartitionName(partitionName({ topicId, partition }))).toEqual({ topicId, partition })
    }),
  )
})

it('a message that is none of a group’s is nothing', () => {
  const texts = ['', 'null', '7', '"assign"', '{}', '{"kind":"assign"}', '{"kind":"assign","memberId":7}']
  const more = ['{"kind":"free","partitions":[7]}', '{"kind":"target","epoch":"1","memberIds":[]}', '{"kind":"missed"}']
  for (const text of [...texts, ...more]) expect(parseGroupMessage(text)).toBeNull()
})
