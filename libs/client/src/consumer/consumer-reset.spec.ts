import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '@rivulet/testing'
import { Received, TestNamespace, values } from '../../spec-support/consumers.js'

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
})
afterEach(() => namespace.close())

describe('autoOffsetReset', () => {
  beforeEach(async () => {
    await namespace.topic('orders')
    await namespace.produce('orders', 0, values('old', 3), { timestamp: 1000 })
    await namespace.produce('orders', 0, values('mid', 3), { timestamp: 2000 })
    await namespace.storage.log.deleteRecords(await namespace.partition('orders'), 1)
  })

  it.each([
    ['earliest', ['old-1', 'old-2', 'mid-0', 'mid-1', 'mid-2', 'new']],
    ['latest', ['new']],
    [{ timestamp: 1500 }, ['mid-0', 'mid-1', 'mid-2', 'new']],
    [{ timestamp: 9_999_999_999_999 }, ['new']],
  ] as const)('%j decides where no offset is given', async (autoOffsetReset, expected) => {
    const consumer = namespace.consumer({ autoOffsetReset })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const begun = new Promise((resolve) => consumer.on('consumer.fetch_start', resolve))
    await consumer.run({ eachMessage: received.take })
    await begun
    await namespace.produce('orders', 0, ['new'])
    await received.count(expected.length)
    expect(received.values).toEqual(expected)
  })

  it.each([0, 100])('earliest decides where the offset %d is out of range', async (offset) => {
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0, offset }])
    await consumer.run({ eachMessage: received.take })
    await received.count(5)
    expect(received.offsets).toEqual(['1', '2', '3', '4', '5'])
  })

  it.each([undefined, 0, 100])('none crashes the consumer at the offset %p, for good', async (offset) => {
    const consumer = namespace.consumer({ autoOffsetReset: 'none' })
    consumer.assign([{ topic: 'orders', partition: 0, offset }])
    const crash = new Promise((resolve) => consumer.on('consumer.crash', ({ payload }) => resolve(payload)))
    await consumer.run({ eachMessage: received.take })
    await expect(consumer.closed).rejects.toMatchObject({
      name: 'KafkaJSOffsetOutOfRange',
      type: 'OFFSET_OUT_OF_RANGE',
      topic: 'orders',
      partition: 0,
      retriable: false,
    })
    expect(await crash).toMatchObject({ restart: false })
    expect(received.values).toEqual([])
  })

  it('decides when the log lets go of records that a reader had not fetched', async () => {
    const consumer = namespace.consumer({ maxBytesPerPartition: 1 })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    consumer.pause([{ topic: 'orders' }])
    await consumer.run({ eachMessage: received.take })
    await namespace.storage.log.deleteRecords(await namespace.partition('orders'), 5)
    consumer.resume([{ topic: 'orders' }])
    await received.count(1)
    expect(received.offsets).toEqual(['5'])
  })

  it('refuses what it is not, naming the value', () => {
    const config: object = { autoOffsetReset: 'sometime' }
    expect(() => namespace.consumer(config)).toThrow(/autoOffsetReset must be .*sometime/)
  })
})

describe('a topic that is deleted', () => {
  it('stops its partitions with an event; others go on', async () => {
    await namespace.topic('orders')
    await namespace.topic('payments')
    await namespace.produce('orders', 0, ['o'])
    const consumer = namespace.consumer()
    const unavailable = new Promise((resolve) =>
      consumer.on('consumer.partition_unavailable', ({ payload }) => resolve(payload)),
    )
    consumer.assign([
      { topic: 'orders', partition: 0 },
      { topic: 'payments', partition: 0 },
    ])
    await consumer.run({ eachMessage: received.take })
    await received.count(1)
    await namespace.storage.topics.delete('orders')
    expect(await unavailable).toMatchObject({
      topic: 'orders',
      partition: 0,
      error: { type: 'UNKNOWN_TOPIC_OR_PARTITION', message: expect.stringContaining('orders-0') },
    })
    await namespace.produce('payments', 0, ['p'])
    await received.count(2)
    expect(received.values).toEqual(['o', 'p'])
  })

  it.each(['earliest', 'latest'] as const)(
    'and made again is read from its start, also where the policy is %s',
    async (autoOffsetReset) => {
      await namespace.topic('orders')
      await namespace.produce('orders', 0, values('old', 5))
      const consumer = namespace.consumer({ autoOffsetReset })
      consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
      await consumer.run({ eachMessage: received.take })
      await received.count(5)
      await namespace.storage.topics.delete('orders')
      await namespace.topic('orders')
      await namespace.produce('orders', 0, values('new', 3))
      await received.count(8)
      expect(received.values.slice(5)).toEqual(['new-0', 'new-1', 'new-2'])
      expect(received.offsets.slice(5)).toEqual(['0', '1', '2'])
    },
  )

  it('and made again ends a consumer with the policy none', async () => {
    await namespace.topic('orders')
    await namespace.produce('orders', 0, values('old', 5))
    const consumer = namespace.consumer({ autoOffsetReset: 'none' })
    consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(5)
    await namespace.storage.topics.delete('orders')
    await namespace.topic('orders')
    await namespace.produce('orders', 0, values('new', 3))
    await expect(consumer.closed).rejects.toMatchObject({ name: 'KafkaJSOffsetOutOfRange', topic: 'orders' })
    expect(received.values).toHaveLength(5)
  })
})

describe('a topic that is not there yet', () => {
  it('is read from its start when it is, even by a reader of the latest', async () => {
    const consumer = namespace.consumer({ autoOffsetReset: 'latest' })
    const unavailable = new Promise((resolve) => consumer.on('consumer.partition_unavailable', resolve))
    consumer.assign([{ topic: 'later', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await unavailable
    await namespace.topic('later')
    await namespace.produce('later', 0, ['first'])
    await received.count(1)
    expect(received.values).toEqual(['first'])
  })

  it('or partitions that are added later', async () => {
    await namespace.topic('orders', 1)
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 1 }])
    await consumer.run({ eachMessage: received.take })
    await waitFor(() => namespace.logged.some(({ log }) => /orders-1: there is no such/.test(log.message)), {
      what: 'the missing partition to be logged',
    })
    await namespace.storage.topics.addPartitions('orders', 2)
    await namespace.produce('orders', 1, ['a'])
    await received.count(1)
    expect(received.of(1)).toEqual(['a'])
  })
})
