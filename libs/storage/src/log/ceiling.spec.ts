import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { recordBatch, TestStorage } from '@rivulet/testing'
import type { Appender, AppendResult, Partition } from './types.js'
import type { Topic } from '../registry/topic-entry.js'

const CEILING = 1_200_000
const SHARDS = 12

let test: TestStorage
let appender: Appender
beforeAll(async () => {
  test = await TestStorage.open({ shards: SHARDS })
  await test.storage.alterNamespaceConfigs({ 'max.bytes': String(CEILING) })
  appender = await test.storage.openAppender()
})
afterAll(() => test.close())

async function append(topic: Topic, partition: Partition, bytes: number): Promise<AppendResult | undefined> {
  const batch = await recordBatch({ records: ['x'.repeat(bytes)] })
  const [result] = await appender.append([{ partition, config: topic.config, batch }])
  return result
}

/** Appends until there is no room. */
async function fill(topic: Topic, partition: Partition, bytes: number): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    const result = await append(topic, partition, bytes)
    if (result?.error === null) continue
    expect(result?.error).toMatchObject({ type: 'NAMESPACE_FULL', retriable: true })
    return
  }
  throw new Error('the namespace is never full')
}

async function held(topic: Topic): Promise<number> {
  const descriptions = await test.storage.log.describeAll(topic.partitions)
  return descriptions.reduce((sum, description) => sum + ('size' in description ? description.size : 0), 0)
}

describe('room that shards were granted and have not used', () => {
  it('counts: no order of filling them exceeds the ceiling', async () => {
    const topic = await test.createTopic({ 'retention.ms': '-1' }, SHARDS)
    for (const partition of topic.partitions) expect(await append(topic, partition, 100)).toMatchObject({ error: null })
    for (const partition of topic.partitions) await fill(topic, partition, 10_000)
    expect(await held(topic)).toBeLessThanOrEqual(CEILING)
    await test.storage.topics.delete(topic.name)
  })

  it('is withdrawn when another shard needs it: one alone can fill the namespace', async () => {
    const topic = await test.createTopic({ 'retention.ms': '-1' }, SHARDS)
    for (const partition of topic.partitions) expect(await append(topic, partition, 100)).toMatchObject({ error: null })
    const [partition] = topic.partitions
    if (partition === undefined) throw new Error('no partition')
    await fill(topic, partition, 10_000)
    expect(await held(topic)).toBeGreaterThan(CEILING - 11_000)
    await test.storage.topics.delete(topic.name)
  })

  it('holds under appenders that ask for room at the same time', async () => {
    const topic = await test.createTopic({ 'retention.ms': '-1' }, SHARDS)
    const other = await test.storage.openAppender()
    const batch = await recordBatch({ records: ['x'.repeat(5_000)] })
    await Promise.all(
      topic.partitions.map(async (partition, i) => {
        const own = i % 2 === 0 ? appender : other
        for (let full = 0; full < 3;) {
          const [result] = await own.append([{ partition, config: topic.config, batch }])
          if (result?.error !== null) full++
        }
      }),
    )
    expect(await held(topic)).toBeLessThanOrEqual(CEILING)
    expect(await held(topic)).toBeGreaterThan(CEILING - 12 * 6_000)
    await test.storage.topics.delete(topic.name)
  })
})
