// One member of a group in a process of its own, to be killed: works/killed-member.ts starts it.
import { Kafka, logLevel } from '@rivulet/client'

const [url, namespace, groupId, topic, sessionTimeout] = process.argv.slice(2)
if (url === undefined || groupId === undefined || topic === undefined)
  throw new Error('This program is started by the benchmark')
const kafka = new Kafka({ brokers: [url], ...(namespace === undefined ? {} : { namespace }), logLevel: logLevel.ERROR })
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: Number(sessionTimeout),
  heartbeatInterval: Math.floor(Number(sessionTimeout) / 5),
})
process.once('disconnect', () => process.exit())
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => process.send?.(payload.memberAssignment[topic]?.length ?? 0))
await consumer.connect()
await consumer.subscribe({ topics: [topic] })
await consumer.run({ eachMessage: async () => {} })
