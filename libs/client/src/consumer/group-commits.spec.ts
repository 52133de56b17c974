import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { RedisGroupStore } from '@rivulet/coordinator'
import { waitFor } from '@rivulet/testing'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'
import type { ConsumerEventPayloads, EachBatchPayload, InstrumentationEvent } from '../types.js'
import type { Consumer } from './consumer.js'

type Committed = ConsumerEventPayloads['consumer.commit_offsets']

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
  await namespace.topic('orders', 2)
})
afterEach(() => namespace.close())

/** The offsets of partition 0 in each commit event. */
function commitsOf(consumer: Consumer): string[] {
  const commits: string[] = []
  consumer.on('consumer.commit_offsets', ({ payload }: InstrumentationEvent<Committed>) => {
    for (const { partitions } of payload.topics) for (const { offset } of partitions) commits.push(offset)
  })
  return commits
}

/** Runs eachBatch for one batch, and answers when that has ended. */
async function oneBatch(
  consumer: Consumer,
  work: (payload: EachBatchPayload) => Promise<void>,
  config: object = {},
): Promise<void> {
  const ended = deferred()
  consumer.on('consumer.end_batch_process', () => ended.resolve())
  await consumer.run({ ...config, eachBatch: work })
  await ended.promise
}

describe('autoCommit', () => {
  it('commits at the end of each batch, with an event as kafkajs’s', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const event = deferred<Committed>()
    consumer.on('consumer.commit_offsets', ({ payload }) => event.resolve(payload))
    await consumer.run({ eachMessage: received.take })
    expect(await event.promise).toEqual({
      groupId: 'g',
      memberId: expect.stringMatching(/^consumer-spec-/),
      groupGenerationId: expect.any(Number),
      topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '3' }] }],
    })
    expect(await namespace.committed('g')).toEqual({ 0: 3 })
  })

  it('waits for the commit before it goes on with the partition', async () => {
    const consumer = await namespace.member()
    const order: string[] = []
    const [fetched, done] = [deferred(), deferred()]
    let fetches = 0
    consumer.on('consumer.fetch', ({ payload }) => {
      fetches += payload.numberOfBatches
      if (fetches === 2) fetched.resolve()
    })
    consumer.on('consumer.commit_offsets', ({ payload }) => {
      order.push(`committed ${payload.topics[0]?.partitions[0]?.offset}`)
      if (order.length === 4) done.resolve()
    })
    await consumer.run({
      eachBatch: async ({ batch }) => {
        order.push(`batch from ${batch.firstOffset()}`)
        if (order.length === 1) await namespace.produce('orders', 0, ['b'])
        await fetched.promise
      },
    })
    await namespace.produce('orders', 0, ['a'])
    await done.promise
    expect(order).toEqual(['batch from 0', 'committed 1', 'batch from 1', 'committed 2'])
  })

  it('commits what came before an error of the handler', async () => {
    await namespace.produce('orders', 0, values('a', 5))
    const consumer = await namespace.member({ retry: { initialRetryTime: 60_000, maxRetryTime: 60_000 } })
    const committed = deferred()
    consumer.on('consumer.commit_offsets', () => committed.resolve())
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (message.offset === '3') throw new Error('broken')
      },
    })
    await committed.promise
    expect(await namespace.committed('g')).toEqual({ 0: 3 })
  })

  it('commits by the threshold before the next message, counted over all partitions', async () => {
    await namespace.produce('orders', 0, values('a', 5))
    const consumer = await namespace.member()
    const seen: unknown[] = []
    await consumer.run({
      autoCommitThreshold: 2,
      eachMessage: async (payload) => {
        seen.push(await namespace.committed('g'))
        await received.take(payload)
      },
    })
    await received.count(5)
    expect(seen).toEqual([{}, {}, { 0: 2 }, { 0: 2 }, { 0: 4 }])
  })

  it('commits by the interval while a handler takes its time', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const hold = deferred()
    await consumer.run({
      autoCommitInterval: 20,
      eachMessage: async ({ message }) => {
        if (message.offset === '2') await hold.promise
      },
    })
    await waitFor(async () => 0 in (await namespace.committed('g')), { what: 'a commit' })
    expect(await namespace.committed('g')).toEqual({ 0: 2 })
    hold.resolve()
  })

  it('of several partitions is one call, and one event', async () => {
    const consumer = await namespace.member()
    const commits: unknown[] = []
    const both = deferred()
    consumer.on('consumer.commit_offsets', ({ payload }) => {
      commits.push(payload.topics)
      both.resolve()
    })
    await consumer.run({
      eachBatchAutoResolve: false,
      autoCommit: false,
      partitionsConsumedConcurrently: 2,
      eachBatch: async ({ resolveOffset, batch, commitOffsetsIfNecessary, uncommittedOffsets }) => {
        resolveOffset(batch.lastOffset())
        received.add('orders', batch.partition, '', null)
        await received.count(2)
        await commitOffsetsIfNecessary(uncommittedOffsets())
      },
    })
    await namespace.produce('orders', 0, ['a'])
    await namespace.produce('orders', 1, ['b'])
    await both.promise
    expect(commits[0]).toEqual([
      {
        topic: 'orders',
        partitions: expect.arrayContaining([
          { partition: 0, offset: '1' },
          { partition: 1, offset: '1' },
        ]),
      },
    ])
  })

  it('where it is off nothing is committed but what the application commits', async () => {
    await namespace.produce('orders', 0, values('a', 4))
    const consumer = await namespace.member()
    await consumer.run({
      autoCommit: false,
      eachMessage: async (payload) => {
        await received.take(payload)
        if (payload.message.offset !== '1') return
        await consumer.commitOffsets([{ topic: 'orders', partition: 0, offset: '2', metadata: 'half' }])
      },
    })
    await received.count(4)
    await consumer.stop()
    expect(await namespace.committed('g')).toEqual({ 0: 2 })
    const { topicId } = await namespace.partition('orders')
    const all = await new RedisGroupStore(namespace.storage).allCommitted('g')
    expect(all.get(`${topicId}:0`)?.metadata).toBe('half')
  })

  it('carries the leader epoch of the record before the offset', async () => {
    await namespace.produce('orders', 0, values('a', 2))
    const consumer = await namespace.member()
    await consumer.run({ eachMessage: received.take })
    await received.count(2)
    await consumer.disconnect()
    const log = await namespace.partition('orders')
    const { leaderEpoch } = await namespace.storage.log.describe(log)
    const all = await new RedisGroupStore(namespace.storage).allCommitted('g')
    expect(all.get(`${log.topicId}:0`)?.leaderEpoch).toEqual({ ...leaderEpoch, startOffset: 0 })
  })
})

