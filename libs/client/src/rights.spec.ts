import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { sendCommand, startSingle } from '@rivulet/testing'
import { Kafka, logLevel } from './index.js'

const OPERATIONS = new URL('../../../docs/operations.md', import.meta.url)

let server: Awaited<ReturnType<typeof startSingle>>
const lines: string[] = []
beforeAll(async () => {
  server = await startSingle()
  const command = /^ACL SETUSER .*$/m.exec(readFileSync(OPERATIONS, 'utf8'))?.[0]
  if (command === undefined) throw new Error('docs/operations.md has no ACL SETUSER line')
  const [name = '', ...words] = command.split(' ')
  await sendCommand(server, name, ...words)
  await sendCommand(server, name, ...words.map((word) => (word === 'rivulet' ? 'orders-only' : word)))
  const keys = ['resetkeys', '~rivulet:{meta}:*', '~rivulet:{*}:shard', '~rivulet:{*}:t:orders:*']
  await sendCommand(server, 'ACL', 'SETUSER', 'orders-only', ...keys)
})
afterAll(() => server.stop())

function kafkaAs(username: string): Kafka {
  return new Kafka({
    brokers: [`127.0.0.1:${server.port}`],
    sasl: { mechanism: 'plain', username, password: 'secret' },
    retry: { retries: 1, initialRetryTime: 10 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => void lines.push(entry.log.message),
  })
}

async function roundTrip(kafka: Kafka, topic: string): Promise<string[]> {
  const admin = kafka.admin()
  const producer = kafka.producer()
  const consumer = kafka.consumer()
  try {
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()])
    const configEntries = [{ name: 'segment.bytes', value: '1048576' }]
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] })
    for (let i = 0; i < 4; i++) {
      await producer.send({ topic, messages: [{ value: String(i).padEnd(500_000) }] })
    }
    const values: string[] = []
    consumer.assign([{ topic, partition: 0, offset: 0 }])
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      void consumer.run({
        eachMessage: ({ message }) => {
          values.push(String(message.value).trim())
          if (values.length === 4) resolve()
          return Promise.resolve()
        },
      })
    })
    await consumer.disconnect()
    await admin.fetchTopicOffsetsByTimestamp(topic, 0)
    await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
    await admin.describeCluster()
    await admin.deleteTopics({ topics: [topic] })
    return values
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()])
  }
}

it('works with just the rights that the documentation lists, and without a warning', async () => {
  lines.length = 0
  expect(await roundTrip(kafkaAs('rivulet'), 'orders')).toEqual(['0', '1', '2', '3'])
  expect(lines).toEqual([])
})

it('works for a topic that a user was granted, and refuses another one by name', async () => {
  expect(await roundTrip(kafkaAs('orders-only'), 'orders')).toEqual(['0', '1', '2', '3'])
  await expect(roundTrip(kafkaAs('orders-only'), 'payments')).rejects.toMatchObject({
    errors: [expect.objectContaining({ topic: 'payments', type: 'TOPIC_AUTHORIZATION_FAILED' })],
  })
})
