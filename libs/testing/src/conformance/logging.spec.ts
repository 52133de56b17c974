import { expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { describeOnBoth, type ClientConfig } from './describe-on-both.js'
import { callUntyped } from './support/calls.js'
import { Journal } from './support/journal.js'
import { Workbench } from './support/workbench.js'

const { logLevel } = kafkajs

describeOnBoth('logging', (target) => {
  const bench = new Workbench(target)

  const logs = (level = logLevel.INFO): { entries: Journal<kafkajs.LogEntry>; client: ClientConfig } => {
    const entries = new Journal<kafkajs.LogEntry>('log entries')
    return { entries, client: { logLevel: level, logCreator: () => (entry) => entries.note(entry) } }
  }

  const messagesOf = ({ entries }: Journal<kafkajs.LogEntry>): string[] => entries.map(({ log }) => log.message)

  it("goes to the program's function, made once with the level", () => {
    const levels: number[] = []
    const entries: kafkajs.LogEntry[] = []
    const client = target.create({
      logLevel: logLevel.WARN,
      logCreator: (level) => {
        levels.push(level)
        return (entry) => entries.push(entry)
      },
    })
    client.logger().warn('careful', { topic: 'orders' })
    client.producer()
    expect(levels).toEqual([logLevel.WARN])
    expect(entries).toMatchObject([
      { level: logLevel.WARN, label: 'WARN', log: { message: 'careful', topic: 'orders' } },
    ])
    expect(new Date(entries[0]?.log.timestamp ?? '').getTime()).toBeGreaterThan(0)
  })

  it('leaves out what is below the level', () => {
    const { entries, client } = logs(logLevel.WARN)
    const logger = target.create(client).logger()
    for (const method of ['error', 'warn', 'info', 'debug'] as const) logger[method](method)
    expect(messagesOf(entries)).toEqual(['error', 'warn'])
  })

  it('has no entries at the level NOTHING', () => {
    const { entries, client } = logs(logLevel.NOTHING)
    target.create(client).logger().error('error')
    expect(entries.entries).toEqual([])
  })

  it('can be set to another level', () => {
    const { entries, client } = logs(logLevel.ERROR)
    const kafka = target.create(client)
    kafka.logger().setLogLevel(logLevel.DEBUG)
    kafka.logger().debug('of the client')
    kafka.producer().logger().debug('of a producer')
    expect(messagesOf(entries)).toEqual(['of the client', 'of a producer'])
  })

  it('has namespaces, with levels of their own', () => {
    const { entries, client } = logs(logLevel.INFO)
    const logger = target.create(client).logger()
    logger.namespace('Shop').info('follows the client')
    logger.namespace('Chatty', logLevel.DEBUG).debug('has its own')
    logger.namespace('Silent', logLevel.NOTHING).error('has its own')
    expect(entries.entries.map(({ namespace, log }) => [namespace, log.message])).toEqual([
      ['Shop', 'follows the client'],
      ['Chatty', 'has its own'],
    ])
  })

  it('tells when a consumer starts, joins and stops', async () => {
    const { entries, client } = logs()
    const topic = await bench.topic()
    const reading = await bench.read(topic, { client })
    await reading.consumer.stop()
    expect(messagesOf(entries)).toEqual(
      expect.arrayContaining(['Starting', 'Consumer has joined the group', 'Stopped']),
    )
    const joined = entries.entries.find(({ log }) => log.message === 'Consumer has joined the group')
    expect(joined).toMatchObject({
      label: 'INFO',
      log: { groupId: reading.groupId, memberAssignment: { [topic]: [0] } },
    })
  })

  it('warns of a second run', async () => {
    const { entries, client } = logs(logLevel.WARN)
    const reading = await bench.read(await bench.topic(), { client })
    await reading.run()
    expect(entries.entries).toMatchObject([
      {
        namespace: 'Consumer',
        label: 'WARN',
        log: {
          message: 'consumer#run was called, but the consumer is already running',
          groupId: reading.groupId,
        },
      },
    ])
  })

  it('tells of pausing and resuming', async () => {
    const { entries, client } = logs()
    const topic = await bench.topic()
    const { consumer } = await bench.read(topic, { client })
    consumer.pause([{ topic }])
    consumer.resume([{ topic }])
    expect(messagesOf(entries)).toEqual(
      expect.arrayContaining(['Pausing fetching from 1 topics', 'Resuming fetching from 1 topics']),
    )
  })

  it.each(['eachMessage', 'eachBatch'] as const)('tells of an error of %s, and where it was', async (handler) => {
    const { entries, client } = logs(logLevel.ERROR)
    const topic = await bench.topicWith('a')
    const error = new Error('not now')
    let tries = 0
    const reading = await bench.read(topic, {
      client,
      [handler]: () => {
        if (tries++ === 0) throw error
      },
    })
    await reading.values.until(2)
    expect(entries.entries[0]).toMatchObject({
      label: 'ERROR',
      log: { message: `Error when calling ${handler}`, topic, partition: 0, offset: '0', error, stack: error.stack },
    })
  })

  it('tells of a crash', async () => {
    const { entries, client } = logs(logLevel.ERROR)
    const reading = await bench.read(await bench.topicWith('a'), {
      client,
      eachMessage: () => {
        throw new TypeError('x is not a function')
      },
    })
    await reading.crashes.until(1)
    const crash = entries.entries.find(({ log }) => log.message.startsWith('Crash'))
    expect(crash).toMatchObject({
      namespace: 'Consumer',
      label: 'ERROR',
      log: {
        message: 'Crash: KafkaJSNonRetriableError: x is not a function',
        groupId: reading.groupId,
        stack: expect.any(String),
      },
    })
  })

  it('tells of a listener that fails', async () => {
    const { entries, client } = logs(logLevel.ERROR)
    const consumer = bench.consumer({}, client)
    callUntyped(consumer, 'on', 'consumer.connect', () => Promise.reject(new Error('the listener is broken')))
    await consumer.connect()
    const entry = await entries.first(() => true)
    expect(entry).toMatchObject({
      label: 'ERROR',
      log: { message: 'Failed to execute listener: the listener is broken', eventName: 'consumer.connect' },
    })
  })
})
