import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { recordBatch, type RecordBatchOptions, TestStorage } from '@rivulet/testing'
import type { Topic } from '../registry/topic-entry.js'
import type { Appender, AppendResult, Partition } from './types.js'

let test: TestStorage
let appender: Appender
beforeAll(async () => {
  test = await TestStorage.open()
  appender = await test.storage.openAppender()
})
afterAll(() => test.close())

function first(topic: Topic): Partition {
  const [partition] = topic.partitions
  if (partition === undefined) throw new Error(`topic ${topic.name} has no partition`)
  return partition
}

async function append(topic: Topic, options: RecordBatchOptions = {}): Promise<AppendResult> {
  const request = { partition: first(topic), config: topic.config, batch: await recordBatch(options) }
  const [result] = await appender.append([request])
  if (result === undefined) throw new Error('no result')
  return result
}

const at = (baseOffset: number, duplicate = false) => ({
  error: null,
  baseOffset,
  logStartOffset: 0,
  logAppendTime: -1,
  duplicate,
})
const refused = (type: string) => ({ error: expect.objectContaining({ type }) })

describe('append', () => {
  it('gives dense offsets from 0 on', async () => {
    const topic = await test.createTopic()
    expect(await append(topic, { records: 3 })).toEqual(at(0))
    expect(await append(topic, { records: 1 })).toEqual(at(3))
    expect(await append(topic, { records: 5 })).toEqual(at(4))
    const description = await test.storage.log.describe(first(topic))
    expect(description).toMatchObject({ logStartOffset: 0, logEndOffset: 9 })
  })

  it('appends batches of several partitions in one call, each with a result of its own', async () => {
    const one = await test.createTopic()
    const gone = await test.createTopic()
    const other = { ...first(one), partition: 7 }
    await test.storage.topics.delete(gone.name)
    const batch = await recordBatch({ records: 2 })
    const lane = appender.lane(first(one))
    const requests = [first(one), { ...other, shard: first(one).shard }].map((partition) => ({
      partition,
      config: one.config,
      batch,
    }))
    expect(requests.map(({ partition }) => appender.lane(partition))).toEqual([lane, lane])
    expect(await appender.append(requests)).toEqual([at(0), refused('UNKNOWN_TOPIC_ID')])
    expect(await append(gone)).toEqual(refused('UNKNOWN_TOPIC_ID'))
  })

  it("answers a repeated sequence with the first append's offsets, for the five latest batches", async () => {
    const topic = await test.createTopic()
    const producerId = 4711
    for (let i = 0; i < 7; i++)
      expect(await append(topic, { records: 2, producerId, sequence: i * 2 })).toEqual(at(i * 2))
    for (let i = 2; i < 7; i++) {
      expect(await append(topic, { records: 2, producerId, sequence: i * 2 })).toEqual(at(i * 2, true))
    }
    expect(await append(topic, { records: 2, producerId, sequence: 2 })).toEqual(refused('DUPLICATE_SEQUENCE_NUMBER'))
    expect(await append(topic, { records: 2, producerId, sequence: 14 })).toEqual(at(14))
  })

  it('refuses a gap in the sequence, and accepts any sequence of a producer that it does not know', async () => {
    const topic = await test.createTopic()
    expect(await append(topic, { producerId: 1, sequence: 99 })).toEqual(at(0))
    expect(await append(topic, { producerId: 1, sequence: 101 })).toEqual(refused('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    expect(await append(topic, { producerId: 1, sequence: 100 })).toEqual(at(1))
  })

  it('lets the sequence go on at 0 after 2^31 - 1', async () => {
    const topic = await test.createTopic()
    expect(await append(topic, { producerId: 1, records: 3, sequence: 2 ** 31 - 2 })).toEqual(at(0))
    expect(await append(topic, { producerId: 1, records: 3, sequence: 2 ** 31 - 2 })).toEqual(at(0, true))
    expect(await append(topic, { producerId: 1, sequence: 1 })).toEqual(at(3))
  })

  it('fences an older producer epoch, and begins a newer one at 0', async () => {
    const topic = await test.createTopic()
    expect(await append(topic, { producerId: 1, producerEpoch: 3, sequence: 0 })).toEqual(at(0))
    expect(await append(topic, { producerId: 1, producerEpoch: 2, sequence: 1 })).toEqual(
      refused('INVALID_PRODUCER_EPOCH'),
    )
    const skipped = await append(topic, { producerId: 1, producerEpoch: 4, sequence: 1 })
    expect(skipped).toEqual(refused('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    expect(await append(topic, { producerId: 1, producerEpoch: 4, sequence: 0 })).toEqual(at(1))
  })

  it('knows each of several producers that take turns', async () => {
    const topic = await test.createTopic()
    const producers = [11, 12, 13]
    let offset = 0
    for (let sequence = 0; sequence < 4; sequence++) {
      for (const producerId of producers) expect(await append(topic, { producerId, sequence })).toEqual(at(offset++))
    }
    for (const [i, producerId] of producers.entries()) {
      for (let sequence = 0; sequence < 4; sequence++) {
        expect(await append(topic, { producerId, sequence })).toEqual(at(sequence * 3 + i, true))
      }
      expect(await append(topic, { producerId, sequence: 5 })).toEqual(refused('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    }
    expect(await append(topic, { producerId: 12, producerEpoch: 1, sequence: 0 })).toEqual(at(12))
    expect(await append(topic, { producerId: 11, sequence: 4 })).toEqual(at(13))
    expect(await append(topic, { producerId: 12, producerEpoch: 0, sequence: 4 })).toEqual(
      refused('INVALID_PRODUCER_EPOCH'),
    )
    expect(await append(topic, { producerId: 12, producerEpoch: 1, sequence: 1 })).toEqual(at(14))
  })

  it('keeps no producer state for batches without a producer id', async () => {
    const topic = await test.createTopic()
    expect(await append(topic)).toEqual(at(0))
    expect(await append(topic)).toEqual(at(1))
  })

  it('refuses bytes that are no batch, and leaves nothing behind', async () => {
    const topic = await test.createTopic()
    const batch = await recordBatch({ records: 2, producerId: 9 })
    const damaged = [batch.subarray(0, 60), batch.subarray(0, batch.length - 1), Buffer.alloc(80)]
    for (const bytes of damaged) {
      const results = await appender.append([{ partition: first(topic), config: topic.config, batch: bytes }])
      expect(results).toEqual([refused('CORRUPT_MESSAGE')])
    }
    expect(await append(topic, { producerId: 9, sequence: 5 })).toEqual(at(0))
    expect((await test.storage.log.describe(first(topic))).logEndOffset).toBe(1)
  })

  it('gives the time of the append where the topic asks for it, and the same to a repeated batch', async () => {
    const topic = await test.createTopic({ 'message.timestamp.type': 'LogAppendTime' })
    const before = Date.now() - 1_000
    const result = await append(topic, { producerId: 1, timestamp: 5 })
    expect(result).toMatchObject({ error: null, baseOffset: 0 })
    if (result.error !== null) throw result.error
    expect(result.logAppendTime).toBeGreaterThan(before)
    expect(await append(topic, { producerId: 1, timestamp: 5 })).toEqual({ ...result, duplicate: true })
    const { maxTimestamp } = await test.storage.log.describe(first(topic))
    expect(maxTimestamp).toBe(result.logAppendTime)
  })

  it('rolls a segment that is full: offsets go on, and segments follow each other without a gap', async () => {
    const topic = await test.createTopic({ 'segment.bytes': '1048576', 'retention.ms': '-1' })
    const records = ['x'.repeat(400_000)]
    for (let i = 0; i < 5; i++) expect(await append(topic, { records, producerId: 3, sequence: i })).toEqual(at(i))
    const { segments, size } = await test.storage.log.describe(first(topic))
    expect(
      segments.map(({ number, baseOffset, endOffset, active }) => [number, baseOffset, endOffset, active]),
    ).toEqual([
      [0, 0, 2, false],
      [1, 2, 4, false],
      [2, 4, 5, true],
    ])
    expect(segments.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(size)
    // what was appended before the roll is still known
    expect(await append(topic, { records, producerId: 3, sequence: 1 })).toEqual(at(1, true))
  })

  it('forgets producers that have been idle for a day as others come, and no others', async () => {
    const topic = await test.createTopic()
    const key = (await keysOf(topic)).find((name) => name.endsWith(':producers'))
    if (key === undefined) throw new Error('no producers key')
    expect(await append(topic, { producerId: 1 })).toEqual(at(0))
    const idle = Buffer.alloc(34)
    idle.writeBigInt64BE(BigInt(Date.now() - 25 * 3600 * 1000), 2)
    for (let i = 0; i < 300; i++) await test.redis.hset(key, `idle-${i}`, idle)
    for (let i = 0; i < 200; i++) expect(await append(topic, { producerId: 100 + i })).toEqual(at(1 + i))
    // the placeholder, the one that was there, the ones that came but the latest, and hardly any idle one
    expect(await test.redis.hlen(key)).toBeGreaterThanOrEqual(201)
    expect(await test.redis.hlen(key)).toBeLessThan(250)
    expect(await append(topic, { producerId: 1 })).toEqual(at(0, true))
    expect(await append(topic, { producerId: 100 })).toEqual(at(1, true))
  })

  it('finds the active segment that another appender has opened', async () => {
    const topic = await test.createTopic()
    expect(await append(topic)).toEqual(at(0))
    expect(await test.storage.log.roll(first(topic), 0)).toBe(1)
    expect(await append(topic)).toEqual(at(1))
    expect((await test.storage.log.describe(first(topic))).segments).toHaveLength(2)
  })

  it('refuses a partition that a newer release has written, naming it', async () => {
    const topic = await test.createTopic()
    const [key] = (await keysOf(topic)).filter((name) => name.endsWith(':state'))
    if (key === undefined) throw new Error('no state key')
    await test.redis.setrange(key, 0, String.fromCharCode(2))
    const result = await append(topic)
    expect(result).toEqual(refused('UNSUPPORTED_VERSION'))
    expect(result.error).toBeInstanceOf(KafkaError)
    expect(result.error?.message).toContain(topic.name)
  })
})

describe('the memory ceiling', () => {
  const record = ['x'.repeat(300_000)]

  it('refuses appends above it with a retriable error that names it, and goes on when there is room', async () => {
    const small = await TestStorage.open()
    try {
      await small.storage.alterNamespaceConfigs({ 'max.bytes': '1000000' })
      const topic = await small.createTopic()
      const partition = first(topic)
      const own = await small.storage.openAppender()
      const batch = await recordBatch({ records: record })
      const send = async () => (await own.append([{ partition, config: topic.config, batch }]))[0]
      for (let i = 0; i < 3; i++) expect(await send()).toEqual(at(i))
      const full = await send()
      expect(full).toEqual({ error: expect.objectContaining({ type: 'NAMESPACE_FULL', retriable: true }) })
      expect(full?.error?.message).toContain('max.bytes')
      await small.storage.log.deleteRecords(partition, 2)
      expect(await send()).toEqual({ ...at(3), logStartOffset: 2 })
    } finally {
      await small.close()
    }
  })

  it('drops the oldest records of topics that allow it, and of no other', async () => {
    const small = await TestStorage.open()
    try {
      await small.storage.alterNamespaceConfigs({ 'max.bytes': '2000000' })
      const kept = await small.createTopic()
      const droppable = await small.createTopic({ 'memory.policy': 'delete-oldest', 'segment.bytes': '1048576' })
      const own = await small.storage.openAppender()
      const batch = await recordBatch({ records: record })
      const send = async (topic: Topic) =>
        (await own.append([{ partition: first(topic), config: topic.config, batch }]))[0]
      expect(await send(kept)).toEqual(at(0))
      for (let i = 0; i < 12; i++) expect(await send(droppable)).toMatchObject({ error: null, baseOffset: i })
      const [keptLog, droppableLog] = await small.storage.log.describeAll([first(kept), first(droppable)])
      expect(keptLog).toMatchObject({ logStartOffset: 0, logEndOffset: 1 })
      expect(droppableLog).toMatchObject({ logEndOffset: 12 })
      if (keptLog instanceof KafkaError || droppableLog instanceof KafkaError) throw new Error('no description')
      if (keptLog === undefined || droppableLog === undefined) throw new Error('no description')
      expect(droppableLog.logStartOffset).toBeGreaterThan(0)
      expect(keptLog.size + droppableLog.size).toBeLessThanOrEqual(2_000_000)
    } finally {
      await small.close()
    }
  })
})

async function keysOf(topic: Topic): Promise<string[]> {
  const nodes = 'nodes' in test.redis ? test.redis.nodes('master') : [test.redis]
  const keys = await Promise.all(nodes.map((node) => node.keys(`${test.storage.namespace}:{*}:t:${topic.name}:*`)))
  return keys.flat()
}
