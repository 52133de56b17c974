import { describe, expect, it } from '@jest/globals'

import type { Message } from '../types.js'
import { type Grouping, groupByPartition, messagesOf } from './message-groups.js'

const grouping = (partitions: number, partitioner: Grouping['partitioner']): Grouping => ({
  topic: 't',
  partitionMetadata: Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [0],
    isr: [0],
    offlineReplicas: [],
  })),
  partitioner,
  recordLimit: { bytes: 1000, name: 'a limit' },
  now: 0,
})
const byOwn = grouping(8, ({ message }) => message.partition ?? 0)
const message = (value: string, partition: number): Message => ({ value, partition })

function grouped(messages: Message[], by = byOwn): [partition: number, values: unknown[]][] {
  const sorted = groupByPartition(messages, by)
  return sorted.groups.map((group) => [group.partition, messagesOf(sorted, group).map(({ value }) => value)])
}

describe('groupByPartition', () => {
  it('gives the groups by partition, and keeps the order within each', () => {
    const messages = [message('a', 5), message('b', 1), message('c', 5), message('d', 0), message('e', 5)]
    expect(grouped(messages)).toEqual([
      [0, ['d']],
      [1, ['b']],
      [5, ['a', 'c', 'e']],
    ])
    expect(grouped([message('alone', 3)])).toEqual([[3, ['alone']]])
    expect(grouped([])).toEqual([])
  })

  it("bounds what each group adds to a batch by the sum of its messages' bounds", () => {
    const one = groupByPartition([message('aa', 2)], byOwn).groups[0]?.bound ?? NaN
    const { groups } = groupByPartition([message('aa', 2), message('x', 1), message('bb', 2)], byOwn)
    expect(one).toBeGreaterThan(2)
    expect(groups.map(({ bound }) => bound)).toEqual([one - 3, 2 * one])
  })

  it('takes the messages that were there at first, whatever the partitioner does to the list', () => {
    const growing = [message('a', 0), message('b', 0)]
    const adding = grouping(1, () => {
      growing.push(message('more', 0))
      return 0
    })
    expect(grouped(growing, adding)).toEqual([[0, ['a', 'b']]])
  })

  it('refuses all for one that has no such partition, or is too large', () => {
    expect(() => grouped([message('a', 0), message('b', 8)])).toThrow("The topic 't' has no partition 8")
    expect(() => grouped([message('a', 0), message('b'.repeat(1000), 1)])).toThrow(
      'more than the limit of 1000 (a limit)',
    )
  })
})
