import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { CompressionType } from '@rivulet/protocol'
import { recordBatch, type RecordBatchOptions, TestStorage } from '@rivulet/testing'
import type { Topic } from '../registry/topic-entry.js'
import type { Appender, Partition } from './types.js'

let test: TestStorage
let appender: Appender
beforeAll(async () => {
  test = await TestStorage.open()
  appender = await test.storage.openAppender()
})
afterAll(() => test.close())

const SMALL_SEGMENTS = { 'retention.ms': '-1', 'segment.bytes': '1048576' }
const LARGE = ['x'.repeat(400_000)]

function first(topic: Topic): Partition {
  const [partition] = topic.partitions
  if (partition === undefined) throw new Error(`topic ${topic.name} has no partition`)
  return partition
}

async function append(topic: Topic, options: RecordBatchOptions): Promise<void> {
  const request = { partition: first(topic), config: topic.config, batch: await recordBatch(options) }
  const [result] = await appender.append([request])
  if (result === undefined || result.error !== null) throw result?.error ?? new Error('no result')
}

async function held(): Promise<number> {
  const nodes = 'nodes' in test.redis ? test.redis.nodes('master') : [test.redis]
  let bytes = 0
  for (const node of nodes) {
    for (const key of await node.keys(`${test.storage.namespace}:{*}:shard`)) {
      const [granted, left] = await test.redis.hmget(key, 'granted', 'left')
      bytes += Number(granted ?? 0) - Number(left ?? 0)
    }
  }
  return bytes
}

