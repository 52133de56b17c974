import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { recordBatch, startReplicated, TestStorage } from '@rivulet/testing'
import type { Topic } from '../registry/topic-entry.js'
import { Storage } from '../storage.js'
import type { Appender, FetchRequest, FetchResult, LogReader, Partition, SeenEpoch } from './types.js'

let test: TestStorage
let appender: Appender
let reader: LogReader
beforeAll(async () => {
  test = await TestStorage.open()
  appender = await test.storage.openAppender()
  reader = await test.storage.openReader()
})
afterAll(() => test.close())

const KEEP = { 'retention.ms': '-1' }
const MEBIBYTE = 1024 * 1024

function first(topic: Topic): Partition {
  const [partition] = topic.partitions
  if (partition === undefined) throw new Error(`topic ${topic.name} has no partition`)
  return partition
}

async function fill(topic: Topic, batches: number, records: number | string[] = 10, into = appender): Promise<void> {
  for (let i = 0; i < batches; i++) {
    const batch = await recordBatch({ records })
    const [result] = await into.append([{ partition: first(topic), config: topic.config, batch }])
    if (result === undefined || result.error !== null) throw result?.error ?? new Error('no result')
  }
}

const request = (topic: Topic, offset: number, segment: number | null = null, maxBytes = MEBIBYTE): FetchRequest => ({
  partition: first(topic),
  offset,
  maxBytes,
  segment,
})

async function fetch(...args: Parameters<typeof request>): Promise<FetchResult> {
  const [result] = await reader.fetch([request(...args)], args[3] ?? MEBIBYTE)
  if (result === undefined) throw new Error('no result')
  return result
}

const offsets = ({ batches }: FetchResult) => batches.map(({ baseOffset, endOffset }) => [baseOffset, endOffset])