describe('eachBatch', () => {
  it('commits what it resolved when commitOffsetsIfNecessary finds the threshold reached', async () => {
    await namespace.produce('orders', 0, values('a', 5))
    const consumer = await namespace.member()
    const seen: unknown[] = []
    await oneBatch(
      consumer,
      async ({ batch, resolveOffset, commitOffsetsIfNecessary }) => {
        for (const { offset } of batch.messages) {
          resolveOffset(offset)
          await commitOffsetsIfNecessary()
          seen.push((await namespace.committed('g'))[0])
        }
      },
      { autoCommit: false, autoCommitThreshold: 3 },
    )
    expect(seen).toEqual([undefined, undefined, 3, 3, 3])
  })

  it('commitOffsetsIfNecessary does nothing where neither threshold nor interval is set, but commits what it is given', async () => {
    await namespace.produce('orders', 0, values('a', 5))
    const consumer = await namespace.member()
    const [seen, uncommitted]: [unknown[], unknown[]] = [[], []]
    await oneBatch(consumer, async ({ resolveOffset, commitOffsetsIfNecessary, uncommittedOffsets }) => {
      resolveOffset('2')
      await commitOffsetsIfNecessary()
      seen.push(await namespace.committed('g'))
      uncommitted.push(uncommittedOffsets())
      await commitOffsetsIfNecessary({ topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '2' }] }] })
      seen.push(await namespace.committed('g'))
      await commitOffsetsIfNecessary(uncommittedOffsets())
      seen.push(await namespace.committed('g'))
      uncommitted.push(uncommittedOffsets())
    })
    expect(seen).toEqual([{}, { 0: 2 }, { 0: 3 }])
    expect(uncommitted).toEqual([
      { topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '3' }] }] },
      { topics: [] },
    ])
  })

  it('without eachBatchAutoResolve only what was resolved is committed', async () => {
    await namespace.produce('orders', 0, values('a', 5))
    const consumer = await namespace.member()
    const commits = commitsOf(consumer)
    let calls = 0
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        if (calls++ === 0) resolveOffset('1')
        else resolveOffset(batch.lastOffset())
      },
    })
    await waitFor(() => commits.length === 2, { what: 'two commits' })
    expect(commits).toEqual(['2', '5'])
  })
})

