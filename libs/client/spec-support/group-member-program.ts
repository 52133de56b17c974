// A member of a group in a process of its own. Writes what it does to standard output, a line of JSON each.
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka } from '../src/index.js'
import { onStoredCommit } from './group-ledger.js'
import type { MemberEvent } from './member-process.js'

const [url = '', namespace = '', groupId = '', topic = '', sessionTimeout = ''] = process.argv.slice(2)

function tell(event: MemberEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

onStoredCommit((commit) => tell({ kind: 'committed', commit }))
const consumer = new Kafka({ brokers: [url], namespace, logLevel: 0, connectionTimeout: 5000 }).consumer({
  groupId,
  sessionTimeout: Number(sessionTimeout),
  heartbeatInterval: Number(sessionTimeout) / 5,
  onPartitionsAssigned: (given) => {
    for (const { topic: name, partitions } of given)
      for (const partition of partitions) tell({ kind: 'given', topic: name, partition })
  },
})
await consumer.subscribe({ topic, fromBeginning: true })
let handled = 0
await consumer.run({
  partitionsConsumedConcurrently: 3,
  eachMessage: async ({ topic: name, partition, message }) => {
    const made = String(message.value).split(' ')[0] ?? ''
    const record = { topic: name, partition, offset: Number(message.offset), made }
    tell({ kind: 'begun', record })
    // Some take long: so it is killed or frozen in the midst of them.
    if (handled++ % 5 === 0) await sleep(handled % 20)
    tell({ kind: 'done', record })
  },
})
tell({ kind: 'joined' })
