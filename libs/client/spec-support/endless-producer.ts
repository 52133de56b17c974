/**
 * A process that sends records until it is killed: node … endless-producer.ts <url> <namespace> <topic>. It writes a line
 * `<first value> <count> <partition> <base offset>` for each send that was acknowledged.
 */
import { Kafka } from '../src/kafka.js'

const [url = '', namespace = '', topic = ''] = process.argv.slice(2)
const producer = new Kafka({ brokers: [url], namespace, logLevel: 0, connectionTimeout: 5000 }).producer()
await producer.connect()

let next = 0
async function sendOn(key: string): Promise<never> {
  for (;;) {
    const count = 1 + (next % 7)
    const first = next
    next += count
    const messages = Array.from({ length: count }, (_, i) => ({ key, value: String(first + i) }))
    const [metadata] = await producer.send({ topic, messages })
    process.stdout.write(`${first} ${count} ${metadata?.partition} ${metadata?.baseOffset}\n`)
  }
}
await Promise.all(Array.from({ length: 30 }, (_, i) => sendOn(`key-${i}`)))