describe('deleteRecords', () => {
  it('moves the log start, drops whole segments, and gives their bytes back', async () => {
    const before = await held()
    const topic = await test.createTopic(SMALL_SEGMENTS)
    for (let i = 0; i < 7; i++) await append(topic, { records: LARGE })
    expect(await test.storage.log.deleteRecords(first(topic), 4)).toBe(4)
    const description = await test.storage.log.describe(first(topic))
    expect(description.segments.map(({ number }) => number)).toEqual([2, 3])
    expect(description).toMatchObject({ logStartOffset: 4, logEndOffset: 7 })
    expect(description.segments.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(description.size)
    expect((await held()) - before).toBe(description.size)
  })

  it('trims within a segment, sealed or active', async () => {
    const topic = await test.createTopic(SMALL_SEGMENTS)
    for (let i = 0; i < 4; i++) await append(topic, { records: LARGE })
    const { size } = await test.storage.log.describe(first(topic))
    expect(await test.storage.log.deleteRecords(first(topic), 1)).toBe(1)
    expect((await test.storage.log.describe(first(topic))).size).toBe((size / 4) * 3)
    expect(await test.storage.log.deleteRecords(first(topic), 3)).toBe(3)
    const description = await test.storage.log.describe(first(topic))
    expect(description).toMatchObject({ size: size / 4, segments: [{ number: 1, baseOffset: 2, bytes: size / 4 }] })
  })

  it('keeps a batch of which a record is left', async () => {
    const topic = await test.createTopic()
    await append(topic, { records: 10, timestamp: Date.now() })
    const { size } = await test.storage.log.describe(first(topic))
    expect(await test.storage.log.deleteRecords(first(topic), 9)).toBe(9)
    expect(await test.storage.log.describe(first(topic))).toMatchObject({ logStartOffset: 9, size })
    expect(await test.storage.log.deleteRecords(first(topic), 10)).toBe(10)
    expect(await test.storage.log.describe(first(topic))).toMatchObject({ logStartOffset: 10, size: 0 })
  })

  it('deletes everything for -1, and the log goes on where it was', async () => {
    const topic = await test.createTopic(SMALL_SEGMENTS)
    for (let i = 0; i < 5; i++) await append(topic, { records: LARGE })
    expect(await test.storage.log.deleteRecords(first(topic), -1)).toBe(5)
    expect(await test.storage.log.describe(first(topic))).toMatchObject({ logStartOffset: 5, logEndOffset: 5, size: 0 })
    await append(topic, { records: 2 })
    expect(await test.storage.log.describe(first(topic))).toMatchObject({ logStartOffset: 5, logEndOffset: 7 })
  })

  it('never moves the log start back, and refuses an offset past the end', async () => {
    const topic = await test.createTopic()
    await append(topic, { records: 10, timestamp: Date.now() })
    expect(await test.storage.log.deleteRecords(first(topic), 6)).toBe(6)
    expect(await test.storage.log.deleteRecords(first(topic), 3)).toBe(6)
    const refused = { type: 'OFFSET_OUT_OF_RANGE' }
    await expect(test.storage.log.deleteRecords(first(topic), 11)).rejects.toMatchObject(refused)
  })

  it('trims thousands of small batches', async () => {
    const topic = await test.createTopic({ 'retention.ms': '-1' })
    for (let i = 0; i < 3_000; i++) await append(topic, { records: 1 })
    expect(await test.storage.log.deleteRecords(first(topic), 2_999)).toBe(2_999)
    const { size } = await test.storage.log.describe(first(topic))
    expect(size).toBe((await recordBatch()).length)
  })
})

describe('applyRetention', () => {
  it('drops what is older than retention.ms, the active segment included', async () => {
    const topic = await test.createTopic({ ...SMALL_SEGMENTS, 'retention.ms': '1000' })
    const now = Date.now()
    await append(topic, { records: 5, timestamp: now - 500 })
    await test.storage.log.applyRetention(first(topic), topic.config, now)
    expect(await test.storage.log.describe(first(topic))).toMatchObject({ logStartOffset: 0, logEndOffset: 5 })
    await test.storage.log.applyRetention(first(topic), topic.config, now + 501)
    expect(await test.storage.log.describe(first(topic))).toMatchObject({ logStartOffset: 5, logEndOffset: 5, size: 0 })
  })

  it("goes by the server's clock: a client whose own is fast deletes nothing", async () => {
    const topic = await test.createTopic({ ...SMALL_SEGMENTS, 'retention.ms': '60000' })
    await append(topic, { records: 5, timestamp: Date.now() })
    const aDayOn = Date.now() + 86_400_000
    const clock = jest.spyOn(Date, 'now').mockReturnValue(aDayOn)
    try {
      await test.storage.log.applyRetention(first(topic), topic.config)
    } finally {
      clock.mockRestore()
    }
    expect(await test.storage.log.describe(first(topic))).toMatchObject({ logStartOffset: 0, logEndOffset: 5 })
  })

  it('keeps retention.bytes', async () => {
    const topic = await test.createTopic({ ...SMALL_SEGMENTS, 'retention.bytes': '1000000' })
    for (let i = 0; i < 9; i++) await append(topic, { records: LARGE })
    await test.storage.log.applyRetention(first(topic), topic.config)
    const { size, logStartOffset } = await test.storage.log.describe(first(topic))
    expect(logStartOffset).toBe(6)
    expect(size).toBeGreaterThanOrEqual(1_000_000)
  })
})

describe('offsetForTimestamp', () => {
  it('finds the earliest record at or after a timestamp, whatever the order of timestamps', async () => {
    const topic = await test.createTopic(SMALL_SEGMENTS)
    // offset → timestamp, over several segments and batches, going back now and then
    const timestamps = [100, 200, 150, 300, 300, 250, 50, 400, 500, 450, 460, 900, 700, 800]
    for (let i = 0; i < timestamps.length; i += 2) {
      const records = [`${i}${'x'.repeat(i % 4 === 0 ? 10 : 900_000)}`, `${i + 1}`]
      await append(topic, { records, timestamp: timestamps.slice(i, i + 2) })
    }
    const { segments } = await test.storage.log.describe(first(topic))
    expect(segments.length).toBeGreaterThan(2)
    for (let timestamp = 0; timestamp <= 950; timestamp += 25) {
      const offset = timestamps.findIndex((of) => of >= timestamp)
      const expected = offset < 0 ? null : { offset, timestamp: timestamps[offset] }
      expect([timestamp, await test.storage.log.offsetForTimestamp(first(topic), timestamp)]).toEqual([
        timestamp,
        expected,
      ])
    }
  })

  it('leaves out what is below the log start', async () => {
    const topic = await test.createTopic({ 'retention.ms': '-1' })
    await append(topic, { records: 4, timestamp: [10, 20, 30, 40] })
    await test.storage.log.deleteRecords(first(topic), 2)
    expect(await test.storage.log.offsetForTimestamp(first(topic), 0)).toEqual({ offset: 2, timestamp: 30 })
  })

  it('finds a record behind deleted ones with later timestamps, in the same segment', async () => {
    const topic = await test.createTopic({ 'retention.ms': '-1' })
    await append(topic, { records: 2, timestamp: [9000, 10] })
    for (let i = 0; i < 40; i++) await append(topic, { timestamp: 20 })
    await append(topic, { records: 3, timestamp: [30, 500, 400] })
    await append(topic, { timestamp: 600 })
    for (const start of [1, 2, 5]) {
      await test.storage.log.deleteRecords(first(topic), start)
      const find = (timestamp: number) => test.storage.log.offsetForTimestamp(first(topic), timestamp)
      expect([start, await find(400)]).toEqual([start, { offset: 43, timestamp: 500 }])
      expect([start, await find(501)]).toEqual([start, { offset: 45, timestamp: 600 }])
      expect([start, await find(601)]).toEqual([start, null])
    }
  })

  it('looks into compressed batches', async () => {
    const topic = await test.createTopic({ 'retention.ms': '-1' })
    await append(topic, { records: 3, timestamp: [10, 20, 30], compression: CompressionType.Gzip })
    expect(await test.storage.log.offsetForTimestamp(first(topic), 15)).toEqual({ offset: 1, timestamp: 20 })
  })

  it('goes by the time of the append where the topic asks for it', async () => {
    const topic = await test.createTopic({ 'message.timestamp.type': 'LogAppendTime' })
    const before = Date.now() - 60_000
    await append(topic, { records: 3, timestamp: 10 })
    const found = await test.storage.log.offsetForTimestamp(first(topic), before)
    expect(found?.offset).toBe(0)
    expect(found?.timestamp).toBeGreaterThan(before)
    expect(await test.storage.log.offsetForTimestamp(first(topic), Date.now() + 60_000)).toBeNull()
  })

  it('finds nothing in an empty log', async () => {
    expect(await test.storage.log.offsetForTimestamp(first(await test.createTopic()), 0)).toBeNull()
  })
})

describe('a deleted topic', () => {
  it('leaves no key and no byte behind', async () => {
    const before = await held()
    const topic = await test.createTopic(SMALL_SEGMENTS, 3)
    for (let i = 0; i < 5; i++) await append(topic, { records: LARGE })
    for (let i = 0; i < 3; i++) await append(topic, { records: 1 })
    await test.storage.topics.delete(topic.name)
    const nodes = 'nodes' in test.redis ? test.redis.nodes('master') : [test.redis]
    const keys = await Promise.all(nodes.map((node) => node.keys(`${test.storage.namespace}:*${topic.name}*`)))
    expect(keys.flat()).toEqual([])
    expect(await held()).toBe(before)
    await expect(test.storage.log.describe(first(topic))).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_ID' })
  })

  it('may have had more segments than Lua hands over at a time', async () => {
    const topic = await test.createTopic({ 'retention.ms': '-1' })
    const tags = await test.redis.hget(`${test.storage.namespace}:{meta}:cluster`, 'shards')
    const tag = tags?.split(' ')[first(topic).shard]
    // The number of the active segment, as if it had been rolled so often
    const number = Buffer.alloc(8)
    number.writeBigInt64BE(8_100n)
    await test.redis.setrange(`${test.storage.namespace}:{${tag}}:t:${topic.name}:${topic.id}:0:state`, 48, number)
    await test.storage.topics.delete(topic.name)
    await expect(test.storage.log.describe(first(topic))).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_ID' })
  })
})
