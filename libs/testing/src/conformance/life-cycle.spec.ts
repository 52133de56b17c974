import { expect, it } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'
import type { Reading } from './support/reading.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('a consumer', (target) => {
  const bench = new Workbench(target)

  it('has joined its group when run resolves', async () => {
    const reading = await bench.read(await bench.topic())
    expect(reading.joins.entries).toHaveLength(1)
  })

  it('runs once, whatever a second run asks for', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic)
    const others: string[] = []
    await reading.run({ eachMessage: ({ message }) => void others.push(String(message.value)) })
    await reading.values.until(1)
    await bench.write(topic, ['b'])
    await reading.values.until(2)
    expect(others).toEqual([])
  })

  it('connects by itself', async () => {
    const topic = await bench.topicWith('a')
    const consumer = bench.consumer()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const gate = bench.gate()
    await consumer.run({ eachMessage: async () => gate.open() })
    await gate.passed
    expect(await consumer.describeGroup()).toMatchObject({ state: 'Stable' })
  })

  it('with both handlers calls eachMessage alone', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.reader()
    await reading.subscribe(topic)
    const called: string[] = []
    await reading.consumer.run({
      eachMessage: async () => void called.push('eachMessage'),
      eachBatch: async () => void called.push('eachBatch'),
    })
    await reading.commits.until(1)
    expect(called).toEqual(['eachMessage', 'eachMessage'])
  })

  it('hands out the message with its topic and partition, as text and number', async () => {
    const topic = await bench.topic(2)
    await bench.producer.send({ topic, messages: [{ partition: 1, key: 'k', value: 'v', headers: { h: 'x' } }] })
    const [payload] = await (await bench.read(topic)).messages.until(1)
    expect(payload).toMatchObject({
      topic,
      partition: 1,
      message: {
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: { h: Buffer.from('x') },
        timestamp: expect.stringMatching(/^\d{13}$/),
        offset: '0',
        attributes: 0,
      },
      heartbeat: expect.any(Function),
      pause: expect.any(Function),
    })
  })

  it('stops behind the message in hand, and goes on after it with the next run', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const gate = bench.gate()
    const reading = await bench.read(topic, { eachMessage: () => gate.passed })
    await reading.values.until(1)
    const stopped = reading.consumer.stop()
    gate.open()
    await stopped
    expect(reading.values.entries).toEqual(['a'])
    await reading.run()
    expect(await reading.values.until(3)).toEqual(['a', 'b', 'c'])
  })

  it('stops when the handler has ended, not before', async () => {
    const topic = await bench.topicWith('a')
    const gate = bench.gate()
    const order: string[] = []
    const reading = await bench.read(topic, {
      eachMessage: async () => {
        await gate.passed
        order.push('handled')
      },
    })
    await reading.values.until(1)
    const stopped = reading.consumer.stop().then(() => order.push('stopped'))
    gate.open()
    await stopped
    expect(order).toEqual(['handled', 'stopped'])
  })

  it('tells eachBatch that it is to stop', async () => {
    const topic = await bench.topicWith('a', 'b')
    const gate = bench.gate()
    const running: boolean[] = []
    const reading = await bench.read(topic, {
      eachBatch: async ({ isRunning }) => {
        running.push(isRunning())
        await gate.passed
        running.push(isRunning())
      },
    })
    await reading.values.until(2)
    const stopped = reading.consumer.stop()
    gate.open()
    await stopped
    expect(running).toEqual([true, false])
  })

  it('can be stopped from within its handler', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading: Reading = await bench.reader()
    await reading.subscribe(topic)
    const stopped: Promise<void>[] = []
    await reading.run({ eachMessage: () => void stopped.push(reading.consumer.stop()) })
    await reading.values.until(1)
    await Promise.all(stopped)
    expect(await bench.committed(reading.groupId, topic)).toEqual(['1'])
    expect(reading.values.entries).toEqual(['a'])
  })

  it('can be disconnected from within its handler', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading: Reading = await bench.reader()
    await reading.subscribe(topic)
    const disconnected: Promise<void>[] = []
    await reading.run({ eachMessage: () => void disconnected.push(reading.consumer.disconnect()) })
    await reading.values.until(1)
    await Promise.all(disconnected)
    expect(await bench.committed(reading.groupId, topic)).toEqual(['1'])
    expect(reading.values.entries).toEqual(['a'])
  })

  it('can be stopped at any time, more than once', async () => {
    const reading = await bench.reader()
    await reading.consumer.stop()
    await reading.subscribe(await bench.topic())
    await reading.run()
    await Promise.all([reading.consumer.stop(), reading.consumer.stop()])
    await reading.consumer.stop()
    expect(reading.eventsOf('consumer.stop')).toHaveLength(1)
  })

  it('can be disconnected without having run, and twice', async () => {
    const reading = await bench.reader()
    await reading.consumer.disconnect()
    await reading.consumer.disconnect()
    expect(reading.eventsOf('consumer.stop')).toEqual([])
    expect(reading.eventsOf('consumer.disconnect')).not.toEqual([])
  })

  it('starts again from what it had committed, not from where it was', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, { autoCommit: false })
    await reading.values.until(2)
    await reading.consumer.stop()
    await reading.run({ autoCommit: false })
    expect(await reading.values.until(4)).toEqual(['a', 'b', 'a', 'b'])
  })

  it('runs differently the next time where it is asked to', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic)
    await reading.commits.until(1)
    await reading.consumer.stop()
    await bench.write(topic, ['b'])
    await reading.run({ eachBatch: () => undefined })
    const [payload] = await reading.batches.until(1)
    expect(payload?.batch.messages.map(({ value }) => String(value))).toEqual(['b'])
  })

  it('works with its methods taken off it', async () => {
    const topic = await bench.topicWith('a')
    const { connect, subscribe, run, stop, pause, paused, resume, disconnect } = bench.consumer()
    await connect()
    await subscribe({ topics: [topic], fromBeginning: true })
    const gate = bench.gate()
    await run({ eachMessage: async () => gate.open() })
    pause([{ topic }])
    const whilePaused = paused()
    resume([{ topic }])
    await gate.passed
    await stop()
    await disconnect()
    expect(whilePaused).toEqual([{ topic, partitions: [0] }])
  })

  it('answers a heartbeat with nothing', async () => {
    const topic = await bench.topicWith('a')
    const answers: unknown[] = []
    const reading = await bench.read(topic, {
      eachMessage: async ({ heartbeat }) => void answers.push(await heartbeat()),
    })
    await reading.commits.until(1)
    expect(answers).toEqual([undefined])
  })

  it('knows these events, and no others', async () => {
    const consumer: kafkajs.Consumer = bench.consumer()
    expect(consumer.events).toMatchObject({
      HEARTBEAT: 'consumer.heartbeat',
      COMMIT_OFFSETS: 'consumer.commit_offsets',
      GROUP_JOIN: 'consumer.group_join',
      FETCH: 'consumer.fetch',
      FETCH_START: 'consumer.fetch_start',
      START_BATCH_PROCESS: 'consumer.start_batch_process',
      END_BATCH_PROCESS: 'consumer.end_batch_process',
      CONNECT: 'consumer.connect',
      DISCONNECT: 'consumer.disconnect',
      STOP: 'consumer.stop',
      CRASH: 'consumer.crash',
      REBALANCING: 'consumer.rebalancing',
      RECEIVED_UNSUBSCRIBED_TOPICS: 'consumer.received_unsubscribed_topics',
      REQUEST: 'consumer.network.request',
      REQUEST_TIMEOUT: 'consumer.network.request_timeout',
      REQUEST_QUEUE_SIZE: 'consumer.network.request_queue_size',
    })
    expect(await failureOf(() => callUntyped(consumer, 'on', 'consumer.nothing', () => undefined))).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: expect.stringMatching(/^Event name should be one of consumer\.events\.HEARTBEAT, /),
    })
  })
})
