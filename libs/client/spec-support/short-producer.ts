/**
 * A process that sends a few records, disconnects, and has nothing more to do: node … short-producer.ts <url> <namespace>.
 * It writes how long disconnecting took, in ms.
 */
import { Kafka } from '../src/kafka.js'

const [url = '', namespace = ''] = process.argv.slice(2)
const producer = new Kafka({ brokers: [url], namespace, logLevel: 0, connectionTimeout: 5000 }).producer({
  lingerMs: 50,
})
await producer.connect()
await producer.send({ topic: 'records', messages: [{ value: 'stored' }] })
const lingering = producer.send({ topic: 'records', messages: [{ value: 'lingers' }] })
const begun = performance.now()
await producer.disconnect()
process.stdout.write(`${performance.now() - begun}\n`)
await lingering
