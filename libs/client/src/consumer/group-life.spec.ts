import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { RedisGroupStore } from '@rivulet/coordinator'
import { TcpProxy, testRedisUrls, waitFor } from '@rivulet/testing'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'
import type { ConsumerEventPayloads } from '../types.js'
import type { Consumer } from './consumer.js'

type Crash = ConsumerEventPayloads['consumer.crash']

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
  await namespace.topic('orders', 2)
})
afterEach(() => namespace.close())

const membersOf = async (): Promise<string[]> => {
  const snapshot = await new RedisGroupStore(namespace.storage).snapshot('g')
  return [...(snapshot?.members.keys() ?? [])]
}

const crashOf = (consumer: Consumer): Promise<Crash> =>
  new Promise((resolve) => {
    consumer.on('consumer.crash', ({ payload }) => resolve(payload))
  })

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

describe('events', () => {
  it('come in kafkajs’s order, with its payloads', async () => {
    await namespace.produce('orders', 0, ['a'])
    const consumer = await namespace.member()
    const seen: [string, unknown][] = []
    for (const name of [
      'consumer.connect',
      'consumer.group_join',
      'consumer.start_batch_process',
      'consumer.end_batch_process',
      'consumer.commit_offsets',
      'consumer.stop',
      'consumer.disconnect',
    ] as const) {
      consumer.on(name, ({ type, payload }) => void seen.push([type, payload]))
    }
    await consumer.connect()
    await consumer.run({ eachMessage: received.take })
    await waitFor(() => seen.length === 6, { what: 'the commit' })
    await consumer.disconnect()
    expect(seen.map(([type]) => type.slice('consumer.'.length))).toEqual([
      'connect',
      'connect',
      'group_join',
      'start_batch_process',
      'end_batch_process',
      'commit_offsets',
      'stop',
      'disconnect',
    ])
    const memberId = expect.stringMatching(/^consumer-spec-/)
    expect(seen[2]?.[1]).toEqual({
      groupId: 'g',
      memberId,
      leaderId: memberId,
      isLeader: true,
      memberAssignment: { orders: [0, 1] },
      groupProtocol: 'uniform',
      duration: expect.any(Number),
    })
  })

  it('tell of heartbeats, also while a handler is at work', async () => {
    await namespace.produce('orders', 0, ['a'])
    const consumer = await namespace.member({ heartbeatInterval: 20 })
    const begun = deferred()
    const finish = deferred()
    await consumer.run({ eachMessage: () => (begun.resolve(), finish.promise) })
    await begun.promise
    const beat = deferred<unknown>()
    consumer.on('consumer.heartbeat', ({ payload }) => beat.resolve(payload))
    const [memberId] = await membersOf()
    expect(await beat.promise).toEqual({ groupId: 'g', memberId, groupGenerationId: expect.any(Number) })
    finish.resolve()
  })

  it('tell of a rebalance and its end', async () => {
    const one = await namespace.member()
    await one.run({ eachMessage: received.take })
    const events: string[] = []
    const joined = deferred()
    one.on('consumer.rebalancing', ({ payload }) => void events.push(`rebalancing ${payload.groupId}`))
    one.on('consumer.group_join', ({ payload }) => {
      events.push(`joined with ${payload.memberAssignment['orders']?.length}`)
      if (payload.memberAssignment['orders']?.length === 1) joined.resolve()
    })
    const two = await namespace.member()
    await two.run({ eachMessage: received.take })
    await joined.promise
    expect(events).toEqual(['rebalancing g', 'joined with 1'])
  })
})

describe('describeGroup', () => {
  it('shows the group', async () => {
    const consumer = await namespace.member()
    await consumer.run({ eachMessage: received.take })
    const [memberId] = await membersOf()
    expect(await consumer.describeGroup()).toMatchObject({
      groupId: 'g',
      state: 'Stable',
      protocol: 'uniform',
      protocolType: 'consumer',
      members: [{ memberId, clientId: 'consumer-spec' }],
    })
  })
})

