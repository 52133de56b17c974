/**
 * The stored format can't be changed once data is stored in it. The golden file holds, key by key and byte by byte, what a
 * fixed series of operations stores: what is written today must equal it, and what it holds must stay readable.
 *
 * A change that this spec refuses needs a new format number and code that reads both. The golden file is made anew with
 * RIVULET_UPDATE_GOLDEN=1, which only an addition that older releases can ignore justifies.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { recordBatch, TestStorage, testTopology } from '@rivulet/testing'
import { Redis } from 'ioredis'
import type { Partition } from './log/types.js'

const GOLDEN = new URL('./stored-format.golden.json', import.meta.url)

/** Texts and bytes are in latin1: a character a byte. */
type Stored =
  | { type: 'hash'; fields: Record<string, string> }
  | { type: 'string'; bytes: string }
  | { type: 'zset'; members: [string, string][] }
  | { type: 'stream'; lastId: string; entries: [string, string[]][] }

// Cluster stores the same under the same keys; to put a dump back takes one server's worth of plain commands.
const describeOnSingle = testTopology() === 'single' ? describe : describe.skip

describeOnSingle('the stored format, version 1', () => {
  let test: TestStorage
  let redis: Redis
  beforeAll(async () => {
    test = await TestStorage.open()
    if (!(test.redis instanceof Redis)) throw new Error('one server was expected')
    redis = test.redis
  })
  afterAll(() => test.close())

  it('is what it was, key by key and byte by byte', async () => {
    await test.storage.alterNamespaceConfigs({ 'num.partitions': '3', 'max.bytes': '24000000' })
    const topic = await test.storage.topics.create({
      name: 'orders',
      numPartitions: 2,
      configs: { 'retention.ms': '-1', 'segment.bytes': '1048576' },
    })
    const [zero, one] = topic.partitions
    if (zero === undefined || one === undefined) throw new Error('two partitions were expected')
    const appender = await test.storage.openAppender()
    const append = async (partition: Partition, batch: Buffer, config = topic.config): Promise<void> => {
      const [result] = await appender.append([{ partition, config, batch }])
      if (result === undefined || result.error !== null) throw result?.error ?? new Error('no result')
    }
    await append(zero, await recordBatch({ records: 3, producerId: 0x1234_5678_9abc, sequence: 0, timestamp: 2_000 }))
    await append(zero, await recordBatch({ records: 2, producerId: 0x1234_5678_9abc, sequence: 3, timestamp: 1_000 }))
    await test.storage.log.roll(zero, 0)
    await append(zero, await recordBatch({ records: ['another segment'], timestamp: 3_000 }))
    await append(zero, await recordBatch({ records: ['another producer'], producerId: 7, timestamp: 4_000 }))
    await append(one, await recordBatch({ records: 1, timestamp: 5 }), {
      ...topic.config,
      messageTimestampType: 'LogAppendTime',
    })

    const dumped = normalise(await dump(redis, test.storage.namespace), [
      [test.storage.namespace, '<ns>'],
      [topic.id, '<topic id>'],
      [test.storage.clusterId, '<cluster id>'],
      [(await test.storage.log.describe(zero)).leaderEpoch.replicationId, 'cafebabe'],
    ])
    if (process.env['RIVULET_UPDATE_GOLDEN'] === '1') {
      writeFileSync(GOLDEN, `${JSON.stringify(dumped, null, 2)}\n`)
    }
    expect(dumped).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')))
  })

  it('stays readable: what the golden file holds comes back record by record', async () => {
    const stored = parseDump(readFileSync(GOLDEN, 'utf8').replaceAll('<ns>', 'golden-copy'))
    await restore(redis, stored)
    const storage = await TestStorage.open({ namespace: 'golden-copy' })
    try {
      const topic = await storage.storage.topics.get('orders')
      expect(topic).toMatchObject({ id: '<topic id>', overrides: { 'retention.ms': '-1' } })
      const reader = await storage.storage.openReader()
      const read = async (partition: Partition) => {
        const batches: [number, number, number, number][] = []
        let [offset, segment]: [number, number | null] = [0, null]
        for (;;) {
          const [result] = await reader.fetch([{ partition, offset, segment, maxBytes: 1e6 }], 1e6)
          if (result === undefined || result.error !== null) throw result?.error ?? new Error('no result')
          for (const { baseOffset, endOffset, leaderEpoch, appendTime } of result.batches) {
            batches.push([baseOffset, endOffset, leaderEpoch.number, appendTime])
          }
          offset = result.batches.at(-1)?.endOffset ?? offset
          segment = result.segment
          if (!result.more) return batches
        }
      }
      const [zero, one] = topic?.partitions ?? []
      if (zero === undefined || one === undefined) throw new Error('two partitions were expected')
      expect(await read(zero)).toEqual([
        [0, 3, 0, -1],
        [3, 5, 0, -1],
        [5, 6, 0, -1],
        [6, 7, 0, -1],
      ])
      expect(await read(one)).toEqual([[0, 1, 0, 1_111_111_111_111]])
      expect(await storage.storage.log.offsetForTimestamp(zero, 1_500)).toEqual({ offset: 0, timestamp: 2_000 })
      // the copy goes on: producers' repeated batches are still known, the latest one's and the others'
      const appender = await storage.storage.openAppender()
      const batch = await recordBatch({ records: 2, producerId: 0x1234_5678_9abc, sequence: 3, timestamp: 1_000 })
      const latest = await recordBatch({ records: ['another producer'], producerId: 7, timestamp: 4_000 })
      const { config } = topic ?? fail()
      const results = [
        ...(await appender.append([{ partition: zero, config, batch }])),
        ...(await appender.append([{ partition: zero, config, batch: latest }])),
      ]
      expect(results).toMatchObject([
        { baseOffset: 3, duplicate: true },
        { baseOffset: 6, duplicate: true },
      ])
    } finally {
      await storage.close()
    }
  })
})

