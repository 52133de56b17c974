import { expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'
import { Journal } from './support/journal.js'
import { Workbench } from './support/workbench.js'

const message = { value: 'v' }

describeOnBoth('the producer', (target) => {
  const bench = new Workbench(target)
  const send = (producer: kafkajs.Producer, topic: string) => producer.send({ topic, messages: [message] })

  it('sends nothing before it is connected', async () => {
    const producer = bench.newProducer()
    expect(await failureOf(() => send(producer, 'orders'))).toMatchObject({
      name: 'KafkaJSError',
      message: 'The producer is disconnected',
      retriable: true,
    })
  })

  it('checks what it is to send before it looks whether it is connected', async () => {
    const producer = bench.newProducer()
    expect(await failureOf(() => send(producer, ''))).toMatchObject({ message: 'Invalid topic' })
  })

  it('sends nothing while it disconnects, nor after that', async () => {
    const producer = bench.newProducer()
    await producer.connect()
    const disconnected = producer.disconnect()
    const disconnecting = await failureOf(() => send(producer, 'orders'))
    await disconnected
    expect(disconnecting).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: "The producer is disconnecting; therefore, it can't safely accept messages anymore",
    })
    expect(await failureOf(() => send(producer, 'orders'))).toMatchObject({ message: 'The producer is disconnected' })
  })

  it('connects again', async () => {
    const topic = await bench.topic()
    const producer = bench.newProducer()
    for (let i = 0; i < 2; i++) {
      await producer.connect()
      expect(await send(producer, topic)).toMatchObject([{ topicName: topic, errorCode: 0 }])
      await producer.disconnect()
    }
  })

  it('can be connected and disconnected twice', async () => {
    const topic = await bench.topic()
    const producer = bench.newProducer()
    await Promise.all([producer.connect(), producer.connect()])
    await producer.connect()
    expect(await send(producer, topic)).toHaveLength(1)
    await producer.disconnect()
    await producer.disconnect()
  })

  it('tells of connecting and disconnecting', async () => {
    const producer = bench.newProducer()
    const events = new Journal<unknown>('events')
    producer.on('producer.connect', (event) => events.note(event))
    producer.on(producer.events.DISCONNECT, (event) => events.note(event))
    await producer.connect()
    await producer.disconnect()
    const event = (type: string) => ({
      id: expect.any(Number),
      type,
      timestamp: expect.any(Number),
      payload: undefined,
    })
    expect(events.entries).toEqual([event('producer.connect'), event('producer.disconnect')])
  })

  it('tells a listener nothing more once it was taken away', async () => {
    const producer = bench.newProducer()
    const events: string[] = []
    const remove = producer.on('producer.connect', ({ type }) => events.push(type))
    await producer.connect()
    remove()
    await producer.disconnect()
    await producer.connect()
    await producer.disconnect()
    expect(events).toEqual(['producer.connect'])
  })

  it('knows no other events', async () => {
    const { producer } = bench
    const noEvent = await failureOf(() => callUntyped(producer, 'on', 'producer.nothing', () => undefined))
    expect(noEvent).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message:
        'Event name should be one of producer.events.CONNECT, producer.events.DISCONNECT, producer.events.REQUEST, ' +
        'producer.events.REQUEST_TIMEOUT, producer.events.REQUEST_QUEUE_SIZE',
    })
    expect(producer.events).toEqual({
      CONNECT: 'producer.connect',
      DISCONNECT: 'producer.disconnect',
      REQUEST: 'producer.network.request',
      REQUEST_TIMEOUT: 'producer.network.request_timeout',
      REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size',
    })
  })

  it('tells of each request', async () => {
    const topic = await bench.topic()
    const producer = bench.newProducer({}, { clientId: 'shop' })
    await producer.connect()
    const requests = new Journal<kafkajs.RequestEvent['payload']>('requests')
    producer.on('producer.network.request', ({ payload }) => requests.note(payload))
    await send(producer, topic)
    const request = await requests.first(({ apiName }) => apiName === 'Produce')
    await producer.disconnect()
    expect(request).toEqual({
      apiKey: 0,
      apiName: 'Produce',
      apiVersion: 7,
      broker: expect.any(String),
      clientId: 'shop',
      correlationId: expect.any(Number),
      createdAt: expect.any(Number),
      duration: expect.any(Number),
      pendingDuration: expect.any(Number),
      sentAt: expect.any(Number),
      size: expect.any(Number),
    })
  })

  it('is not disturbed by listeners that fail', async () => {
    const producer = bench.newProducer()
    callUntyped(producer, 'on', 'producer.connect', () => Promise.reject(new Error('the listener is broken')))
    await producer.connect()
    expect(await send(producer, await bench.topic())).toHaveLength(1)
    await producer.disconnect()
  })

  it('works with its methods taken off it', async () => {
    const { connect, send: sendAlone, sendBatch, disconnect } = bench.newProducer()
    const topic = await bench.topic()
    await connect()
    expect(await sendAlone({ topic, messages: [message] })).toMatchObject([{ baseOffset: '0' }])
    expect(await sendBatch({ topicMessages: [{ topic, messages: [message] }] })).toMatchObject([{ baseOffset: '1' }])
    await disconnect()
  })

  it('is not idempotent unless it is asked to be', () => {
    const client = target.create()
    expect([client.producer().isIdempotent(), client.producer({ idempotent: true }).isIdempotent()]).toEqual([
      false,
      true,
    ])
  })

  it('stores each message once where it is idempotent', async () => {
    const topic = await bench.topic()
    const producer = bench.newProducer({ idempotent: true })
    await producer.connect()
    for (const baseOffset of ['0', '1', '2']) expect(await send(producer, topic)).toMatchObject([{ baseOffset }])
    await producer.disconnect()
  })

  it.each([0, 1])('refuses acks %s where it is idempotent', async (acks) => {
    const producer = bench.newProducer({ idempotent: true })
    expect(await failureOf(() => producer.send({ topic: 'orders', messages: [message], acks }))).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
    })
  })

  it('cannot be idempotent without retries', async () => {
    const make = () => bench.newProducer({ idempotent: true, retry: { retries: 0 } })
    expect(await failureOf(make)).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: 'Idempotent producer must allow retries to protect against transient errors',
    })
  })

  it('has no transactions without a transactional id', async () => {
    expect(await failureOf(() => bench.producer.transaction())).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: 'Must provide transactional id for transactional producer',
    })
  })

  it('has a logger of its own', () => {
    const entries: kafkajs.LogEntry[] = []
    const producer = bench.newProducer(
      {},
      { logLevel: kafkajs.logLevel.INFO, logCreator: () => (entry) => entries.push(entry) },
    )
    producer.logger().info('hello', { more: 1 })
    expect(entries).toEqual([
      {
        namespace: 'Producer',
        level: kafkajs.logLevel.INFO,
        label: 'INFO',
        log: { timestamp: expect.any(String), logger: expect.any(String), message: 'hello', more: 1 },
      },
    ])
  })
})