describe('stop and disconnect', () => {
  it('stop leaves the group at once; run joins again, where the group is', async () => {
    await namespace.produce('orders', 0, values('a', 2))
    const consumer = await namespace.member()
    await consumer.run({ eachMessage: received.take })
    await received.count(2)
    consumer.pause([{ topic: 'orders' }])
    await consumer.stop()
    expect(await membersOf()).toEqual([])
    expect(consumer.paused()).toEqual([])
    await namespace.produce('orders', 0, ['b'])
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    expect(received.values).toEqual(['a-0', 'a-1', 'b'])
  })

  it('disconnect leaves within a second while a handler is stuck; others get what it had at once', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const begun = deferred()
    const stuck = deferred()
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (message.offset !== '1') return
        begun.resolve()
        await stuck.promise
      },
    })
    await begun.promise
    expect(await timed(() => consumer.disconnect())).toBeLessThan(1000)
    expect(await membersOf()).toEqual([])
    expect(await namespace.committed('g')).toEqual({ 0: 1 })
    const other = await namespace.member()
    await other.run({ eachMessage: received.take })
    await received.count(2)
    stuck.resolve()
    expect(received.offsets).toEqual(['1', '2'])
  })

  it('disconnect in a handler ends the consumer', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const ended = deferred()
    await consumer.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        await consumer.disconnect()
        ended.resolve()
      },
    })
    await ended.promise
    await consumer.closed
    expect(received.offsets).toEqual(['0'])
    expect(await membersOf()).toEqual([])
  })

  it('disconnect while the group is being joined', async () => {
    const consumer = await namespace.member()
    const running = consumer.run({ eachMessage: received.take })
    expect(await timed(() => consumer.disconnect())).toBeLessThan(1000)
    await running
    await consumer.closed
    await waitFor(async () => (await membersOf()).length === 0, { what: 'the group to be empty' })
  })

  it('disconnect within a second while the server is frozen', async () => {
    const { hostname, port } = new URL(testRedisUrls()[0] ?? '')
    const proxy = await TcpProxy.start({ host: hostname, port: Number(port) })
    await namespace.produce('orders', 0, ['a'])
    const consumer = await namespace.member({}, { urls: [proxy.url] })
    await consumer.run({ eachMessage: received.take })
    await received.count(1)
    proxy.freeze()
    expect(await timed(() => consumer.disconnect())).toBeLessThan(1000)
    proxy.thaw()
    await proxy.close()
  })

  it('the signal tells a handler that the consumer stops', async () => {
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = await namespace.member()
    const begun = deferred()
    await consumer.run({
      eachBatch: async ({ signal, resolveOffset }) => {
        resolveOffset('0')
        const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        begun.resolve()
        await aborted
      },
    })
    await begun.promise
    await consumer.stop()
    expect(await namespace.committed('g')).toEqual({ 0: 1 })
  })
})

