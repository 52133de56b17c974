import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { sendCommand, startSingle, uniqueNamespace } from '@rivulet/testing'

import { readTopic } from '../../../spec-support/read-log.js'
import { RecordLedger } from '../../../spec-support/record-ledger.js'
import { Kafka } from '../../kafka.js'
import type { LogEntry } from '../../types.js'

let server: RedisServerProcess
beforeAll(async () => {
  server = await startSingle()
})
afterAll(() => server.stop())

describe('when the server comes back without its newest records', () => {
  it('the producer goes on: nothing after the loss is lost or doubled, and the loss is logged', async () => {
    const namespace = uniqueNamespace('tail')
    const logged: LogEntry[] = []
    const kafka = new Kafka({
      brokers: [server.url],
      namespace,
      connectionTimeout: 5000,
      logCreator: () => (entry) => void logged.push(entry),
      retry: { initialRetryTime: 5, maxRetryTime: 100, retries: 1_000_000 },
    })
    const producer = kafka.producer()
    await producer.connect()
    const kept = new RecordLedger()
    for (let i = 0; i < 20; i++) await kept.send(producer, 'records', 'kept', 3)
    await sendCommand(server, 'SAVE')
    for (let i = 0; i < 20; i++) await producer.send({ topic: 'records', messages: [{ key: 'lost', value: '0' }] })
    await server.kill()
    await server.restart()
    const after = new RecordLedger()
    await Promise.all(Array.from({ length: 100 }, () => after.send(producer, 'records', 'after', 2)))
    await producer.disconnect()

    const logs = await readTopic(server.url, namespace, 'records')
    expect(kept.problems([(logs[0] ?? []).slice(0, 60)])).toEqual([])
    expect(logs[0]?.slice(60).map(({ key, value }) => `${key} ${value}`)).toEqual(
      Array.from({ length: 200 }, (_, i) => `after ${i}`),
    )
    expect(after.errors).toEqual([])
    const warnings = logged.filter(({ namespace: of, label }) => of === 'Producer' && label === 'WARN')
    expect(warnings.map(({ log }) => log)).toMatchObject([
      { topic: 'records', partition: 0, message: expect.stringMatching(/lost/) },
    ])
  })
})
