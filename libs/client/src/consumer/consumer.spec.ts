import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { CompressionType } from '@rivulet/protocol'
import { waitFor } from '@rivulet/testing'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'
import type { EachBatchPayload } from '../types.js'

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
  await namespace.topic('orders', 3)
})
afterEach(() => namespace.close())

const orders = (...partitions: number[]) => partitions.map((partition) => ({ topic: 'orders', partition }))

describe('assign', () => {
  it('reads what is there and what comes, in order', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = namespace.consumer()
    await consumer.connect()
    consumer.assign(orders(0))
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    await namespace.produce('orders', 0, values('b', 2))
    await received.count(5)
    expect(received.values).toEqual(['a-0', 'a-1', 'a-2', 'b-0', 'b-1'])
    expect(received.offsets).toEqual(['0', '1', '2', '3', '4'])
  })

  it.each([
    ['a number', 2, ['a-2', 'a-3']],
    ['a decimal string', '3', ['a-3']],
    ['a bigint', 1n, ['a-1', 'a-2', 'a-3']],
    ['the special offset of the start', '-2', ['a-0', 'a-1', 'a-2', 'a-3']],
    ['the special offset of the end', -1, []],
  ])('starts at an offset given as %s', async (_, offset, expected) => {
    await namespace.produce('orders', 0, values('a', 4))
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0, offset }])
    // What is written before the position was looked up counts as there already.
    const ready = new Promise<void>((resolve) => {
      consumer.on('consumer.fetch', () => resolve())
      if (expected.length === 0) consumer.on('consumer.fetch_start', () => resolve())
    })
    await consumer.run({ eachMessage: received.take })
    await ready
    await namespace.produce('orders', 0, ['end'])
    await received.count(expected.length + 1)
    expect(received.values).toEqual([...expected, 'end'])
  })

  it('starts in the middle of a record batch and leaves out what lies below', async () => {
    await namespace.produce('orders', 0, values('a', 10), { compression: CompressionType.Gzip })
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0, offset: 7 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    expect(received.values).toEqual(['a-7', 'a-8', 'a-9'])
  })

  it('while running replaces the assignment: what stays goes on, what is new starts, what left is silent', async () => {
    const consumer = namespace.consumer()
    await consumer.run({ eachMessage: received.take })
    consumer.assign(orders(0, 1))
    await namespace.produce('orders', 0, ['p0-a'])
    await namespace.produce('orders', 1, ['p1-a'])
    await received.count(2)
    consumer.assign(orders(1, 2))
    await namespace.produce('orders', 0, ['p0-b'])
    await namespace.produce('orders', 2, ['p2-a'])
    await namespace.produce('orders', 1, ['p1-b'])
    await received.count(4)
    expect(received.of(0)).toEqual(['p0-a'])
    expect(received.of(1)).toEqual(['p1-a', 'p1-b'])
    expect(received.of(2)).toEqual(['p2-a'])
    consumer.assign([{ topic: 'orders', partition: 1, offset: 0 }])
    await received.count(6)
    expect(received.of(1)).toEqual(['p1-a', 'p1-b', 'p1-a', 'p1-b'])
  })

  it('keeps positions over stop and run', async () => {
    const consumer = namespace.consumer()
    consumer.assign(orders(0))
    await namespace.produce('orders', 0, values('a', 3))
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    await consumer.stop()
    await namespace.produce('orders', 0, ['b'])
    await consumer.run({ eachMessage: received.take })
    await received.count(4)
    expect(received.values).toEqual(['a-0', 'a-1', 'a-2', 'b'])
  })

  it('reads over the end of segments', async () => {
    await namespace.topic('small')
    const partition = await namespace.partition('small')
    for (let i = 0; i < 5; i++) {
      await namespace.produce('small', 0, values(`s${i}`, 2))
      const { segments } = await namespace.storage.log.describe(partition)
      await namespace.storage.log.roll(partition, segments.at(-1)?.number ?? 0)
    }
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'small', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(10)
    await namespace.produce('small', 0, ['tail'])
    await received.count(11)
    expect(received.offsets).toEqual(values('', 11).map((text) => text.slice(1)))
  })
})

describe('eachBatch', () => {
  it('gets batches with kafkajs’s methods and resolves them as a whole', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    await namespace.produce('orders', 0, values('b', 2))
    const consumer = namespace.consumer()
    consumer.assign(orders(0))
    const first = deferred<EachBatchPayload>()
    await consumer.run({
      eachBatch: async (payload) => {
        first.resolve(payload)
        for (const { offset, value } of payload.batch.messages) received.add('orders', 0, offset, value)
      },
    })
    const { batch, uncommittedOffsets, isRunning, isStale, heartbeat, commitOffsetsIfNecessary } = await first.promise
    expect(batch).toMatchObject({ topic: 'orders', partition: 0, highWatermark: '5' })
    expect([batch.firstOffset(), batch.lastOffset(), batch.offsetLag(), batch.offsetLagLow(), batch.isEmpty()]).toEqual(
      ['0', '4', '0', '4', false],
    )
    expect([isRunning(), isStale()]).toEqual([true, false])
    await heartbeat()
    await commitOffsetsIfNecessary()
    await namespace.produce('orders', 0, ['c'])
    await received.count(6)
    await waitFor(() => uncommittedOffsets().topics[0]?.partitions[0]?.offset === '6', { what: 'the position after c' })
    expect(uncommittedOffsets()).toEqual({ topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: '6' }] }] })
  })

  it('without auto-resolve goes on after what was resolved, and hands out the rest again', async () => {
    await namespace.produce('orders', 0, values('a', 4))
    const consumer = namespace.consumer()
    consumer.assign(orders(0))
    let round = 0
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        for (const { offset, value } of batch.messages) received.add('orders', 0, offset, value)
        resolveOffset(round++ === 0 ? '1' : batch.lastOffset())
      },
    })
    await received.count(6)
    expect(received.offsets).toEqual(['0', '1', '2', '3', '2', '3'])
  })

  it('gets records of batches that were compressed, with their sizes bounded by maxBytesPerPartition', async () => {
    const long = 'x'.repeat(5000)
    for (let i = 0; i < 4; i++)
      await namespace.produce('orders', 0, [`${i}${long}`], { compression: CompressionType.Gzip })
    const consumer = namespace.consumer()
    consumer.assign(orders(0))
    await consumer.run({ eachMessage: received.take })
    await received.count(4)
    expect(received.values.map((value) => value[0])).toEqual(['0', '1', '2', '3'])
  })
})

