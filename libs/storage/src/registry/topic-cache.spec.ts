import { describe, expect, it } from '@jest/globals'
import { TopicCache } from './topic-cache.js'
import { topicOf, type Topic } from './topic-entry.js'

const topic = (partitions: number): Topic =>
  topicOf('t', { id: 'i', shards: new Array<number>(partitions).fill(0), configs: {} })

/** A read whose answer comes when the test says so. */
function reads() {
  const running: ((topic: Topic | null) => void)[] = []
  const fetch = (): Promise<Topic | null> => new Promise((resolve) => running.push(resolve))
  return { fetch, running }
}

describe('the cache of topics', () => {
  it('keeps what was read until it has aged', async () => {
    let now = 0
    const cache = new TopicCache(100, () => now)
    await cache.read('t', async () => topic(1))
    now = 99
    expect(cache.get('t')?.partitions).toHaveLength(1)
    now = 100
    expect(cache.get('t')).toBeUndefined()
  })

  it('shares a read among all who want the topic', async () => {
    const cache = new TopicCache(100)
    const { fetch, running } = reads()
    const answers = Promise.all([cache.read('t', fetch), cache.read('t', fetch), cache.read('t', fetch)])
    expect(running).toHaveLength(1)
    running[0]?.(topic(1))
    expect(new Set(await answers).size).toBe(1)
  })

  it('does not keep that a topic is not there', async () => {
    const cache = new TopicCache(100)
    expect(await cache.read('t', async () => null)).toBeNull()
    expect(await cache.read('t', async () => topic(1))).not.toBeNull()
  })

  it('does not keep a failure, and tells it to all who shared it', async () => {
    const cache = new TopicCache(100)
    const failing = () => Promise.reject(new Error('no'))
    const answers = await Promise.allSettled([cache.read('t', failing), cache.read('t', failing)])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await cache.read('t', async () => topic(1))).not.toBeNull()
  })

  it.each(['drop', 'dropAll'] as const)('does not keep an answer that a change (%s) has overtaken', async (drop) => {
    const cache = new TopicCache(100)
    const { fetch, running } = reads()
    const old = cache.read('t', fetch)
    cache[drop]('t')
    // whoever comes after the change gets a read of his own
    const fresh = cache.read('t', fetch)
    running[1]?.(topic(2))
    await fresh
    running[0]?.(topic(1))
    await old
    expect(cache.get('t')?.partitions).toHaveLength(2)
  })
})