describe('fetch', () => {
  it('gives the batches from the one on that holds the offset', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 4)
    const result = await fetch(topic, 15)
    expect(result).toMatchObject({ error: null, logStartOffset: 0, logEndOffset: 40, segment: 0, more: false })
    expect(offsets(result)).toEqual([
      [10, 20],
      [20, 30],
      [30, 40],
    ])
    expect(result.batches[0]?.leaderEpoch).toEqual({ number: 0, replicationId: expect.stringMatching(/^[0-9a-f]{8}$/) })
    expect(result.batches[0]?.bytes).toEqual(await recordBatch({ records: 10 }))
  })

  it('gives nothing at the end of the log, and of an empty log', async () => {
    const topic = await test.createTopic(KEEP)
    expect(await fetch(topic, 0)).toMatchObject({ error: null, batches: [], logEndOffset: 0, more: false })
    await fill(topic, 1)
    expect(await fetch(topic, 10)).toMatchObject({ error: null, batches: [], logEndOffset: 10, more: false })
  })

  it('stops within a batch of the bytes asked for, and always gives the first batch', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 20, ['x'.repeat(10_000)])
    const one = await fetch(topic, 0, 0, 1)
    expect(offsets(one)).toEqual([[0, 1]])
    expect(one.more).toBe(true)
    const some = await fetch(topic, 0, 0, 35_000)
    expect(offsets(some)).toHaveLength(4)
    expect(some.more).toBe(true)
  })

  it('keeps to the bound also where small batches are followed by large ones', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 200, 1)
    await fill(topic, 20, ['x'.repeat(500_000)])
    const seen: number[] = []
    let [offset, segment] = [0, 0]
    while (offset < 220) {
      const result = await fetch(topic, offset, segment, 100_000)
      const bytes = result.batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
      expect(bytes).toBeLessThanOrEqual(100_000 + 500_100)
      for (const batch of result.batches) seen.push(batch.baseOffset)
      offset = result.batches.at(-1)?.endOffset ?? 220
      segment = result.segment ?? 0
    }
    expect(seen).toEqual(Array.from({ length: 220 }, (_, i) => i))
  })

  it('divides the bytes in all among the partitions of a call', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 10, ['x'.repeat(10_000)])
    const results = await reader.fetch([request(topic, 0, 0), request(topic, 0, 0), request(topic, 0, 0)], 45_000)
    expect(results.map(({ batches }) => batches.length)).toEqual([5, 0, 0])
    expect(results.map(({ more }) => more)).toEqual([true, true, true])
  })

  it('goes from segment to segment without missing or repeating an offset', async () => {
    const topic = await test.createTopic({ ...KEEP, 'segment.bytes': '1048576' })
    await fill(topic, 9, ['a', 'x'.repeat(400_000), 'b'])
    const bases: number[] = []
    let [offset, segment]: [number, number | null] = [4, null]
    for (;;) {
      const result = await fetch(topic, offset, segment)
      for (const batch of result.batches) bases.push(batch.baseOffset)
      offset = result.batches.at(-1)?.endOffset ?? offset
      segment = result.segment
      if (!result.more) break
    }
    expect(bases).toEqual([3, 6, 9, 12, 15, 18, 21, 24])
    expect(segment).toBe(4)
  })

  it('finds its way when the segment that it was reading is gone', async () => {
    const topic = await test.createTopic({ ...KEEP, 'segment.bytes': '1048576' })
    await fill(topic, 6, ['x'.repeat(400_000)])
    expect(await test.storage.log.deleteRecords(first(topic), 4)).toBe(4)
    expect(await fetch(topic, 4, 0)).toMatchObject({ error: null, batches: [], segment: null, more: true })
    expect(offsets(await fetch(topic, 4))).toEqual([
      [4, 5],
      [5, 6],
    ])
  })

  it('finds its way when the segment named is a later one than the offset is in', async () => {
    // As after a failover that lost a roll: the segment of that number begins further on now.
    const topic = await test.createTopic(KEEP)
    for (const segment of [0, 1, 2]) {
      await fill(topic, 2)
      if (segment < 2) await test.storage.log.roll(first(topic), segment)
    }
    for (const named of [1, 2]) {
      const lost = await fetch(topic, 5, named)
      expect(lost).toMatchObject({ error: null, batches: [], segment: null, more: true })
      expect(offsets(await fetch(topic, 5, lost.segment))).toEqual([
        [0, 10],
        [10, 20],
      ])
    }
    await test.storage.log.roll(first(topic), 2)
    expect(await fetch(topic, 5, 3)).toMatchObject({ error: null, batches: [], segment: null, more: true })
    expect(await fetch(topic, 60, 3)).toMatchObject({ error: null, batches: [], segment: 3, more: false })
  })

  it('answers OFFSET_OUT_OF_RANGE below the log start and past the log end', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 3)
    await test.storage.log.deleteRecords(first(topic), 10)
    const error = expect.objectContaining({ type: 'OFFSET_OUT_OF_RANGE' })
    for (const segment of [null, 0]) {
      expect(await fetch(topic, 5, segment)).toMatchObject({ error, logStartOffset: 10, logEndOffset: 30, batches: [] })
      expect(await fetch(topic, 31, segment)).toMatchObject({
        error,
        logStartOffset: 10,
        logEndOffset: 30,
        batches: [],
      })
    }
  })

  it('answers UNKNOWN_TOPIC_ID for a deleted topic, and serves its neighbours', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 1)
    const gone = { ...first(topic), partition: 5 }
    const results = await reader.fetch([{ ...request(topic, 0, 0), partition: gone }, request(topic, 0, 0)], MEBIBYTE)
    expect(results[0]).toMatchObject({ error: expect.objectContaining({ type: 'UNKNOWN_TOPIC_ID' }), batches: [] })
    expect(results[1]).toMatchObject({ error: null, logEndOffset: 10 })
  })

  it('stops at an entry that only a newer release can read', async () => {
    const topic = await test.createTopic(KEEP)
    const partition = first(topic)
    const key = `${test.storage.namespace}:{${await tagOf(partition)}}:t:${topic.name}:${topic.id}:0:log:0`
    await test.redis.xadd(key, '0-1', 'b', await recordBatch(), 'e', '\0\0\0\0aaaaaaaa', 'Z', 'new')
    await expect(fetch(topic, 0, 0)).rejects.toMatchObject({ type: 'UNSUPPORTED_VERSION' })
    const [waited] = await reader.wait([request(topic, 0, 0)], 1_000)
    expect(waited).toMatchObject({ error: expect.objectContaining({ type: 'UNSUPPORTED_VERSION' }), batches: [] })
  })
})

describe('wait', () => {
  it('comes back with what is there already, and tells whether there may be more', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 3)
    const batch = (baseOffset: number) => ({ baseOffset, endOffset: baseOffset + 10 })
    const [several] = await reader.wait([request(topic, 5)], 5_000)
    expect(several).toMatchObject({ error: null, batches: [batch(0), batch(10)], segment: 0, more: true })
    const [last] = await reader.wait([request(topic, 25)], 5_000)
    expect(last).toMatchObject({ error: null, batches: [batch(20)], segment: 0, more: false })
  })

  it('comes back when a batch is appended', async () => {
    const topic = await test.createTopic(KEEP)
    const waiting = reader.wait([request(topic, 0)], 10_000)
    await fill(topic, 1)
    expect(await waiting).toMatchObject([{ batches: [{ baseOffset: 0, endOffset: 10 }], more: false }])
  })

  it('follows a rolled segment', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 1)
    const waiting = reader.wait([request(topic, 10)], 10_000)
    await test.storage.log.roll(first(topic), 0)
    expect(await waiting).toMatchObject([{ batches: [], segment: 1, more: true }])
  })

  it('answers nothing after its time', async () => {
    const topic = await test.createTopic(KEEP)
    const begun = performance.now()
    expect(await reader.wait([request(topic, 0)], 50)).toEqual([])
    expect(performance.now() - begun).toBeGreaterThan(40)
  })

  it('ends early when it is interrupted, however early the interruption comes', async () => {
    const topic = await test.createTopic(KEEP)
    const lane = reader.lane(first(topic))
    for (const steps of [0, 1, 2, 5, 20]) {
      const begun = performance.now()
      const waiting = reader.wait([request(topic, 0)], 10_000)
      for (let i = 0; i < steps; i++) await new Promise((resolve) => setImmediate(resolve))
      reader.interrupt(lane)
      expect(await waiting).toEqual([])
      expect(performance.now() - begun).toBeLessThan(5_000)
    }
  })

  it('is not ended by the interruption of the one before it', async () => {
    const topic = await test.createTopic(KEEP)
    const lane = reader.lane(first(topic))
    // Segments are named, so that a wait follows the one before it without asking for anything in between.
    const wait = (ms: number) => reader.wait([request(topic, 0, 0)], ms)
    for (let round = 0; round < 5; round++) {
      const interrupted = wait(10_000)
      for (let i = 0; i < round; i++) await new Promise((resolve) => setImmediate(resolve))
      reader.interrupt(lane)
      await interrupted
      // The repeated request to end the first one may just overtake the second, not those after it.
      await wait(30)
      for (let next = 0; next < 2; next++) {
        const begun = performance.now()
        await wait(30)
        expect(performance.now() - begun).toBeGreaterThan(20)
      }
    }
  })

  it('tells at once that a position is out of range', async () => {
    const topic = await test.createTopic(KEEP)
    const error = expect.objectContaining({ type: 'OFFSET_OUT_OF_RANGE' })
    expect(await reader.wait([request(topic, 3)], 10_000)).toMatchObject([
      { error, logStartOffset: 0, logEndOffset: 0 },
    ])
  })
})

