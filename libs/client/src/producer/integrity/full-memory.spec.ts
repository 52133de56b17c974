import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { sendCommand, startSingle, uniqueNamespace, waitFor } from '@rivulet/testing'

import { readTopic } from '../../../spec-support/read-log.js'
import { RecordLedger } from '../../../spec-support/record-ledger.js'
import { Kafka } from '../../kafka.js'
import type { ProducerConfig } from '../../types.js'
import type { Producer } from '../producer.js'

const TOPIC = 'records'
const VALUE = 'x'.repeat(50_000)

let server: RedisServerProcess
let namespace: string
let producer: Producer

async function connect(config: ProducerConfig = {}): Promise<Producer> {
  const kafka = new Kafka({ brokers: [server.url], namespace, logLevel: 0, connectionTimeout: 5000 })
  producer = kafka.producer(config)
  await producer.connect()
  await producer.send({ topic: TOPIC, messages: [{ key: 'first', value: '0' }] })
  return producer
}

/** Redis takes no more writes, or does again. */
async function full(isFull: boolean): Promise<void> {
  await sendCommand(server, 'CONFIG', 'SET', 'maxmemory', isFull ? '1mb' : '0')
}

beforeEach(async () => {
  namespace = uniqueNamespace('memory')
  server = await startSingle()
})
afterEach(async () => {
  await producer.disconnect()
  await server.stop()
})

describe('when Redis is out of memory', () => {
  it('sends wait, and go on in order when there is room', async () => {
    await connect({ retry: { retries: 0 } })
    await full(true)
    const ledger = new RecordLedger()
    const sends = Array.from({ length: 50 }, () => ledger.send(producer, TOPIC, 'key', 3))
    let calls = 0
    producer.on(producer.events.REQUEST, () => void calls++)
    await waitFor(() => calls >= 2, { what: 'two refused calls' })
    expect(ledger.acknowledged).toBe(0)
    await full(false)
    await Promise.all(sends)
    expect(ledger.problems(await readTopic(server.url, namespace, TOPIC))).toEqual([])
    expect(ledger.acknowledged).toBe(150)
  })

  it('the error after deliveryTimeoutMs is retriable and says what is the matter', async () => {
    await connect({ deliveryTimeoutMs: 500 })
    await full(true)
    await expect(producer.send({ topic: TOPIC, messages: [{ value: VALUE }] })).rejects.toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'OUT_OF_MEMORY',
      retriable: true,
      message: expect.stringMatching(/500 ms \(deliveryTimeoutMs\)/),
    })
    await full(false)
    expect(await producer.send({ topic: TOPIC, messages: [{ value: '1' }] })).toMatchObject([{ baseOffset: '1' }])
  })

  it('what does not fit into bufferMemory waits outside of it, and fails after maxBlockMs', async () => {
    await connect({ bufferMemory: 100_000, maxBlockMs: 300 })
    await full(true)
    const send = () => producer.send({ topic: TOPIC, messages: [{ value: VALUE }] })
    const inside = [send(), send()]
    await expect(send()).rejects.toMatchObject({ type: 'BUFFER_EXHAUSTED' })
    await full(false)
    await Promise.all(inside)
    const [log] = await readTopic(server.url, namespace, TOPIC)
    expect(log?.length).toBe(3)
  })
})