describe('commitOffsets', () => {
  it('says which partition is another member’s, and the consumer goes on', async () => {
    const [first, second] = [await namespace.member(), await namespace.member()]
    const assigned = deferred<Record<string, number[]>>()
    await first.run({ eachMessage: received.take })
    second.on('consumer.group_join', ({ payload }) => {
      if (payload.memberAssignment['orders']?.length === 1) assigned.resolve(payload.memberAssignment)
    })
    await second.run({ eachMessage: received.take })
    const [partition = -1] = (await assigned.promise)['orders'] ?? []
    await expect(first.commitOffsets([{ topic: 'orders', partition, offset: '1' }])).rejects.toMatchObject({
      name: 'KafkaJSNonRetriableError',
      cause: { name: 'KafkaJSProtocolError', type: 'ILLEGAL_GENERATION', code: 22 },
    })
    await namespace.produce('orders', 1 - partition, ['a'])
    await received.count(1)
  })

  it('before run and after stop fails as kafkajs’s', async () => {
    const consumer = await namespace.member()
    const commit = () => consumer.commitOffsets([{ topic: 'orders', partition: 0, offset: '1' }])
    const error = /Consumer group was not initialized, consumer#run must be called first/
    await expect(commit()).rejects.toThrow(error)
    await consumer.run({ eachMessage: received.take })
    await commit()
    await consumer.stop()
    await expect(commit()).rejects.toThrow(error)
    expect(await namespace.committed('g')).toEqual({ 0: 1 })
  })

  it('works in a handler while the consumer stops', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const begun = deferred()
    const finish = deferred()
    await consumer.run({
      autoCommit: false,
      eachMessage: async () => {
        begun.resolve()
        await finish.promise
        await consumer.commitOffsets([{ topic: 'orders', partition: 0, offset: '1' }])
      },
    })
    await begun.promise
    const stopping = consumer.stop()
    finish.resolve()
    await stopping
    expect(await namespace.committed('g')).toEqual({ 0: 1 })
  })
})

describe('seek', () => {
  it('with autoCommit commits the offset, and tells of no commit', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const commits = commitsOf(consumer)
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    await waitFor(() => commits.length === 1, { what: 'the commit' })
    consumer.pause([{ topic: 'orders' }])
    consumer.seek({ topic: 'orders', partition: 0, offset: '1' })
    await waitFor(async () => (await namespace.committed('g'))[0] === 1, { what: 'the commit of the seek' })
    expect(commits).toEqual(['3'])
    consumer.resume([{ topic: 'orders' }])
    await received.count(5)
    expect(received.offsets).toEqual(['0', '1', '2', '1', '2'])
  })

  it.each([
    ['the start', '-2', 0],
    ['the end', '-1', 3],
  ])('to %s of the log commits where that is', async (_, offset, expected) => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const commits = commitsOf(consumer)
    await consumer.run({ autoCommitInterval: 10, eachBatchAutoResolve: false, eachBatch: async () => undefined })
    consumer.seek({ topic: 'orders', partition: 0, offset })
    await waitFor(() => commits.length > 0, { what: 'the commit' })
    expect(await namespace.committed('g')).toEqual({ 0: expected })
  })

  it('without autoCommit commits nothing', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    await consumer.run({ autoCommit: false, eachMessage: received.take })
    await received.count(3)
    consumer.seek({ topic: 'orders', partition: 0, offset: '1' })
    await received.count(5)
    await consumer.stop()
    expect(await namespace.committed('g')).toEqual({})
  })

  it('before a partition is assigned waits until it is', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const running = consumer.run({ eachMessage: received.take })
    consumer.seek({ topic: 'orders', partition: 0, offset: '2' })
    await running
    await received.count(1)
    expect(received.offsets).toEqual(['2'])
  })
})
