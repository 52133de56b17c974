import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'
import type { InstrumentationEvent } from '../types.js'
import type { Consumer } from './consumer.js'

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
  await namespace.topic('orders', 2)
})
afterEach(() => namespace.close())

type Crash = { error: Error; groupId: string; restart: boolean }
const crashOf = (consumer: Consumer): Promise<Crash> =>
  new Promise((resolve) => {
    consumer.on('consumer.crash', ({ payload }: InstrumentationEvent<Crash>) => resolve(payload))
  })

describe('an error of a handler', () => {
  it('is retried at the message it happened at, while other partitions go on', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = namespace.consumer({ retry: { initialRetryTime: 300 } })
    consumer.assign([
      { topic: 'orders', partition: 0 },
      { topic: 'orders', partition: 1 },
    ])
    let failures = 0
    const failed = deferred()
    await consumer.run({
      eachMessage: async (payload) => {
        if (payload.message.value?.toString() === 'a-1' && failures++ < 2) {
          failed.resolve()
          throw new Error('not now')
        }
        await received.take(payload)
      },
    })
    await failed.promise
    await namespace.produce('orders', 1, ['b'])
    await received.count(4)
    expect(received.of(0)).toEqual(['a-0', 'a-1', 'a-2'])
    expect(received.values.indexOf('b')).toBeLessThan(received.values.indexOf('a-1'))
    expect(failures).toBe(3)
  })

  it('that stays crashes the consumer after the retries; it starts again where it was', async () => {
    await namespace.produce('orders', 0, values('a', 2))
    const consumer = namespace.consumer({ retry: { retries: 2 } })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const crash = crashOf(consumer)
    let attempts = 0
    await consumer.run({
      eachMessage: async (payload) => {
        if (payload.message.offset === '1' && attempts++ < 4) throw new Error('broken')
        await received.take(payload)
      },
    })
    expect(await crash).toMatchObject({
      groupId: '',
      restart: true,
      error: { name: 'KafkaJSNumberOfRetriesExceeded', message: 'broken', retryCount: 2 },
    })
    await received.count(2)
    expect(received.offsets).toEqual(['0', '1'])
    expect(attempts).toBe(5)
  })

  it('of programming is tried once and ends the consumer; closed rejects with it', async () => {
    await namespace.produce('orders', 0, values('a', 2))
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const crash = crashOf(consumer)
    const order: string[] = []
    for (const event of ['consumer.stop', 'consumer.disconnect', 'consumer.crash'] as const) {
      consumer.on(event, () => void order.push(event))
    }
    let attempts = 0
    await consumer.run({
      eachMessage: async () => {
        attempts++
        throw new TypeError('undefined is not a function')
      },
    })
    expect(await crash).toMatchObject({ restart: false, error: { name: 'KafkaJSNonRetriableError' } })
    await expect(consumer.closed).rejects.toMatchObject({ cause: { name: 'TypeError' } })
    expect(attempts).toBe(1)
    expect(order).toEqual(['consumer.stop', 'consumer.disconnect', 'consumer.crash'])
    // It can be run again.
    await consumer.run({ eachMessage: received.take })
    await received.count(2)
  })

  it('asks restartOnFailure, and stays down when it says so', async () => {
    await namespace.produce('orders', 0, ['a'])
    const asked: Error[] = []
    const consumer = namespace.consumer({
      retry: { retries: 0, restartOnFailure: async (error) => asked.push(error) === 0 },
    })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({
      eachMessage: async () => {
        throw new Error('broken')
      },
    })
    await expect(consumer.closed).rejects.toMatchObject({ message: 'broken' })
    expect(asked).toHaveLength(1)
  })

  it('that comes synchronously, and from eachBatch, counts the same; what was resolved before it stays so', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0 }])
    let failed = false
    await consumer.run({
      eachBatch: ({ batch, resolveOffset }) => {
        for (const { offset, value } of batch.messages) {
          received.add('orders', 0, offset, value)
          resolveOffset(offset)
          if (failed || offset !== '1') continue
          failed = true
          throw new Error('half way')
        }
        return Promise.resolve()
      },
    })
    await received.count(3)
    expect(received.offsets).toEqual(['0', '1', '2'])
  })

  it('stop ends the retries', async () => {
    await namespace.produce('orders', 0, ['a'])
    const consumer = namespace.consumer({ retry: { initialRetryTime: 60_000, maxRetryTime: 60_000 } })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const failed = deferred()
    await consumer.run({
      eachMessage: async () => {
        failed.resolve()
        throw new Error('broken')
      },
    })
    await failed.promise
    await consumer.stop()
    expect(await consumer.closed).toBeUndefined()
  })
})

describe('a damaged batch', () => {
  it('is never skipped: the consumer crashes with a typed error that says where', async () => {
    await namespace.produce('orders', 0, values('a', 2))
    await namespace.produce('orders', 0, values('b', 2), { corrupt: true })
    const consumer = namespace.consumer({ retry: { retries: 1, restartOnFailure: async () => false } })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    const error: unknown = await consumer.closed.catch((e: unknown) => e)
    expect(error).toMatchObject({ name: 'KafkaJSNumberOfRetriesExceeded', cause: { type: 'CORRUPT_MESSAGE', code: 2 } })
    expect(String(error)).toMatch(/orders-0, batches? from offset \d/)
    expect(received.values).toEqual(['a-0', 'a-1'])
  })
})
