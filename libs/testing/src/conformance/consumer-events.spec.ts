import { expect, it } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped } from './support/calls.js'
import { Journal } from './support/journal.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('the events of a consumer', (target) => {
  const bench = new Workbench(target)

  it('come in the order of what happens', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic)
    await reading.commits.until(1)
    await reading.consumer.disconnect()
    const order = reading.events.entries.map(({ type }) => type.replace('consumer.', ''))
    const firstOf = [...new Set(order)].filter((type) => type !== 'heartbeat')
    expect(firstOf).toEqual([
      'connect',
      'group_join',
      'fetch_start',
      'fetch',
      'start_batch_process',
      'end_batch_process',
      'commit_offsets',
      'stop',
      'disconnect',
    ])
  })

  it('have an id, a type and a time', async () => {
    const consumer = bench.consumer()
    const events = new Journal<unknown>('events')
    for (const name of ['consumer.connect', 'consumer.disconnect'] as const) {
      consumer.on(name, (event: unknown) => events.note(event))
    }
    await consumer.connect()
    await consumer.disconnect()
    const event = (type: string) => ({
      id: expect.any(Number),
      type,
      timestamp: expect.any(Number),
      payload: undefined,
    })
    expect(events.entries).toEqual([event('consumer.connect'), event('consumer.disconnect')])
  })

  it('tell of connecting by connect, and again by run', async () => {
    const reading = await bench.read(await bench.topic())
    expect(reading.eventsOf('consumer.connect', 'consumer.group_join').map(({ type }) => type)).toEqual([
      'consumer.connect',
      'consumer.connect',
      'consumer.group_join',
    ])
  })

  it('are numbered upwards', async () => {
    const consumer = bench.consumer()
    const ids: number[] = []
    for (const name of ['consumer.connect', 'consumer.disconnect'] as const) {
      consumer.on(name, ({ id }: { id: unknown }) => ids.push(Number(id)))
    }
    await consumer.connect()
    await consumer.disconnect()
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b))
    expect(ids).toHaveLength(2)
  })

  it('tell of each batch what is in it', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    const facts = {
      topic,
      partition: 0,
      highWatermark: '3',
      offsetLag: '0',
      offsetLagLow: '2',
      batchSize: 3,
      firstOffset: '0',
      lastOffset: '2',
    }
    expect(await reading.payloadOf('consumer.start_batch_process')).toEqual(facts)
    expect(await reading.payloadOf('consumer.end_batch_process')).toEqual({ ...facts, duration: expect.any(Number) })
  })

  it('tell that a batch begins before its handler, and that it ends after it', async () => {
    const topic = await bench.topicWith('a')
    const seen: string[][] = []
    const types = ['consumer.start_batch_process', 'consumer.end_batch_process']
    const reading = await bench.read(topic, {
      eachMessage: () => void seen.push(reading.eventsOf(...types).map(({ type }) => type)),
    })
    await reading.commits.until(1)
    seen.push(reading.eventsOf(...types).map(({ type }) => type))
    expect(seen).toEqual([['consumer.start_batch_process'], types])
  })

  it('tell of fetches', async () => {
    const reading = await bench.read(await bench.topicWith('a'))
    expect(await reading.payloadOf('consumer.fetch_start')).toEqual({ nodeId: expect.anything() })
    expect(await reading.payloadOf('consumer.fetch')).toEqual({
      numberOfBatches: expect.any(Number),
      duration: expect.any(Number),
      nodeId: expect.anything(),
    })
  })

  it('tell of fetches that find nothing', async () => {
    const reading = await bench.read(await bench.topic())
    await reading.events.untilTrue(
      (events) => events.filter(({ type }) => type === 'consumer.fetch').length >= 2,
      'two fetches',
    )
    expect(reading.eventsOf('consumer.start_batch_process')).toEqual([])
  })

  it('tell of commits', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic)
    const [join] = await reading.joins.until(1)
    expect(await reading.payloadOf('consumer.commit_offsets')).toMatchObject({
      groupId: reading.groupId,
      memberId: join?.memberId,
      groupGenerationId: expect.any(Number),
      topics: [{ topic, partitions: [{ offset: '1' }] }],
    })
  })

  it('tell of heartbeats, also where nothing comes', async () => {
    const reading = await bench.read(await bench.topic())
    const [join] = await reading.joins.until(1)
    expect(await reading.payloadOf('consumer.heartbeat')).toEqual({
      groupId: reading.groupId,
      memberId: join?.memberId,
      groupGenerationId: expect.any(Number),
    })
  })

  it('tell of no more heartbeats than heartbeatInterval asks for', async () => {
    const topic = await bench.topicWith(...Array.from({ length: 50 }, (_, i) => `${i}`))
    const reading = await bench.read(topic, {
      config: { heartbeatInterval: 3000 },
      eachMessage: ({ heartbeat }) => heartbeat(),
    })
    await reading.commits.until(1)
    expect(reading.eventsOf('consumer.heartbeat')).toEqual([])
  })

  it('tell of fetches as requests', async () => {
    const topic = await bench.topic()
    const reading = await bench.reader({ client: { clientId: 'shop' } })
    const requests = new Journal<kafkajs.RequestEvent['payload']>('requests')
    reading.consumer.on('consumer.network.request', ({ payload }) => requests.note(payload))
    await reading.subscribe(topic)
    await reading.run()
    expect(await requests.first(({ apiName }) => apiName === 'Fetch')).toEqual({
      apiKey: 1,
      apiName: 'Fetch',
      apiVersion: 11,
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

  it('tell of stopping once', async () => {
    const reading = await bench.read(await bench.topic())
    await reading.consumer.stop()
    await reading.consumer.disconnect()
    expect(reading.eventsOf('consumer.stop', 'consumer.disconnect')).toEqual([
      { type: 'consumer.stop', payload: undefined },
      { type: 'consumer.disconnect', payload: undefined },
    ])
  })

  it('reach a listener until it is taken away', async () => {
    const consumer = bench.consumer()
    const heard: string[] = []
    const remove = consumer.on('consumer.connect', ({ type }) => heard.push(type))
    await consumer.connect()
    remove()
    await consumer.disconnect()
    await consumer.connect()
    expect(heard).toEqual(['consumer.connect'])
  })

  it('are not disturbed by listeners that reject', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.reader()
    for (const name of ['consumer.group_join', 'consumer.start_batch_process', 'consumer.fetch'] as const) {
      callUntyped(reading.consumer, 'on', name, () => Promise.reject(new Error('the listener is broken')))
    }
    await reading.subscribe(topic)
    await reading.run()
    expect(await reading.values.until(1)).toEqual(['a'])
    await reading.commits.until(1)
  })
})
