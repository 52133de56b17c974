import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { MemoryTopics } from '../../spec-support/memory-topics.js'
import { Subscription } from './subscription.js'

const pass = (ms = 0): Promise<void> => jest.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] })
})

afterEach(() => {
  jest.useRealTimers()
})

async function subscribed(
  topics: MemoryTopics,
  wanted: { readonly topics?: readonly string[]; readonly patterns?: readonly RegExp[] },
) {
  const logs: string[] = []
  const log = (message: string): void => void logs.push(message)
  const counts = { looked: 0 }
  const subscription = new Subscription({
    topics,
    subscription: { topics: [], patterns: [], ...wanted },
    metadataMaxAge: 60_000,
    logger: { error: log, warn: log, info: log, debug: log },
    onLooked: () => counts.looked++,
  })
  await subscription.start()
  return { subscription, logs, counts }
}

const facts = (subscription: Subscription): string[] =>
  [...subscription.facts.values()].map(({ topic, topicId, partitions }) => `${topic} ${topicId} ${partitions}`)

describe('Subscription', () => {
  it('wants what it names, whether it exists or not, and knows of what exists', async () => {
    const { subscription } = await subscribed(new MemoryTopics({ orders: 3 }), { topics: ['payments', 'orders'] })
    expect(subscription.topics).toEqual(['orders', 'payments'])
    expect(facts(subscription)).toEqual(['orders id1 3'])
  })

  it('wants what its patterns match, besides what it names', async () => {
    const topics = new MemoryTopics({ 'orders.eu': 1, 'orders.us': 2, refunds: 1, stock: 1 })
    const { subscription } = await subscribed(topics, { topics: ['stock'], patterns: [/^orders\./, /^REF/i] })
    expect(subscription.topics).toEqual(['orders.eu', 'orders.us', 'refunds', 'stock'])
  })

  it.each([/orders/g, /orders/y, /orders/gy])(
    'matches by %s always alike, and leaves the pattern alone',
    async (pattern) => {
      pattern.lastIndex = 3
      const topics = new MemoryTopics({ 'orders-1': 1, 'orders-2': 1, 'orders-3': 1 })
      const { subscription } = await subscribed(topics, { patterns: [pattern] })
      expect(subscription.topics).toEqual(['orders-1', 'orders-2', 'orders-3'])
      topics.create('orders-4', 1)
      await pass()
      expect(subscription.topics).toContain('orders-4')
      expect(pattern.lastIndex).toBe(3)
    },
  )

  it.each([
    ['appears', (topics: MemoryTopics) => topics.create('payments', 2), ['orders id1 3', 'payments id2 2']],
    ['is deleted', (topics: MemoryTopics) => topics.delete('orders'), []],
    [
      'is made again',
      (topics: MemoryTopics) => {
        topics.delete('orders')
        topics.create('orders', 1)
      },
      ['orders id2 1'],
    ],
    ['gets partitions', (topics: MemoryTopics) => topics.addPartitions('orders', 5), ['orders id1 5']],
  ])('notices that a topic %s', async (_, change, expected) => {
    const topics = new MemoryTopics({ orders: 3 })
    const { subscription, counts } = await subscribed(topics, { topics: ['orders', 'payments'] })
    change(topics)
    await pass()
    expect(facts(subscription)).toEqual(expected)
    expect(counts.looked).toBeGreaterThan(0)
  })

  it('forgets a topic that its pattern had matched', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    const { subscription } = await subscribed(topics, { patterns: [/./] })
    topics.delete('orders')
    await pass()
    expect(subscription.topics).toEqual([])
  })

  it('looks at nothing when another topic changes', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    const { counts } = await subscribed(topics, { topics: ['orders'], patterns: [/^o/] })
    const before = topics.lookups
    topics.create('payments', 1)
    await pass()
    expect([topics.lookups, counts.looked]).toEqual([before, 0])
  })

  it('looks everything up when changes may have been missed', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    const { subscription } = await subscribed(topics, { topics: ['orders'] })
    topics.announces = false
    topics.addPartitions('orders', 4)
    topics.announces = true
    topics.changed({ all: true })
    await pass()
    expect(facts(subscription)).toEqual(['orders id1 4'])
  })

  it('looks everything up when what it knows is old, again and again', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    topics.announces = false
    const { subscription } = await subscribed(topics, { topics: ['orders'] })
    for (const total of [4, 5]) {
      topics.addPartitions('orders', total)
      await pass(59_999)
      expect(facts(subscription)).toEqual([`orders id1 ${total - 1}`])
      await pass(1)
      expect(facts(subscription)).toEqual([`orders id1 ${total}`])
    }
  })

  it('takes many changes at once in two lookups', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    const { subscription, counts } = await subscribed(topics, { patterns: [/./] })
    for (let i = 0; i < 100; i++) topics.create(`topic-${i}`, 1)
    await pass()
    expect(subscription.topics).toHaveLength(101)
    expect(counts.looked).toBeLessThanOrEqual(2)
  })

  it('sees a change that is announced while it starts', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    const starting = subscribed(topics, { topics: ['orders'] })
    topics.addPartitions('orders', 4)
    const { subscription } = await starting
    await pass()
    expect(facts(subscription)).toEqual(['orders id1 4'])
  })

  it('fails to start when the topics cannot be read, and can be started again', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    topics.failures.push(new KafkaError('NETWORK_EXCEPTION', 'gone'))
    const subscription = new Subscription({
      topics,
      subscription: { topics: ['orders'], patterns: [] },
      metadataMaxAge: 60_000,
      logger: { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined },
      onLooked: () => undefined,
    })
    await expect(subscription.start()).rejects.toMatchObject({ type: 'NETWORK_EXCEPTION' })
    await subscription.start()
    expect([facts(subscription), topics.watchers]).toEqual([['orders id1 3'], 1])
  })

  it('keeps what it knows while the topics cannot be read, and tries again', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    const { subscription, logs } = await subscribed(topics, { topics: ['orders'] })
    topics.failures.push(new KafkaError('NETWORK_EXCEPTION', 'gone'))
    topics.addPartitions('orders', 4)
    await pass()
    expect(facts(subscription)).toEqual(['orders id1 3'])
    expect(logs).toEqual(['the subscribed topics cannot be looked up: gone'])
    await pass(1000)
    expect(facts(subscription)).toEqual(['orders id1 4'])
  })

  it('leaves out a topic that this release cannot read, and says so', async () => {
    const topics = new MemoryTopics({ orders: 3, payments: 1 })
    topics.failures.push(new KafkaError('UNSUPPORTED_VERSION', 'from the future'))
    const { subscription, logs } = await subscribed(topics, { topics: ['orders', 'payments'] })
    expect(facts(subscription)).toEqual(['payments id2 1'])
    expect(logs).toEqual(['topic orders is left out: from the future'])
  })

  it('leaves neither a timer nor a listener behind, and does nothing more', async () => {
    const topics = new MemoryTopics({ orders: 3 })
    const { subscription, counts } = await subscribed(topics, { topics: ['orders'] })
    subscription.refresh()
    subscription.stop()
    await pass()
    const before = topics.lookups
    topics.addPartitions('orders', 4)
    subscription.refresh()
    await pass(120_000)
    expect([topics.watchers, jest.getTimerCount(), topics.lookups, counts.looked]).toEqual([0, 0, before, 0])
  })
})
