import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { testRedisUrl, uniqueNamespace } from '@rivulet/testing'

import { deferred, Received, values } from '../../spec-support/consumers.js'
import { fault, outcomeOf, timed } from '../../spec-support/hostile.js'
import { Kafka } from '../index.js'

const retry = { retries: 2, initialRetryTime: 5, maxRetryTime: 10 }
const kafka = new Kafka({ brokers: [testRedisUrl()], namespace: uniqueNamespace('handlers'), logLevel: 0, retry })
const [admin, producer] = [kafka.admin(), kafka.producer()]
let topics = 0
let topic = ''
let consumer: ReturnType<typeof kafka.consumer>
let received: Received

beforeAll(() => Promise.all([admin.connect(), producer.connect()]))
beforeEach(async () => {
  topic = `topic-${topics++}`
  received = new Received()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  await producer.send({ topic, messages: values('v', 5).map((value) => ({ value })) })
  consumer = kafka.consumer({ autoOffsetReset: 'earliest', maxWaitTimeInMs: 200, retry })
  consumer.assign([{ topic, partition: 0 }])
})
afterEach(() => consumer.disconnect())
afterAll(async () => {
  await admin.deleteTopics({ topics: await admin.listTopics() })
  await Promise.all([admin.disconnect(), producer.disconnect()])
})

describe('a handler that fails', () => {
  const circular = new Error('its own cause')
  circular.cause = circular
  const typeError = new TypeError('its own cause')
  typeError.cause = typeError
  const thrown: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['null', null],
    ['a text', 'no'],
    ['a symbol', Symbol('no')],
    ['an object without a text', Object.create(null)],
    ['an object that has no text to give', { toString: 1, valueOf: 1 }],
    ['an error that is its own cause', circular],
    ['a TypeError that is its own cause', typeError],
    ['a frozen error', Object.freeze(new Error('frozen'))],
  ]

  it.each(thrown)('with %s crashes the consumer, after the retries, with an error that says so', async (_, reason) => {
    const crashed = deferred<Error>()
    consumer.on('consumer.crash', ({ payload }) => crashed.resolve(payload.error))
    let calls = 0
    await consumer.run({
      eachMessage: async () => {
        calls++
        throw reason
      },
    })
    const error = await crashed.promise
    expect(error).toMatchObject({ name: expect.stringMatching(/^KafkaJS/), message: expect.any(String) })
    expect(calls).toBe(reason === typeError ? 1 : 3)
  })

  it('synchronously is one that fails', async () => {
    let first = true
    await consumer.run({
      eachMessage: (payload) => {
        if (first) {
          first = false
          throw new Error('at once')
        }
        return received.take(payload)
      },
    })
    await received.count(5)
    expect(received.offsets).toEqual(['0', '1', '2', '3', '4'])
  })
})

describe('a handler', () => {
  it('that seeks gets what it sought next, and what it had is not resolved', async () => {
    let back = true
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        if (payload.message.offset === '3' && back) {
          back = false
          consumer.seek({ topic, partition: 0, offset: '1' })
        }
      },
    })
    await received.count(8)
    expect(received.offsets).toEqual(['0', '1', '2', '3', '1', '2', '3', '4'])
  })

  it('that pauses gets nothing more until it is resumed, and skips nothing', async () => {
    const paused = deferred<() => void>()
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        if (payload.message.offset === '1') paused.resolve(payload.pause())
      },
    })
    const resume = await paused.promise
    await producer.send({ topic, messages: [{ value: 'later' }] })
    expect(received.offsets).toEqual(['0', '1'])
    resume()
    await received.count(6)
    expect(received.offsets).toEqual(['0', '1', '2', '3', '4', '5'])
  })

  it('may disconnect its consumer, and wait for that', async () => {
    const done = deferred<number>()
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        done.resolve(await timed(() => consumer.disconnect()))
      },
    })
    expect(await done.promise).toBeLessThan(1000)
    expect(received.offsets).toEqual(['0'])
  })

  it('may stop its consumer without waiting, and gets the rest when it is run again', async () => {
    const stopped = deferred()
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        void consumer.stop().then(stopped.resolve)
      },
    })
    await stopped.promise
    expect(received.offsets).toEqual(['0'])
    await consumer.run({ eachMessage: received.take })
    await received.count(5)
    expect(received.offsets).toEqual(['0', '1', '2', '3', '4'])
  })

  it('may send to the topic that it reads', async () => {
    await consumer.run({
      eachMessage: async (payload) => {
        const offset = Number(payload.message.offset)
        if (offset < 15) await producer.send({ topic, messages: [{ value: `v-${offset + 5}` }] })
        await received.take(payload)
      },
    })
    await received.count(20)
    expect(received.values).toEqual(values('v', 20))
  })

  it('may change its assignment; what it is left with is all that it gets', async () => {
    const other = `${topic}-other`
    await producer.send({ topic: other, messages: [{ value: 'other' }] })
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        if (payload.topic === topic) consumer.assign([{ topic: other, partition: 0 }])
      },
    })
    await received.count(2)
    expect(received.values).toEqual(['v-0', 'other'])
  })
})

it('everything at once, in any order, leaves the consumer in order', async () => {
  const outcomes: Promise<unknown>[] = []
  for (let round = 0; round < 10; round++) {
    outcomes.push(
      outcomeOf(() => consumer.connect()),
      outcomeOf(() => consumer.run({ eachMessage: received.take })),
      outcomeOf(() => consumer.seek({ topic, partition: 0, offset: '0' })),
      outcomeOf(() => consumer.pause([{ topic }])),
      outcomeOf(() => consumer.resume([{ topic }])),
      outcomeOf(() => consumer.assign([{ topic, partition: 0, offset: 2 }])),
      outcomeOf(() => consumer.stop()),
      outcomeOf(() => consumer.disconnect()),
    )
  }
  const settled = await Promise.all(outcomes)
  expect(settled.map(fault).filter((found) => found !== null)).toEqual([])
  await consumer.disconnect()
  const before = received.messages.length
  consumer.assign([{ topic, partition: 0, offset: 0 }])
  await consumer.run({ eachMessage: received.take })
  await received.count(before + 5)
  expect(received.offsets.slice(before)).toEqual(['0', '1', '2', '3', '4'])
})
