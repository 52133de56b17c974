import { CompressionType, KafkaError, RecordBatchBuilder } from '@rivulet/protocol'
import {
  type Appender,
  type LogReader,
  type Partition,
  Storage,
  type StorageOptions,
  type Topic,
} from '@rivulet/storage'
import { RedisGroupStore } from '@rivulet/coordinator'
import { testRedisUrls, uniqueNamespace } from '@rivulet/testing'
import type { ClientContext } from '../src/client-context.js'
import { Consumer } from '../src/consumer/consumer.js'
import type { AnyConsumerConfig } from '../src/consumer/consumer-settings.js'
import { createLogger } from '../src/logger.js'
import { SharedStorage } from '../src/shared-storage.js'
import { type ConsumerConfig, type EachMessagePayload, type LogEntry, logLevel } from '../src/types.js'

export interface TestNamespaceOptions {
  readonly urls?: readonly string[]
  readonly requestTimeout?: number
}

/** A namespace with records in it, and consumers that read them: everything is closed by close(). */
export class TestNamespace {
  readonly logged: LogEntry[] = []
  private readonly consumers: Consumer[] = []
  private appenderPromise: Promise<Appender> | null = null
  /** Readers that consumers have opened, newest last. */
  readonly readers: LogReader[] = []

  private constructor(
    readonly storage: Storage,
    private readonly storageOptions: StorageOptions,
  ) {}

  static async open({
    urls = testRedisUrls(),
    requestTimeout = 5000,
  }: TestNamespaceOptions = {}): Promise<TestNamespace> {
    const options: StorageOptions = {
      redis: { addresses: urls },
      namespace: uniqueNamespace('consumer'),
      requestTimeout,
      retry: { retries: 2, initialRetryTime: 50 },
    }
    return new TestNamespace(await Storage.connect(options), options)
  }

  get name(): string {
    return this.storageOptions.namespace ?? ''
  }

  async close(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.disconnect()))
    for (const { name } of await this.storage.topics.list().catch(() => [])) {
      await this.storage.topics.delete(name).catch(() => undefined)
    }
    await this.storage.close()
  }

  topic(name: string, numPartitions = 1, configs: Record<string, string> = {}): Promise<Topic> {
    return this.storage.topics.create({ name, numPartitions, configs })
  }

  async partition(topic: string, partition = 0): Promise<Partition> {
    const found = (await this.storage.topics.get(topic))?.partitions[partition]
    if (found === undefined) throw new Error(`there is no ${topic}-${partition}`)
    return found
  }

  /** Appends one record batch and answers its base offset. */
  async produce(
    topic: string,
    partition: number,
    values: readonly (string | Buffer)[],
    { compression = CompressionType.None, timestamp = Date.now(), corrupt = false } = {},
  ): Promise<number> {
    const { config, partitions } = await patiently(async () => {
      const found = await this.storage.topics.get(topic)
      if (found === null) throw new Error(`there is no ${topic}`)
      return found
    })
    const builder = new RecordBatchBuilder()
    for (const value of values) builder.append(null, value, undefined, timestamp)
    const batch = Buffer.from(await builder.build({ producerId: -1, producerEpoch: 0, baseSequence: 0, compression }))
    if (corrupt) batch.writeUInt8(batch.readUInt8(batch.length - 2) ^ 0xff, batch.length - 2)
    const log = partitions[partition]
    if (log === undefined) throw new Error(`there is no ${topic}-${partition}`)
    return patiently(() => this.append(log, config, batch))
  }

  async append(partition: Partition, config: Topic['config'], batch: Buffer): Promise<number> {
    this.appenderPromise ??= this.storage.openAppender()
    const appender = await this.appenderPromise
    const [result] = await appender.append([{ partition, config, batch }])
    if (result === undefined || result.error !== null) throw result?.error ?? new Error('no result')
    return result.baseOffset
  }

  /** What a group has committed of a topic: offsets by partition. */
  async committed(groupId: string, topic = 'orders'): Promise<Record<number, number>> {
    const found = await this.storage.topics.get(topic)
    const all = await new RedisGroupStore(this.storage).allCommitted(groupId)
    const offsets: Record<number, number> = {}
    for (const { partition, topicId } of found?.partitions ?? []) {
      const committed = all.get(`${topicId}:${partition}`)
      if (committed !== undefined) offsets[partition] = committed.offset
    }
    return offsets
  }

  /** A consumer of the group 'g' that has subscribed `orders`. */
  async member(config: Partial<ConsumerConfig> = {}, where: { urls?: readonly string[] } = {}): Promise<Consumer> {
    const consumer = this.consumer({ groupId: 'g', ...config }, where)
    await consumer.subscribe({ topics: ['orders'] })
    return consumer
  }

  consumer(config: AnyConsumerConfig = {}, { urls }: { urls?: readonly string[] } = {}): Consumer {
    const consumer = new Consumer(this.context(urls), {
      autoOffsetReset: 'earliest',
      maxWaitTimeInMs: 500,
      ...config,
      retry: { initialRetryTime: 20, maxRetryTime: 200, ...config.retry },
    })
    this.consumers.push(consumer)
    return consumer
  }

  context(urls?: readonly string[]): ClientContext {
    const options = urls === undefined ? this.storageOptions : { ...this.storageOptions, redis: { addresses: urls } }
    return {
      clientId: 'consumer-spec',
      logger: createLogger({ level: logLevel.DEBUG, logCreator: () => (entry) => void this.logged.push(entry) }),
      storage: new SharedStorage(async () => {
        const storage = await Storage.connect(options)
        const openReader = storage.openReader.bind(storage)
        storage.openReader = async () => {
          const reader = await openReader()
          this.readers.push(reader)
          return reader
        }
        return storage
      }),
      retry: {},
    }
  }
}

/** Tries again while the connection is lost; for work that may be done twice, or that was refused before it was done. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + 10_000; ;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof KafkaError) || error.type !== 'NETWORK_EXCEPTION' || performance.now() > deadline)
        throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** What a consumer was handed, and a way to wait for it. */
export class Received {
  readonly messages: { topic: string; partition: number; offset: string; value: string }[] = []
  private waiters: { readonly count: number; readonly resolve: () => void }[] = []

  /** An eachMessage handler that takes notes. */
  readonly take = async ({ topic, partition, message }: EachMessagePayload): Promise<void> => {
    this.add(topic, partition, message.offset, message.value)
  }

  add(topic: string, partition: number, offset: string, value: Buffer | null): void {
    this.messages.push({ topic, partition, offset, value: value?.toString() ?? '' })
    this.waiters = this.waiters.filter(({ count, resolve }) => {
      if (this.messages.length < count) return true
      resolve()
      return false
    })
  }

  get values(): string[] {
    return this.messages.map(({ value }) => value)
  }

  get offsets(): string[] {
    return this.messages.map(({ offset }) => offset)
  }

  of(partition: number): string[] {
    return this.messages.filter((message) => message.partition === partition).map(({ value }) => value)
  }

  /** Resolves when so many messages have come. The spec's own time-out is the deadline. */
  count(count: number): Promise<void> {
    if (this.messages.length >= count) return Promise.resolve()
    return new Promise((resolve) => this.waiters.push({ count, resolve }))
  }
}

/** A promise and the means to settle it. */
export function deferred<T = void>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: Error) => void
} {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** The values 'a-0', 'a-1', …: `count` of them from `from` on. */
export function values(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${from + i}`)
}