describe('validate', () => {
  it('leaves a position in doubt where the server asked does not know the epoch of what was read there', async () => {
    const topic = await test.createTopic(KEEP)
    await fill(topic, 2)
    const [batch] = (await fetch(topic, 0)).batches
    if (batch === undefined) throw new Error('nothing was read')
    const seen = [{ ...batch.leaderEpoch, startOffset: 0 }]
    expect(await reader.validate(first(topic), 20, seen, batch.leaderEpoch)).toEqual({
      kind: 'valid',
      end: { offset: 20, segment: 0 },
    })
    const next = { number: 1, replicationId: 'ffffffff' }
    await expect(reader.validate(first(topic), 20, seen, next)).rejects.toMatchObject({
      type: 'UNKNOWN_LEADER_EPOCH',
      retriable: true,
      message: expect.stringContaining(topic.name),
    })
  })
})

describe('a lossy failover', () => {
  it('begins a new leader epoch, and tells a reader of the lost tail where to go on', async () => {
    const servers = await startReplicated({ replicas: 1 })
    const storage = await Storage.connect({ redis: { addresses: [servers.url] }, namespace: 'failover' })
    try {
      const topic = await storage.topics.create({ name: 'orders', numPartitions: 1, configs: KEEP })
      const partition = first(topic)
      const own = { append: await storage.openAppender(), read: await storage.openReader() }
      await fill(topic, 3, 10, own.append)
      await servers.inSync()
      const [replica] = servers.replicas
      if (replica === undefined) throw new Error('no replica')
      replica.link.cut()
      await replica.link.refuse()
      await fill(topic, 2, 10, own.append)
      const before = await own.read.fetch([{ partition, offset: 0, maxBytes: MEBIBYTE, segment: 0 }], MEBIBYTE)
      const epoch = before[0]?.batches[0]?.leaderEpoch
      if (epoch === undefined) throw new Error('nothing was read')
      const seen: SeenEpoch[] = [{ ...epoch, startOffset: 0 }]
      expect(await own.read.validate(partition, 50, seen)).toMatchObject({ kind: 'valid' })

      await servers.promote(replica)
      // before anything is written, and after as much was written as was lost
      // the first call may find the connection that the failover cut
      await own.read.validate(partition, 50, seen).catch(() => undefined)
      expect(await own.read.validate(partition, 50, seen)).toEqual({ kind: 'truncated', divergence: 30 })
      await fill(topic, 3, 10, own.append)
      expect(await own.read.validate(partition, 50, seen)).toEqual({ kind: 'truncated', divergence: 30 })
      expect(await own.read.validate(partition, 30, seen)).toMatchObject({ kind: 'valid' })
      const after = await own.read.fetch([{ partition, offset: 30, maxBytes: MEBIBYTE, segment: null }], MEBIBYTE)
      expect(after[0]?.batches.map(({ baseOffset, leaderEpoch }) => [baseOffset, leaderEpoch.number])).toEqual([
        [30, 1],
        [40, 1],
        [50, 1],
      ])
      expect(after[0]?.batches[0]?.leaderEpoch.replicationId).not.toBe(epoch.replicationId)
    } finally {
      await storage.close()
      await servers.stop()
    }
  })
})

async function tagOf({ shard }: Partition): Promise<string> {
  const tags = await test.redis.hget(`${test.storage.namespace}:{meta}:cluster`, 'shards')
  const tag = tags?.split(' ')[shard]
  if (tag === undefined) throw new Error(`no tag of shard ${shard} in ${tags}`)
  return tag
}
