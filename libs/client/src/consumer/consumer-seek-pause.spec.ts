import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '@rivulet/testing'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
  await namespace.topic('orders', 2)
})
afterEach(() => namespace.close())

describe('seek', () => {
  it('in a handler drops the rest of the batch and goes on at the offset', async () => {
    await namespace.produce('orders', 0, values('a', 6))
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0 }])
    let sought = false
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        if (sought || payload.message.offset !== '1') return
        sought = true
        consumer.seek({ topic: 'orders', partition: 0, offset: '0' })
        consumer.seek({ topic: 'orders', partition: 0, offset: '4' })
      },
    })
    await received.count(4)
    expect(received.offsets).toEqual(['0', '1', '4', '5'])
  })

  it('from outside makes the batch in hand stale, and what it resolves afterwards does not count', async () => {
    await namespace.produce('orders', 0, values('a', 4))
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const begun = deferred()
    const finish = deferred()
    const stale: boolean[] = []
    await consumer.run({
      eachBatch: async ({ batch, isStale, resolveOffset }) => {
        for (const { offset, value } of batch.messages) received.add('orders', 0, offset, value)
        begun.resolve()
        await finish.promise
        stale.push(isStale())
        resolveOffset(batch.lastOffset())
      },
    })
    await begun.promise
    consumer.seek({ topic: 'orders', partition: 0, offset: 2 })
    finish.resolve()
    await received.count(6)
    await waitFor(() => stale.length === 2, { what: 'the second batch to end' })
    expect(received.offsets).toEqual(['0', '1', '2', '3', '2', '3'])
    expect(stale).toEqual([true, false])
  })

  it('wakes a consumer that waits at the end of the log', async () => {
    await namespace.produce('orders', 0, values('a', 2))
    const consumer = namespace.consumer({ maxWaitTimeInMs: 60_000 })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(2)
    consumer.seek({ topic: 'orders', partition: 0, offset: '-2' })
    await received.count(4)
    expect(received.offsets).toEqual(['0', '1', '0', '1'])
  })

  it('of a partition that is not assigned yet counts when it is', async () => {
    await namespace.produce('orders', 1, values('a', 4))
    const consumer = namespace.consumer()
    await consumer.run({ eachMessage: received.take })
    consumer.seek({ topic: 'orders', partition: 1, offset: '3' })
    consumer.assign([{ topic: 'orders', partition: 1 }])
    await received.count(1)
    expect(received.offsets).toEqual(['3'])
  })

  it.each([
    [{ topic: '', partition: 0, offset: '0' }, /Invalid topic/],
    [{ topic: 'orders', partition: NaN, offset: '0' }, /Invalid partition, expected a number received NaN/],
    [{ topic: 'orders', partition: 0, offset: 'x' }, /Invalid offset, expected a long received x/],
    [{ topic: 'orders', partition: 0, offset: '-3' }, /Offset must not be a negative number/],
  ])('refuses %j', (request, message) => {
    expect(() => namespace.consumer().seek(request)).toThrow(message)
  })
})

describe('pause', () => {
  it('in a handler ends the batch after the message; its resume function goes on with the next one', async () => {
    await namespace.produce('orders', 0, values('a', 4))
    await namespace.produce('orders', 1, values('b', 2))
    const consumer = namespace.consumer()
    consumer.assign([
      { topic: 'orders', partition: 0 },
      { topic: 'orders', partition: 1 },
    ])
    const resume = deferred<() => void>()
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        if (payload.message.value?.toString() === 'a-1') resume.resolve(payload.pause())
      },
    })
    const go = await resume.promise
    await received.count(4)
    expect(consumer.paused()).toEqual([{ topic: 'orders', partitions: [0] }])
    await namespace.produce('orders', 1, ['b-2'])
    await received.count(5)
    expect(received.of(0)).toEqual(['a-0', 'a-1'])
    expect(received.of(1)).toEqual(['b-0', 'b-1', 'b-2'])
    go()
    await received.count(7)
    expect(received.of(0)).toEqual(['a-0', 'a-1', 'a-2', 'a-3'])
    expect(consumer.paused()).toEqual([])
  })

  it('of a topic covers its partitions, also those assigned later; resume of one frees that one', async () => {
    await namespace.produce('orders', 0, ['a'])
    await namespace.produce('orders', 1, ['b'])
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0 }])
    consumer.pause([{ topic: 'orders' }])
    await consumer.run({ eachMessage: received.take })
    consumer.assign([
      { topic: 'orders', partition: 0 },
      { topic: 'orders', partition: 1 },
    ])
    expect(consumer.paused()).toEqual([{ topic: 'orders', partitions: [0, 1] }])
    consumer.resume([{ topic: 'orders', partitions: [1] }])
    await received.count(1)
    expect(received.values).toEqual(['b'])
    expect(consumer.paused()).toEqual([{ topic: 'orders', partitions: [0] }])
    consumer.resume([{ topic: 'orders' }])
    await received.count(2)
    expect(received.values).toEqual(['b', 'a'])
  })

  it('skips nothing, however often it comes and goes', async () => {
    const consumer = namespace.consumer({ maxBytesPerPartition: 300, maxWaitTimeInMs: 20 })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const total = 600
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        if (received.messages.length % 7 === 0) {
          const resume = payload.pause()
          setImmediate(resume)
        }
      },
    })
    for (let i = 0; i < total; i += 10) {
      await namespace.produce('orders', 0, values('v', 10, i))
      if (i % 50 === 0) consumer.pause([{ topic: 'orders', partitions: [0] }])
      if (i % 50 === 20) consumer.resume([{ topic: 'orders', partitions: [0] }])
    }
    consumer.resume([{ topic: 'orders' }])
    await received.count(total)
    expect(received.values).toEqual(values('v', total))
  })
})
