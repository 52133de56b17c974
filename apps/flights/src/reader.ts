// One member of the group, in a process of its own: hands every record to the process that started it, and commits what
// that one has been given. readers.ts is the other side.
import { on } from 'node:events'
import { Kafka, logLevel } from '@rivulet/client'
import { isTask, type ReaderMessage, type ReaderTask } from './reader-messages.js'
import { TOPIC } from './topic.js'

/** The silence after which a member counts as dead, ms: short, so that the demo is. */
const SESSION_TIMEOUT = 1500
/** Small enough that the end of a process is in the middle of something, bytes. */
const FETCH = 64 * 1024

/** Resolves when the message is on its way in the system's hands: it arrives even if this process is killed. */
function tell(message: ReaderMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined || !process.connected) reject(new Error('The demo is gone'))
    else process.send(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)))
  })
}

function taskOf({ value }: IteratorResult<unknown>): ReaderTask {
  const task: unknown = Array.isArray(value) ? value[0] : undefined
  if (isTask(task)) return task
  throw new TypeError('The first message is no task')
}

const messages = on(process, 'message')
const task = taskOf(await messages.next())
// Nobody begins before all are there: the second message says so.
const begin = messages.next()
const kafka = new Kafka({
  brokers: [task.url],
  namespace: task.namespace,
  clientId: task.name,
  logLevel: logLevel.ERROR,
})
const consumer = kafka.consumer({
  groupId: task.groupId,
  sessionTimeout: SESSION_TIMEOUT,
  heartbeatInterval: SESSION_TIMEOUT / 5,
  maxBytesPerPartition: FETCH,
})
// Whatever ends the other process ends this one.
process.once('disconnect', () => void consumer.disconnect().then(() => process.exit(0)))

consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  const partitions = payload.memberAssignment[TOPIC] ?? []
  // That the demo is gone ends this process, too.
  tell({ type: 'owns', partitions }).catch(() => undefined)
})
await consumer.connect()
await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
consumer.closed.catch((error: unknown) => tell({ type: 'failed', reason: String(error) }).catch(() => undefined))
await consumer.run({
  eachBatch: async ({ batch }) => {
    await begin
    const records = batch.messages.map(({ key, value }): [string, string] => [String(key), String(value)])
    await tell({ type: 'records', partition: batch.partition, offset: Number(batch.firstOffset()), records })
  },
})
