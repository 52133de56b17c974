import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
})
afterEach(() => namespace.close())

const MiB = 1024 * 1024

const settled = async (collect: () => void): Promise<number> => {
  // The memory of a dead buffer is given back a turn after the collection that has found it dead.
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().arrayBuffers
}

/** Without a collection before each look, dead buffers would count as held. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc !== 'function') throw new Error('node does not expose gc')
  return () => void Reflect.apply(gc, undefined, [])
}

describe('a slow partition', () => {
  it('holds up no other when several are consumed concurrently, however much of it waits', async () => {
    await namespace.topic('orders', 3)
    const block = 'x'.repeat(20_000)
    for (let i = 0; i < 10; i++) await namespace.produce('orders', 0, [block])
    const consumer = namespace.consumer({ maxBytes: 40_000, maxBytesPerPartition: 100_000 })
    consumer.assign([0, 1, 2].map((partition) => ({ topic: 'orders', partition })))
    const stuck = deferred()
    const began = deferred()
    await consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async (payload) => {
        if (payload.partition !== 0) return received.take(payload)
        began.resolve()
        await stuck.promise
      },
    })
    await began.promise
    for (let i = 0; i < 5; i++) {
      await namespace.produce('orders', 1, [`p1-${i}`])
      await namespace.produce('orders', 2, [`p2-${i}`])
      await received.count(2 * (i + 1))
    }
    expect(received.of(1)).toEqual(values('p1', 5))
    expect(received.of(2)).toEqual(values('p2', 5))
    stuck.resolve()
  })

  it('with one worker holds up the others for its current batch and no longer', async () => {
    await namespace.topic('orders', 2)
    for (let i = 0; i < 6; i++) await namespace.produce('orders', 0, [`a${i}${'x'.repeat(900)}`])
    const consumer = namespace.consumer({ maxBytesPerPartition: 1000 })
    consumer.assign([0, 1].map((partition) => ({ topic: 'orders', partition })))
    const first = deferred()
    const go = deferred()
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        first.resolve()
        if (payload.partition === 0) await go.promise
      },
    })
    await first.promise
    const fetched = new Promise<void>((resolve) => {
      consumer.on('consumer.fetch', ({ payload }) => {
        if (payload.numberOfBatches > 0) resolve()
      })
    })
    await namespace.produce('orders', 1, ['b'])
    await fetched
    go.resolve()
    await received.count(7)
    expect(received.messages.findIndex(({ partition }) => partition === 1)).toBeLessThanOrEqual(2)
  })
})

describe('memory', () => {
  it('stays within maxBytes and one batch a partition, however slow the handler', async () => {
    const partitions = 4
    await namespace.topic('big', partitions)
    const record = Buffer.alloc(MiB, 'x')
    for (let i = 0; i < 8; i++) {
      for (let partition = 0; partition < partitions; partition++) await namespace.produce('big', partition, [record])
    }
    const collect = garbageCollector()
    const before = await settled(collect)
    const consumer = namespace.consumer({ maxBytes: 4 * MiB, maxBytesPerPartition: MiB })
    consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic: 'big', partition })))
    let peak = 0
    let count = 0
    const done = deferred()
    await consumer.run({
      eachMessage: async ({ message }) => {
        expect(message.value?.length).toBe(MiB)
        // A turn of the event loop, in which more would be fetched if there were room.
        for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 2))
        // Now and then: a collection takes the longer, the more the process holds of other specs.
        if (++count % 6 === 0) peak = Math.max(peak, await settled(collect))
        if (count === 8 * partitions) done.resolve()
      },
    })
    await done.promise
    await consumer.disconnect()
    // What the making of the records has left behind may be given back only now.
    const held = peak - Math.min(before, await settled(collect))
    // maxBytes, a batch a partition, and three times an answer of 2 MiB, in pools of which the parser of the connection
    // cuts what it reads.
    expect(held).toBeLessThan((4 + partitions + 6) * MiB)
    expect(held).toBeGreaterThan(2 * MiB)
    expect(count).toBe(8 * partitions)
  }, 60_000)
})

describe('fetching', () => {
  it('gathers minBytes, for as long as maxWaitTimeInMs', async () => {
    await namespace.topic('orders')
    const consumer = namespace.consumer({ minBytes: 10_000, maxWaitTimeInMs: 400 })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const batches: number[] = []
    await consumer.run({
      eachBatch: async ({ batch }) => {
        batches.push(batch.messages.length)
        for (const { offset, value } of batch.messages) received.add('orders', 0, offset, value)
      },
    })
    for (let i = 0; i < 3; i++) await namespace.produce('orders', 0, ['small'])
    await received.count(3)
    expect(batches).toEqual([3])
  })

  it('goes on while the handler works, and interrupts its wait when room is made', async () => {
    await namespace.topic('orders')
    const consumer = namespace.consumer({ maxBytesPerPartition: 2000, maxWaitTimeInMs: 60_000 })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    for (let i = 0; i < 100; i++) await namespace.produce('orders', 0, [`v-${i}`.padEnd(500, '.')])
    await received.count(100)
    expect(received.offsets).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
  })

  it('lets timers and sockets have their turn although handlers never wait', async () => {
    await namespace.topic('orders')
    for (let i = 0; i < 20; i++) await namespace.produce('orders', 0, values('v', 500))
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0 }])
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const done = deferred()
    let count = 0
    await consumer.run({
      eachMessage: () => {
        const until = performance.now() + 0.05
        while (performance.now() < until);
        if (++count === 10_000) done.resolve()
        return Promise.resolve()
      },
    })
    await done.promise
    clearInterval(timer)
    // 10,000 messages of 0.05 ms take 500 ms: a turn every 10 ms makes 50.
    expect(ticks).toBeGreaterThan(20)
  })
})
