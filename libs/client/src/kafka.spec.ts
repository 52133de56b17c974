import { afterEach, describe, expect, it } from '@jest/globals'
import { testRedisUrl, uniqueNamespace } from '@rivulet/testing'
import { Kafka, logLevel } from './index.js'
import type { KafkaConfig, LogEntry } from './types.js'

const open = new Set<{ disconnect(): Promise<void> }>()
afterEach(async () => {
  await Promise.all([...open].map((client) => client.disconnect()))
  open.clear()
})

const namespace = uniqueNamespace('kafka')

const connectedAdmin = async (config: KafkaConfig) => {
  const admin = new Kafka({ logLevel: logLevel.NOTHING, namespace, ...config }).admin()
  open.add(admin)
  await admin.connect()
  return admin
}

describe('Kafka', () => {
  it('connects nothing by itself', () => {
    let asked = 0
    const brokers = () => {
      asked++
      return ['localhost:1']
    }
    const kafka = new Kafka({ brokers })
    kafka.producer()
    kafka.admin()
    expect(asked).toBe(0)
  })

  it('asks a brokers function when it connects, each time anew', async () => {
    let asked = 0
    const kafka = new Kafka({
      logLevel: logLevel.NOTHING,
      namespace,
      brokers: async () => {
        asked++
        return [testRedisUrl()]
      },
    })
    const admin = kafka.admin()
    for (const round of [1, 2]) {
      await admin.connect()
      expect(await admin.listTopics()).toEqual(expect.any(Array))
      await admin.disconnect()
      expect(asked).toBe(round)
    }
  })

  it('tells what a brokers function threw or gave wrongly', async () => {
    const failing = (brokers: () => string[]) =>
      connectedAdmin({ brokers, retry: { retries: 0 } }).catch((error: unknown) => error)
    const thrower = () => {
      throw new Error('no registry')
    }
    expect(await failing(thrower)).toMatchObject({
      name: 'KafkaJSNumberOfRetriesExceeded',
      cause: { name: 'KafkaJSConnectionError', message: expect.stringContaining('no registry') },
    })
    expect(await failing(() => [])).toMatchObject({ name: 'KafkaJSNonRetriableError', retriable: false })
  })

  it('keeps namespaces apart', async () => {
    const brokers = [testRedisUrl()]
    const [a, b] = [await connectedAdmin({ brokers }), await connectedAdmin({ brokers, namespace: `${namespace}-b` })]
    await a.createTopics({ topics: [{ topic: 'orders' }] })
    expect(await a.listTopics()).toContain('orders')
    expect(await b.listTopics()).toEqual([])
    await a.deleteTopics({ topics: ['orders'] })
  })

  it('logs through the logCreator by the component, and warns of options that it does not know', async () => {
    const entries: LogEntry[] = []
    const logCreator = () => (entry: LogEntry) => entries.push(entry)
    const config = { brokers: ['localhost:1'], logCreator, brokerz: 1 }
    const kafka = new Kafka(config)
    kafka.admin().logger().info('hello')
    kafka.logger().setLogLevel(logLevel.NOTHING)
    kafka.admin().logger().error('silence')
    expect(entries.map(({ namespace, label, log }) => [namespace, label, log.message])).toEqual([
      ['', 'WARN', expect.stringMatching(/"brokerz".*'brokers'/)],
      ['Admin', 'INFO', 'hello'],
    ])
  })
})
