import { expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { Journal } from './support/journal.js'
import { Workbench } from './support/workbench.js'

const SOON = { initialRetryTime: 10, retries: 2 }

describeOnBoth('a handler that fails', (target) => {
  const bench = new Workbench(target)

  /** A handler that throws the error as many times as said, at the message with that value. */
  const failing =
    (error: unknown, at: string, times = Infinity) =>
    ({ message }: kafkajs.EachMessagePayload): void => {
      if (String(message.value) === at && times-- > 0) throw error
    }

  it('gets the message again, then goes on', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic, { eachMessage: failing(new Error('not now'), 'b', 2) })
    expect(await reading.values.until(5)).toEqual(['a', 'b', 'b', 'b', 'c'])
    expect(reading.crashes.entries).toEqual([])
  })

  it('by a rejection gets the message again', async () => {
    const topic = await bench.topicWith('a', 'b')
    let tries = 0
    const reading = await bench.read(topic, {
      eachMessage: () => (tries++ === 0 ? Promise.reject(new Error('not now')) : undefined),
    })
    expect(await reading.values.until(3)).toEqual(['a', 'a', 'b'])
  })

  it('of eachBatch gets the batch again', async () => {
    const topic = await bench.topicWith('a', 'b')
    let tries = 0
    const reading = await bench.read(topic, {
      eachBatch: () => {
        if (tries++ === 0) throw new Error('not now')
      },
    })
    expect(await reading.values.until(4)).toEqual(['a', 'b', 'a', 'b'])
  })

  it('of eachBatch gets what it had not resolved again, also without autoCommit', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    let tries = 0
    const reading = await bench.read(topic, {
      autoCommit: false,
      eachBatch: ({ resolveOffset }) => {
        if (tries++ > 0) return
        resolveOffset('1')
        throw new Error('not now')
      },
    })
    expect(await reading.values.until(4)).toEqual(['a', 'b', 'c', 'c'])
  })

  it('too often crashes the consumer, which starts again where it was', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, {
      config: { retry: SOON },
      eachMessage: failing(new Error('not now'), 'b', 3),
    })
    expect(await reading.values.until(5)).toEqual(['a', 'b', 'b', 'b', 'b'])
    expect(reading.crashes.entries).toEqual([
      {
        error: expect.objectContaining({
          name: 'KafkaJSNumberOfRetriesExceeded',
          message: 'not now',
          retriable: false,
          retryCount: 2,
          retryTime: expect.any(Number),
        }),
        groupId: reading.groupId,
        restart: true,
      },
    ])
    await reading.commits.until(2)
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['2'])
  })

  it("gets six attempts by default, whatever the client's own retries are", async () => {
    const client = { retry: { initialRetryTime: 10, maxRetryTime: 20, retries: 1 } }
    const consumer = bench.gone(target.create(client).consumer({ groupId: bench.groupId() }))
    await consumer.subscribe({ topics: [await bench.topicWith('a')], fromBeginning: true })
    const crashes = new Journal<kafkajs.ConsumerCrashEvent['payload']>('crashes')
    consumer.on('consumer.crash', ({ payload }) => crashes.note(payload))
    let attempts = 0
    await consumer.run({
      eachMessage: async () => {
        attempts++
        throw new Error('not now')
      },
    })
    const [crash] = await crashes.until(1)
    expect([attempts, crash?.error]).toEqual([6, expect.objectContaining({ retryCount: 5 })])
  })

  it('crashes with its own error as the cause', async () => {
    const topic = await bench.topicWith('a')
    const error = new Error('not now')
    const restartOnFailure = () => Promise.resolve(false)
    const reading = await bench.read(topic, {
      config: { retry: { ...SOON, restartOnFailure } },
      eachMessage: failing(error, 'a'),
    })
    const [crash] = await reading.crashes.until(1)
    expect(crash?.error).toHaveProperty('cause', error)
  })

  it('crashes the consumer, which stops, disconnects and says so, in this order', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic, {
      config: { retry: { ...SOON, restartOnFailure: () => Promise.resolve(false) } },
      eachMessage: failing(new Error('not now'), 'a'),
    })
    await reading.crashes.until(1)
    const events = ['consumer.stop', 'consumer.disconnect', 'consumer.crash']
    expect(reading.eventsOf(...events).map(({ type }) => type)).toEqual(events)
  })

  it('asks restartOnFailure, with the error, whether to start again', async () => {
    const topic = await bench.topicWith('a')
    const asked: Error[] = []
    const restartOnFailure = (error: Error) => {
      asked.push(error)
      return Promise.resolve(asked.length < 2)
    }
    const reading = await bench.read(topic, {
      config: { retry: { ...SOON, retries: 0, restartOnFailure } },
      eachMessage: failing(new Error('not now'), 'a'),
    })
    const crashes = await reading.crashes.until(2)
    expect(crashes.map(({ restart }) => restart)).toEqual([true, false])
    expect(asked).toEqual(crashes.map(({ error }) => error))
    expect(reading.values.entries).toEqual(['a', 'a'])
  })

  it('starts again where restartOnFailure itself fails', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic, {
      config: { retry: { ...SOON, retries: 0, restartOnFailure: () => Promise.reject(new Error('no idea')) } },
      eachMessage: failing(new Error('not now'), 'a', 1),
    })
    expect(await reading.values.until(2)).toEqual(['a', 'a'])
    expect(reading.crashes.entries).toMatchObject([{ restart: true }])
  })

  it.each([
    ['TypeError', new TypeError('x is not a function')],
    ['RangeError', new RangeError('out of range')],
    ['SyntaxError', new SyntaxError('unexpected token')],
    ['ReferenceError', new ReferenceError('x is not defined')],
  ])('by a %s gets one attempt, and the consumer stays down', async (_, error) => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic, { eachMessage: failing(error, 'a') })
    expect(await reading.crashes.until(1)).toEqual([
      {
        error: expect.objectContaining({ name: 'KafkaJSNonRetriableError', message: error.message, cause: error }),
        groupId: reading.groupId,
        restart: false,
      },
    ])
    expect(reading.values.entries).toEqual(['a'])
  })

  it("by the library's own error for what is not to be tried again gets one attempt", async () => {
    const topic = await bench.topicWith('a')
    const error = new kafkajs.KafkaJSNonRetriableError('never')
    const reading = await bench.read(topic, { eachMessage: failing(error, 'a') })
    expect(await reading.crashes.until(1)).toMatchObject([
      { error: { name: 'KafkaJSNonRetriableError' }, restart: false },
    ])
    expect(reading.values.entries).toEqual(['a'])
  })

  it('by an error with retriable: false gets one attempt', async () => {
    const topic = await bench.topicWith('a')
    const error = Object.assign(new Error('never'), { retriable: false })
    const reading = await bench.read(topic, { eachMessage: failing(error, 'a') })
    expect(await reading.crashes.until(1)).toMatchObject([{ error: { message: 'never' }, restart: false }])
    expect(reading.values.entries).toEqual(['a'])
  })

  it('commits nothing of it without autoCommit', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, { autoCommit: false, eachMessage: failing(new Error('not now'), 'b', 1) })
    expect(await reading.values.until(3)).toEqual(['a', 'b', 'b'])
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['-1'])
  })

  it('loses its partitions to others while the consumer is down', async () => {
    const topic = await bench.topicWith('a')
    const retry = { ...SOON, retries: 0, restartOnFailure: () => Promise.resolve(false) }
    const reading = await bench.read(topic, { config: { retry }, eachMessage: failing(new Error('not now'), 'a') })
    await reading.crashes.until(1)
    const next = await bench.read(topic, { groupId: reading.groupId })
    expect(await next.values.until(1)).toEqual(['a'])
  })
})