describe('events', () => {
  it('tell of the life of a consumer with kafkajs’s names and payloads', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = namespace.consumer()
    const seen: [string, unknown][] = []
    for (const name of [
      consumer.events.CONNECT,
      consumer.events.START_BATCH_PROCESS,
      consumer.events.END_BATCH_PROCESS,
      consumer.events.STOP,
      consumer.events.DISCONNECT,
    ] as const) {
      consumer.on(name, ({ type, payload }) => void seen.push([type, payload]))
    }
    const fetched = deferred<unknown>()
    const began = deferred<unknown>()
    consumer.on('consumer.fetch_start', ({ payload }) => began.resolve(payload))
    consumer.on('consumer.fetch', ({ payload }) => fetched.resolve(payload))
    await consumer.connect()
    consumer.assign(orders(0))
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    await waitFor(() => seen.length === 3, { what: 'the end of the batch' })
    await consumer.disconnect()
    expect(await began.promise).toEqual({ nodeId: 0 })
    expect(await fetched.promise).toEqual({ nodeId: 0, numberOfBatches: 1, duration: expect.any(Number) })
    const batch = {
      topic: 'orders',
      partition: 0,
      highWatermark: '3',
      offsetLag: '0',
      offsetLagLow: '2',
      batchSize: 3,
      firstOffset: '0',
      lastOffset: '2',
    }
    expect(seen).toEqual([
      ['consumer.connect', undefined],
      ['consumer.start_batch_process', batch],
      ['consumer.end_batch_process', { ...batch, duration: expect.any(Number) }],
      ['consumer.stop', undefined],
      ['consumer.disconnect', undefined],
    ])
  })

  it('refuses a name that is none', () => {
    const consumer = namespace.consumer()
    const name: string = 'consumer.nonsense'
    expect(() => void Reflect.apply(consumer.on, consumer, [name, () => undefined])).toThrow(
      /Event name should be one of/,
    )
  })
})

describe('the life of a consumer', () => {
  it('connects, disconnects and connects again', async () => {
    await namespace.produce('orders', 0, ['a'])
    const consumer = namespace.consumer()
    consumer.assign(orders(0))
    for (let round = 1; round <= 3; round++) {
      await consumer.connect()
      await consumer.run({ eachMessage: received.take })
      await received.count(round)
      await consumer.disconnect()
      await namespace.produce('orders', 0, ['more'])
    }
    expect(received.offsets).toEqual(['0', '1', '2'])
  })

  it('runs without connect, and a second run is only warned of', async () => {
    await namespace.produce('orders', 0, ['a'])
    const { assign, run } = namespace.consumer()
    assign(orders(0))
    await run({ eachMessage: received.take })
    await run({ eachMessage: received.take })
    await received.count(1)
    expect(namespace.logged.some(({ label, log }) => label === 'WARN' && /already running/.test(log.message))).toBe(
      true,
    )
  })

  it('stop waits for the handler’s current message, and for no further one', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = namespace.consumer()
    consumer.assign(orders(0))
    const begun = deferred()
    const finish = deferred()
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        begun.resolve()
        await finish.promise
      },
    })
    await begun.promise
    let stopped = false
    const stopping = consumer.stop().then(() => (stopped = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(stopped).toBe(false)
    finish.resolve()
    await stopping
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    expect(received.offsets).toEqual(['0', '1', '2'])
  })

  it('closed resolves with stop, and a new run has a new one', async () => {
    const consumer = namespace.consumer()
    const { closed } = consumer
    await consumer.run({ eachMessage: received.take })
    await consumer.stop()
    await closed
    await consumer.run({ eachMessage: received.take })
    expect(consumer.closed).not.toBe(closed)
    await consumer.disconnect()
    await consumer.closed
  })

  it('what needs a consumer group says so', async () => {
    const consumer = namespace.consumer()
    const needsGroup = { name: 'KafkaJSNonRetriableError', message: expect.stringContaining('needs a group') }
    await expect(consumer.subscribe({ topics: ['orders'] })).rejects.toMatchObject(needsGroup)
    await expect(consumer.describeGroup()).rejects.toMatchObject(needsGroup)
    await expect(consumer.commitOffsets([])).rejects.toMatchObject(needsGroup)
  })

  it('a consumer with a group is not assigned partitions by hand', () => {
    const consumer = namespace.consumer({ groupId: 'g' })
    expect(() => consumer.assign(orders(0))).toThrow(/this consumer has the groupId 'g'/)
  })

  it('before run and assign, seek, pause and resume fail as kafkajs’s', () => {
    const consumer = namespace.consumer()
    const error = /Consumer group was not initialized, consumer#run must be called first/
    expect(() => consumer.seek({ topic: 'orders', partition: 0, offset: '0' })).toThrow(error)
    expect(() => consumer.pause([{ topic: 'orders' }])).toThrow(error)
    expect(() => consumer.resume([{ topic: 'orders' }])).toThrow(error)
    expect(consumer.paused()).toEqual([])
  })
})
