import { once } from 'node:events'
import { createInterface } from 'node:readline'

import { describe, expect, it } from '@jest/globals'
import { testRedisUrl, uniqueNamespace } from '@rivulet/testing'

import { startProgram } from '../../../spec-support/child-program.js'
import { readTopic } from '../../../spec-support/read-log.js'
import { Kafka } from '../../kafka.js'

const ROUNDS = Math.ceil(3 * Number(process.env['RIVULET_INTEGRITY_ROUNDS'] ?? 1))

/** Runs a producer in a process of its own, kills it after some acknowledgements, and gives these. */
async function runAndKill(
  url: string,
  namespace: string,
  topic: string,
  acknowledgements: number,
): Promise<number[][]> {
  const child = startProgram('endless-producer.ts', url, namespace, topic)
  const exited = once(child, 'exit')
  const acked: number[][] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const fields = line.split(' ').map(Number)
    // The last line may be cut off by the kill.
    if (fields.length === 4) acked.push(fields)
    if (acked.length === acknowledgements) child.kill('SIGKILL')
  }
  await exited
  acked.pop()
  return acked
}

describe('when the process of a producer is killed', () => {
  it('all that it had acknowledged is there once, sends are there whole or not at all, and others go on', async () => {
    const [url, namespace] = [testRedisUrl(), uniqueNamespace('killed')]
    const admin = new Kafka({ brokers: [url], namespace, logLevel: 0, connectionTimeout: 5000 }).admin()
    await admin.connect()
    for (let round = 0; round < ROUNDS; round++) {
      const topic = `records-${round}`
      await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })
      const acked = await runAndKill(url, namespace, topic, 300 * (round + 1))
      const logs = await readTopic(url, namespace, topic)
      const values = logs.flatMap((log) => log.map(({ value }) => value))
      expect(new Set(values).size).toBe(values.length)
      expect(acked.length).toBeGreaterThan(250)
      for (const [first = 0, count = 0, partition = 0, offset = 0] of acked) {
        const stored = logs[partition]?.slice(offset, offset + count).map(({ value }) => Number(value))
        expect(stored).toEqual(Array.from({ length: count }, (_, i) => first + i))
      }
      // Sends are numbered so that their sizes follow from their first values: 1, 2, 3 …
      const stored = new Set(values.map(Number))
      for (let first = 0, count = 1; first <= Math.max(...stored); first += count, count = 1 + (first % 7)) {
        const present = Array.from({ length: count }, (_, i) => stored.has(first + i))
        expect(new Set(present).size).toBe(1)
      }
    }
    await admin.disconnect()
    const producer = new Kafka({ brokers: [url], namespace, logLevel: 0, connectionTimeout: 5000 }).producer()
    await producer.connect()
    expect(await producer.send({ topic: 'records-0', messages: [{ value: 'next' }] })).toMatchObject([{ errorCode: 0 }])
    await producer.disconnect()
  })
})
