import { expect, it } from '@jest/globals'
import { startCluster, uniqueNamespace } from '@rivulet/testing'
import { Kafka } from '../kafka.js'
it('x', async () => {
  const cluster = await startCluster()
  try {
    const kafka = new Kafka({ brokers: [...cluster.urls], namespace: uniqueNamespace('c'), connectionTimeout: 5000, logLevel: 2 })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 't', numPartitions: 24 }] })
    const producer = kafka.producer()
    await producer.connect()
    const brokers = new Set<string>()
    producer.on('producer.network.request', ({ payload }) => void brokers.add(payload.broker))
    const results = await Promise.all(Array.from({ length: 500 }, () => producer.send({ topic: 't', messages: Array.from({ length: 30 }, (_, i) => ({ value: `${i}` })) })))
    process.stderr.write(`${results.flat().length} ${[...brokers].join()}\n`)
    const offsets = await admin.fetchTopicOffsets('t')
    expect(offsets.reduce((sum, { high }) => sum + Number(high), 0)).toBe(15_000)
    await producer.disconnect(); await admin.disconnect()
  } finally { await cluster.stop() }
})
