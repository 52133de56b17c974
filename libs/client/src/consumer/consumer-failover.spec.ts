import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type CommittedOffset, RedisGroupStore } from '@rivulet/coordinator'
import { type Replicated, startReplicated } from '@rivulet/testing'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'

let servers: Replicated
let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  servers = await startReplicated({ replicas: 1 })
  namespace = await TestNamespace.open({ urls: [servers.url] })
  received = new Received()
  await namespace.topic('orders')
  await namespace.produce('orders', 0, values('kept', 5))
  await servers.inSync()
}, 60_000)
afterEach(async () => {
  await namespace.close()
  await servers.stop()
}, 60_000)

/** Cuts the replica off, so that what is written from now on is lost when it is promoted. */
async function losing(work: () => Promise<void>): Promise<void> {
  const [replica] = servers.replicas
  if (replica === undefined) throw new Error('there is no replica')
  await replica.link.refuse()
  replica.link.cut()
  await work()
  await servers.promote(replica)
}

describe('a failover that loses the tail of the log', () => {
  it.each([
    ['shorter', 3],
    ['as long', 8],
    ['longer', 20],
  ])('is told to a reader of the tail, which skips nothing of a new log that is %s', async (_, count) => {
    const consumer = namespace.consumer()
    const truncated = new Promise((resolve) => consumer.on('consumer.log_truncated', ({ payload }) => resolve(payload)))
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await losing(async () => {
      await namespace.produce('orders', 0, values('lost', 8))
      await received.count(13)
    })
    for (let i = 0; i < count; i++) await namespace.produce('orders', 0, [`new-${i}`])
    await received.count(13 + count)
    expect(received.values.slice(13)).toEqual(values('new', count))
    expect(await truncated).toEqual({ topic: 'orders', partition: 0, position: '13', divergence: '5' })
  })

  it('is noticed by a reader that started at the end of the log and has read nothing', async () => {
    const consumer = namespace.consumer({ autoOffsetReset: 'latest' })
    await losing(async () => {
      await namespace.produce('orders', 0, values('lost', 8))
      consumer.assign([{ topic: 'orders', partition: 0 }])
      const begun = new Promise((resolve) => consumer.on('consumer.fetch_start', resolve))
      await consumer.run({ eachMessage: received.take })
      await begun
    })
    await namespace.produce('orders', 0, values('new', 12))
    await received.count(12)
    expect(received.values).toEqual(values('new', 12))
  })

  it('crashes a reader with the policy none, with the offset where the logs part', async () => {
    const consumer = namespace.consumer({ autoOffsetReset: 'none' })
    consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
    await consumer.run({ eachMessage: received.take })
    await losing(async () => {
      await namespace.produce('orders', 0, values('lost', 8))
      await received.count(13)
    })
    await namespace.produce('orders', 0, values('new', 12))
    await expect(consumer.closed).rejects.toMatchObject({
      name: 'KafkaJSLogTruncated',
      type: 'LOG_TRUNCATED',
      topic: 'orders',
      partition: 0,
      position: '13',
      divergence: '5',
    })
    expect(received.values).toHaveLength(13)
  })

  it('does not concern a reader that had not come so far', async () => {
    const consumer = namespace.consumer()
    let told = false
    consumer.on('consumer.log_truncated', () => {
      told = true
    })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(5)
    consumer.pause([{ topic: 'orders' }])
    await losing(async () => void (await namespace.produce('orders', 0, values('lost', 8))))
    await namespace.produce('orders', 0, values('new', 12))
    consumer.resume([{ topic: 'orders' }])
    await received.count(17)
    expect(received.values.slice(5)).toEqual(values('new', 12))
    expect(told).toBe(false)
  })
})

describe('a committed offset from a tail that was lost', () => {
  // In a Cluster the group's shard may keep what the log's shard has lost; here it is put back by hand.
  it('is told to the next member, which goes on where the logs part', async () => {
    const { partition, topicId } = await namespace.partition('orders')
    const name = `${topicId}:${partition}`
    const committed = deferred<CommittedOffset>()
    await losing(async () => {
      await namespace.produce('orders', 0, values('lost', 8))
      const consumer = await namespace.member()
      await consumer.run({ eachMessage: received.take })
      await received.count(13)
      await consumer.disconnect()
      const found = (await new RedisGroupStore(namespace.storage).allCommitted('g')).get(name)
      if (found === undefined) throw new Error('nothing was committed')
      committed.resolve(found)
    })
    await namespace.produce('orders', 0, values('new', 20))
    const kept = await committed.promise
    expect(kept).toMatchObject({ offset: 13, leaderEpoch: { startOffset: 0 } })
    const commit = { ...kept, topic: 'orders', topicId, partition, grant: 0 }
    expect(await new RedisGroupStore(namespace.storage).commit('g', null, [commit])).toEqual([null])
    const next = await namespace.member()
    const truncated = new Promise((resolve) => next.on('consumer.log_truncated', ({ payload }) => resolve(payload)))
    await next.run({ eachMessage: received.take })
    await received.count(13 + 20)
    expect(received.values.slice(13)).toEqual(values('new', 20))
    expect(await truncated).toEqual({ topic: 'orders', partition: 0, position: '13', divergence: '5' })
  })
})

describe('a failover that loses nothing', () => {
  it('goes unnoticed', async () => {
    const consumer = namespace.consumer()
    let told = false
    consumer.on('consumer.log_truncated', () => {
      told = true
    })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(5)
    const [replica] = servers.replicas
    if (replica === undefined) throw new Error('there is no replica')
    await servers.promote(replica)
    await namespace.produce('orders', 0, values('new', 5))
    await received.count(10)
    expect(received.values).toEqual([...values('kept', 5), ...values('new', 5)])
    expect(told).toBe(false)
  })
})
