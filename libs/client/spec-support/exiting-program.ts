/**
 * A process that must end by itself once it has disconnected: node … exiting-program.ts <url> <scenario>. It writes
 * 'ready', waits for a line, disconnects, and writes how long that took, in ms.
 */
import { Kafka } from '../src/kafka.js'

const [url = '', scenario = ''] = process.argv.slice(2)
// Long timeouts: nothing may end by them.
const kafka = new Kafka({ brokers: [url], namespace: 'exit', logLevel: 0, connectionTimeout: 20_000 })
const producer = kafka.producer(scenario === 'linger' ? { lingerMs: 30_000 } : {})
const consumer = kafka.consumer({ autoOffsetReset: 'earliest' })
const admin = kafka.admin()

const ignore = (): undefined => undefined

async function proceed(): Promise<void> {
  process.stdout.write('ready\n')
  await new Promise<void>((resolve) => process.stdin.once('data', () => resolve()))
  process.stdin.destroy()
}

async function begin(): Promise<void> {
  await Promise.all([producer.connect(), consumer.connect(), admin.connect()])
  // Not by the producer, which may linger.
  const other = kafka.producer()
  await other.connect()
  await other.send({ topic: 'topic', messages: [{ value: 'x' }] })
  await other.disconnect()
  consumer.assign([{ topic: 'topic', partition: 0 }])
  await new Promise<void>((resolve) => {
    const eachMessage = async (): Promise<void> => {
      resolve()
      if (scenario === 'stuck') await new Promise(ignore)
      if (scenario === 'throwing') throw new Error('always')
    }
    void consumer.run({ eachMessage })
  })
  if (scenario === 'paused') consumer.pause([{ topic: 'topic' }])
}

if (scenario === 'connecting') {
  for (const client of [producer, consumer, admin]) client.connect().catch(ignore)
} else {
  await begin()
}
await proceed()
if (scenario === 'pending' || scenario === 'linger') {
  for (let i = 0; i < 50; i++) {
    producer.send({ topic: 'topic', messages: [{ value: 'x' }] }).catch(ignore)
    producer.send({ topic: `topic-${i}`, messages: [{ value: 'x' }] }).catch(ignore)
    admin.listTopics().catch(ignore)
  }
}
const begun = performance.now()
await Promise.all([producer.disconnect(), consumer.disconnect(), admin.disconnect()])
process.stdout.write(`${performance.now() - begun}\n`)
