/** Whatever way a server comes to write another history, batches of the two are told apart by their leader epochs. */
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { recordBatch, type Replicated, startReplicated, waitFor } from '@rivulet/testing'
import { Redis } from 'ioredis'
import { Storage } from '../storage.js'
import type { Appender, AppendResult, Partition } from './types.js'
import type { Topic } from '../registry/topic-entry.js'

let servers: Replicated
let storage: Storage
let topic: Topic
let partition: Partition
let appender: Appender

/** Connects to the primary itself or, with the endpoint, to whichever server is the primary. */
async function open(to: 'server' | 'endpoint'): Promise<void> {
  servers = await startReplicated({ replicas: 1 })
  const addresses = [to === 'server' ? servers.primary.url : servers.url]
  storage = await Storage.connect({ redis: { addresses }, namespace: 'failover' })
  topic = await storage.topics.create({ name: 'orders', numPartitions: 1, configs: { 'retention.ms': '-1' } })
  const [first] = topic.partitions
  if (first === undefined) throw new Error('no partition')
  partition = first
  appender = await storage.openAppender()
}

/** A clock that stands still: time ends no session. */
function stopClock(): void {
  const now = performance.now()
  jest.spyOn(performance, 'now').mockReturnValue(now)
}

afterEach(async () => {
  jest.restoreAllMocks()
  await storage.close()
  await servers.stop()
})

async function append(by = appender): Promise<AppendResult | undefined> {
  const [result] = await by.append([{ partition, config: topic.config, batch: await recordBatch({ records: 10 }) }])
  return result
}

const at = (baseOffset: number) => expect.objectContaining({ error: null, baseOffset })

/** By base offset. */
async function epochs(): Promise<[number, number][]> {
  const reader = await storage.openReader()
  const [result] = await reader.fetch([{ partition, offset: 0, maxBytes: 1e6, segment: null }], 1e6)
  await reader.close()
  return result?.batches.map(({ baseOffset, leaderEpoch }) => [baseOffset, leaderEpoch.number]) ?? []
}

/** The replica no longer gets what is appended from now on. */
async function cutOff() {
  await servers.inSync()
  const [replica] = servers.replicas
  if (replica === undefined) throw new Error('no replica')
  replica.link.cut()
  await replica.link.refuse()
  return replica
}

/** The primary becomes a replica of its former replica, takes over its data, and loses what that one has not. */
async function demote(): Promise<void> {
  const replica = await cutOff()
  expect(await append()).toEqual(at(10))
  expect(await append()).toEqual(at(20))
  await using(replica.server.url, (redis) => redis.call('REPLICAOF', 'NO', 'ONE'))
  await using(servers.primary.url, async (redis) => {
    await redis.call('REPLICAOF', '127.0.0.1', replica.server.port)
    await waitFor(async () => /master_link_status:up/.test(await redis.info('replication')), {
      what: 'the former primary to have its replica’s data',
    })
  })
}

async function using<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url)
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

const promoteAgain = () => using(servers.primary.url, (redis) => redis.call('REPLICAOF', 'NO', 'ONE'))

describe('a leader epoch begins', () => {
  it('on a replica that was promoted, however soon the client is there', async () => {
    await open('endpoint')
    const other = await storage.openAppender()
    stopClock()
    expect([await append(), await append(other)]).toEqual([at(0), at(10)])
    const replica = await cutOff()
    expect([await append(), await append(other)]).toEqual([at(20), at(30)])
    await servers.promote(replica)
    const answers: (number | undefined)[] = []
    for (const by of [appender, other, appender, other]) {
      await waitFor(
        async () => {
          const result = await append(by)
          if (result?.error === null) answers.push(result.baseOffset)
          return result?.error === null
        },
        { what: 'the append to reach the new primary' },
      )
    }
    expect(answers).toEqual([20, 30, 40, 50])
    expect(await epochs()).toEqual([
      [0, 0],
      [10, 0],
      [20, 1],
      [30, 1],
      [40, 1],
      [50, 1],
    ])
  })

  it('on a server that lost its role and got it back, though the connection lasted', async () => {
    await open('server')
    expect(await append()).toEqual(at(0))
    await demote()
    await promoteAgain()
    expect(await append()).toEqual(at(10))
    expect(await epochs()).toEqual([
      [0, 0],
      [10, 1],
    ])
  })

  it('also where no time seems to have passed, but an append was refused meanwhile', async () => {
    await open('server')
    stopClock()
    expect(await append()).toEqual(at(0))
    await demote()
    expect(await append()).toMatchObject({ error: { retriable: true } })
    await promoteAgain()
    await waitFor(async () => (await append())?.error === null, { what: 'the server to take appends again' })
    expect((await epochs())[1]).toEqual([10, 1])
  })

  it('at none of the appends that a server gets while its role stays what it is', async () => {
    await open('server')
    const other = await storage.openAppender()
    for (let i = 0; i < 10; i++) expect(await append(i % 3 === 0 ? other : appender)).toEqual(at(i * 10))
    expect((await epochs()).every(([, epoch]) => epoch === 0)).toBe(true)
  })
})
