import { expect, it } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { failureOf } from './support/calls.js'
import { Workbench } from './support/workbench.js'

/** Nothing listens at port 1. */
const NOBODY = '127.0.0.1:1'

const CLIENTS: [string, (kafka: kafkajs.Kafka) => { connect(): Promise<void>; disconnect(): Promise<void> }][] = [
  ['producer', (kafka) => kafka.producer()],
  ['consumer', (kafka) => kafka.consumer({ groupId: 'g' })],
  ['admin client', (kafka) => kafka.admin()],
]

describeOnBoth('connecting', (target) => {
  const bench = new Workbench(target)
  const retry = { retries: 1, initialRetryTime: 10 }

  it.each(CLIENTS)('a %s to where nobody is fails when its retries are over', async (_, make) => {
    const client = make(target.create({ brokers: [NOBODY], retry }))
    expect(await failureOf(() => client.connect())).toMatchObject({
      name: 'KafkaJSNumberOfRetriesExceeded',
      retriable: false,
      retryCount: 1,
      cause: { name: 'KafkaJSConnectionError', code: 'ECONNREFUSED', retriable: true },
    })
  })

  it.each(CLIENTS)('a %s finds the one of several that is there', async (_, make) => {
    const client = bench.gone(make(target.create({ brokers: [NOBODY, ...target.brokers] })))
    await expect(client.connect()).resolves.toBeUndefined()
  })

  it('asks a function where to connect to', async () => {
    let asked = 0
    const brokers = async () => {
      asked++
      return target.brokers
    }
    const producer = bench.newProducer({}, { brokers })
    await producer.connect()
    expect(await producer.send({ topic: await bench.topic(), messages: [{ value: 'v' }] })).toHaveLength(1)
    expect(asked).toBeGreaterThan(0)
  })

  it('fails where that function fails', async () => {
    const brokers = () => Promise.reject(new Error('no idea'))
    expect(await failureOf(() => bench.newProducer({}, { brokers, retry }).connect())).toMatchObject({
      message: expect.stringContaining('no idea'),
    })
  })

  it.each<[string, string[]]>([
    ['no brokers', []],
    ['a broker without a name', ['']],
  ])('fails with %s', async (_, brokers) => {
    const connect = () => bench.newProducer({}, { brokers, retry }).connect()
    expect(await failureOf(connect)).toMatchObject({ retriable: false })
  })

  it('can be done again after it failed', async () => {
    let broker = NOBODY
    const producer = bench.newProducer({}, { brokers: () => [broker], retry })
    await failureOf(() => producer.connect())
    broker = target.brokers[0] ?? NOBODY
    await producer.connect()
    expect(await producer.send({ topic: await bench.topic(), messages: [{ value: 'v' }] })).toHaveLength(1)
  })
})