function fail(): never {
  throw new Error('there is no topic')
}

async function dump(redis: Redis, namespace: string): Promise<Record<string, Stored>> {
  const result: Record<string, Stored> = {}
  for (const key of (await redis.keys(`${namespace}:*`)).toSorted()) {
    const type = await redis.type(key)
    result[key] = await read(redis, key, type)
  }
  return result
}

async function read(redis: Redis, key: string, type: string): Promise<Stored> {
  switch (type) {
    case 'hash': {
      const names = (await redis.hkeysBuffer(key)).toSorted((one, other) => one.compare(other))
      const values = await Promise.all(names.map((name) => redis.hgetBuffer(key, name)))
      const fields: Record<string, string> = {}
      names.forEach((name, i) => (fields[latin1(name)] = latin1(values[i] ?? Buffer.alloc(0))))
      return { type, fields }
    }
    case 'string':
      return { type, bytes: latin1((await redis.getBuffer(key)) ?? Buffer.alloc(0)) }
    case 'zset': {
      const flat = (await redis.zrangeBuffer(key, 0, -1, 'WITHSCORES')).map(latin1)
      const members: [string, string][] = []
      for (let i = 0; i < flat.length; i += 2) members.push([flat[i] ?? '', flat[i + 1] ?? ''])
      return { type, members }
    }
    case 'stream': {
      const entries = await redis.xrangeBuffer(key, '-', '+')
      const info: unknown = await redis.xinfo('STREAM', key)
      if (!Array.isArray(info)) throw new Error('XINFO gave no list')
      return {
        type,
        lastId: String(info[info.indexOf('last-generated-id') + 1]),
        entries: entries.map(([id, fields]) => [latin1(id), fields.map(latin1)]),
      }
    }
    default:
      throw new Error(`${key} has the type ${type}`)
  }
}

function parseDump(json: string): Record<string, Stored> {
  const dump: unknown = JSON.parse(json)
  if (typeof dump !== 'object' || dump === null) throw new Error('the golden file holds no dump')
  return Object.fromEntries(Object.entries(dump).map(([key, value]) => [key, parseStored(value)]))
}

function parseStored(value: unknown): Stored {
  if (isStored(value)) return value
  throw new Error(`this is no stored value: ${JSON.stringify(value)}`)
}

function isStored(value: unknown): value is Stored {
  const types: unknown[] = ['hash', 'string', 'zset', 'stream']
  return typeof value === 'object' && value !== null && 'type' in value && types.includes(value.type)
}

async function restore(redis: Redis, stored: Record<string, Stored>): Promise<void> {
  for (const [key, value] of Object.entries(stored)) {
    switch (value.type) {
      case 'hash':
        for (const [field, text] of Object.entries(value.fields)) await redis.hset(key, bytes(field), bytes(text))
        break
      case 'string':
        await redis.set(key, bytes(value.bytes))
        break
      case 'zset':
        for (const [member, score] of value.members) await redis.zadd(key, score, bytes(member))
        break
      case 'stream':
        for (const [id, fields] of value.entries) await redis.xadd(key, id, ...fields.map(bytes))
        if (value.entries.length === 0) await redis.xgroup('CREATE', key, 'x', '0', 'MKSTREAM')
        break
    }
  }
}

/** Ids get fixed names, times a fixed time. */
function normalise(stored: Record<string, Stored>, names: [string, string][]): unknown {
  const rename = (text: string): string => names.reduce((result, [from, to]) => result.replaceAll(from, to), text)
  const time = /\b1[6-9]\d{11}\b/g
  const result: Record<string, Stored> = {}
  for (const [key, value] of Object.entries(stored)) {
    const name = rename(key)
    const renamed = parseStored(JSON.parse(rename(JSON.stringify(value)).replace(time, '1111111111111')))
    if (renamed.type === 'string') renamed.bytes = fixSession(fixTimes(renamed.bytes, [40, 72, 80]))
    if (renamed.type === 'hash' && key.endsWith(':producers')) {
      for (const [field, text] of Object.entries(renamed.fields)) {
        if (text !== '') renamed.fields[field] = fixTimes(text, [2])
      }
    }
    result[name] = renamed
  }
  return result
}

/** Of the 64-bit integers at those places, those that are the time of this run. */
function fixTimes(text: string, places: number[]): string {
  const buffer = bytes(text)
  for (const at of places) {
    const value = Number(buffer.readBigInt64BE(at))
    if (value > 1_600_000_000_000) buffer.writeBigInt64BE(1_111_111_111_111n, at)
  }
  return latin1(buffer)
}

/** The append session, which is made up anew each time, if there is any. */
function fixSession(text: string): string {
  const at = 234
  return /^\0*$/.test(text.slice(at)) ? text : `${text.slice(0, at)}session.`
}

function latin1(buffer: Buffer): string {
  return buffer.toString('latin1')
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