describe('a crash', () => {
  it('leaves the group, starts again, and does again only what was not committed', async () => {
    await namespace.produce('orders', 0, values('a', 4))
    const consumer = await namespace.member({ retry: { retries: 1 } })
    const events: string[] = []
    for (const name of ['consumer.stop', 'consumer.disconnect', 'consumer.crash', 'consumer.group_join'] as const) {
      consumer.on(name, ({ type }) => void events.push(type))
    }
    let failures = 0
    await consumer.run({
      eachMessage: async (payload) => {
        if (payload.message.offset === '2' && failures++ < 2) throw new Error('broken')
        await received.take(payload)
      },
    })
    await received.count(4)
    expect(received.offsets).toEqual(['0', '1', '2', '3'])
    expect(events).toEqual([
      'consumer.group_join',
      'consumer.stop',
      'consumer.disconnect',
      'consumer.crash',
      'consumer.group_join',
    ])
  })

  it('of a handler without progress for maxPollIntervalMs: others take over, and the consumer starts again', async () => {
    await namespace.produce('orders', 0, values('a', 2))
    const consumer = await namespace.member({ maxPollIntervalMs: 100 })
    const crash = crashOf(consumer)
    const stuck = deferred()
    let calls = 0
    await consumer.run({
      eachMessage: async (payload) => {
        if (calls++ === 0) await stuck.promise
        else await received.take(payload)
      },
    })
    expect(await crash).toMatchObject({
      groupId: 'g',
      restart: true,
      error: { name: 'KafkaJSMaxPollIntervalExceeded', retriable: true, topic: 'orders', partition: 0, offset: '0' },
    })
    await received.count(2)
    stuck.resolve()
    expect(received.offsets).toEqual(['0', '1'])
  })

  it('does not come of a handler that is stuck while the consumer stops: it is given up, and others take over', async () => {
    await namespace.produce('orders', 0, ['a'])
    const stopping = await namespace.member({ maxPollIntervalMs: 200 })
    const crashes: unknown[] = []
    stopping.on('consumer.crash', ({ payload }) => crashes.push(payload))
    const [begun, stuck] = [deferred(), deferred()]
    await stopping.run({ eachMessage: () => (begun.resolve(), stuck.promise) })
    await begun.promise
    await stopping.stop()
    await stopping.closed
    const other = await namespace.member()
    await other.run({ eachMessage: received.take })
    await received.count(1)
    stuck.resolve()
    expect([received.values, crashes, await membersOf()]).toEqual([['a'], [], [expect.any(String)]])
  })

  it('does not come of a handler that takes long, but calls heartbeat', async () => {
    await namespace.produce('orders', 0, ['a'])
    const consumer = await namespace.member({ maxPollIntervalMs: 100 })
    const crashes: unknown[] = []
    consumer.on('consumer.crash', ({ payload }) => crashes.push(payload))
    await consumer.run({
      eachMessage: async (payload) => {
        for (const until = performance.now() + 300; performance.now() < until;) {
          await payload.heartbeat()
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
        await received.take(payload)
      },
    })
    await received.count(1)
    expect(crashes).toEqual([])
  })

  it('where the group refuses the member for good ends the consumer', async () => {
    const options = { groupInstanceId: 'one', heartbeatInterval: 50 }
    const first = await namespace.member(options)
    const crash = crashOf(first)
    await first.run({ eachMessage: received.take })
    const second = await namespace.member(options)
    await second.run({ eachMessage: received.take })
    expect(await crash).toMatchObject({ restart: false, error: { type: 'FENCED_INSTANCE_ID' } })
    await expect(first.closed).rejects.toMatchObject({ type: 'FENCED_INSTANCE_ID' })
    await namespace.produce('orders', 0, ['a'])
    await received.count(1)
  })
})

describe('an assigner that throws', () => {
  it('ends the consumer: it would throw again', async () => {
    const consumer = await namespace.member({
      partitionAssigners: [
        () => ({
          name: 'broken',
          version: 1,
          protocol: () => ({ name: 'broken', metadata: Buffer.alloc(0) }),
          assign: () => Promise.reject(new Error('no idea')),
        }),
      ],
    })
    const crash = crashOf(consumer)
    await consumer.run({ eachMessage: received.take })
    expect(await crash).toMatchObject({ restart: false, error: { message: 'no idea', retriable: false } })
    await expect(consumer.closed).rejects.toMatchObject({ message: 'no idea' })
    expect(await membersOf()).toEqual([])
  })
})

describe('a crash without a restart', () => {
  it('can be followed by another run, which gets what was not done', async () => {
    await namespace.produce('orders', 0, ['a'])
    const consumer = await namespace.member()
    const crash = crashOf(consumer)
    await consumer.run({
      eachMessage: () => {
        throw new TypeError('a bug')
      },
    })
    expect(await crash).toMatchObject({ restart: false, error: { message: 'a bug' } })
    await consumer.run({ eachMessage: received.take })
    await received.count(1)
    expect(received.values).toEqual(['a'])
  })
})

describe('a static member', () => {
  it('comes back to its partitions, and nobody else notices', async () => {
    const options = { groupInstanceId: 'one' }
    const [first, other] = [await namespace.member(options), await namespace.member()]
    await first.run({ eachMessage: received.take })
    const joined = new Promise<void>((resolve) => other.on('consumer.group_join', () => resolve()))
    await other.run({ eachMessage: received.take })
    await joined
    const noticed: string[] = []
    other.on('consumer.rebalancing', ({ type }) => void noticed.push(type))
    await first.disconnect()
    const again = await namespace.member(options)
    const assignment = deferred<unknown>()
    again.on('consumer.group_join', ({ payload }) => assignment.resolve(payload.memberAssignment))
    await again.run({ eachMessage: received.take })
    expect(await assignment.promise).toEqual({ orders: [expect.any(Number)] })
    await namespace.produce('orders', 0, ['a'])
    await namespace.produce('orders', 1, ['b'])
    await received.count(2)
    expect(noticed).toEqual([])
  })
})

describe('subscribe', () => {
  it('while the consumer runs is refused', async () => {
    const consumer = await namespace.member()
    await consumer.run({ eachMessage: received.take })
    await expect(consumer.subscribe({ topics: ['others'] })).rejects.toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: 'Cannot subscribe to topic while consumer is running',
    })
  })

  it('makes topics that do not exist, where that is allowed', async () => {
    const allowed = namespace.consumer({ groupId: 'g' })
    await allowed.subscribe({ topics: ['made'] })
    expect(await namespace.storage.topics.refresh('made')).not.toBeNull()
    const refused = namespace.consumer({ groupId: 'g', allowAutoTopicCreation: false })
    await expect(refused.subscribe({ topics: ['missing'] })).rejects.toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await namespace.storage.alterNamespaceConfigs({ 'auto.create.topics.enable': 'false' })
    const patient = namespace.consumer({ groupId: 'g' }, { urls: testRedisUrls() })
    await expect(patient.subscribe({ topic: 'missing' })).rejects.toMatchObject({
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    expect(await namespace.storage.topics.refresh('missing')).toBeNull()
  })

  it('takes several calls, each with its own fromBeginning, and regular expressions for topics yet to come', async () => {
    await namespace.topic('old')
    for (const topic of ['orders', 'old']) await namespace.produce(topic, 0, ['before'])
    const consumer = namespace.consumer({ groupId: 'g', autoOffsetReset: 'latest' })
    await consumer.subscribe({ topic: 'old' })
    await consumer.subscribe({ topics: [/^ord/g, /^new-\d$/], fromBeginning: true })
    await consumer.run({ eachMessage: received.take })
    await received.count(1)
    await namespace.topic('new-1')
    await namespace.produce('new-1', 0, ['first'])
    await received.count(2)
    await namespace.produce('old', 0, ['after'])
    await received.count(3)
    expect(received.messages.map(({ topic, value }) => `${topic} ${value}`)).toEqual([
      'orders before',
      'new-1 first',
      'old after',
    ])
  })
})
