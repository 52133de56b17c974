import { Storage, type StorageOptions, type Topic } from '@rivulet/storage'
import { Cluster, Redis } from 'ioredis'
import { testRedisUrls, testTopology, uniqueNamespace } from '../topologies/server-under-test.js'

/** A storage in a namespace of its own on the run's server. Close it at the end: nothing stays behind. */
export class TestStorage {
  private constructor(
    readonly storage: Storage,
    /** A plain connection to the same server: to see what is stored. */
    readonly redis: Redis | Cluster,
  ) {}

  static async open(options: Partial<StorageOptions> = {}): Promise<TestStorage> {
    const storage = await Storage.connect({
      redis: { addresses: testRedisUrls() },
      namespace: uniqueNamespace(),
      ...options,
    })
    return new TestStorage(storage, plainClient())
  }

  /** A topic of its own name. */
  createTopic(configs: Record<string, string> = {}, numPartitions = 1): Promise<Topic> {
    return this.storage.topics.create({ name: uniqueNamespace('topic'), numPartitions, configs })
  }

  async close(): Promise<void> {
    await dropNamespace(this.redis, this.storage.namespace)
    this.redis.disconnect()
    await this.storage.close()
  }
}

function plainClient(): Redis | Cluster {
  const urls = testRedisUrls()
  return testTopology() === 'cluster' ? new Cluster([...urls]) : new Redis(urls[0] ?? '')
}

/** Deletes every key of a namespace. */
export async function dropNamespace(redis: Redis | Cluster, namespace: string): Promise<void> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis]
  for (const node of nodes) {
    let cursor = '0'
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', `${namespace}:*`, 'COUNT', 1000)
      await Promise.all(keys.map((key) => node.unlink(key)))
      cursor = next
    } while (cursor !== '0')
  }
}
