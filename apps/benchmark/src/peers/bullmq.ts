import { createRequire } from 'node:module'
import { type Job, Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { installedVersion } from './installed-version.js'
import type { BenchRecord, Peer, Sink, Topic, Unit } from './peer.js'
import type { PeerSettings } from './settings.js'

/** How many jobs a worker has in hand at a time. */
const CONCURRENCY = 100

/** A queue is not a log: there are neither partitions nor offsets, and a job is gone when it is done. */
export class BullMQPeer implements Peer<Job[]> {
  readonly expectedRate = 10_000
  readonly consumesOnce = true
  readonly #redis: Redis
  readonly #queues = new Map<string, Queue>()

  constructor(private readonly settings: PeerSettings) {
    this.#redis = new Redis(settings.redisUrl, { lazyConnect: true, maxRetriesPerRequest: null })
  }

  async connect(): Promise<string> {
    await this.#redis.connect()
    return `BullMQ ${installedVersion(createRequire(import.meta.url).resolve('bullmq'))}`
  }

  async createTopic({ name }: Topic): Promise<void> {
    const queue = new Queue(name, {
      connection: this.#redis,
      prefix: this.#prefix,
      defaultJobOptions: { removeOnComplete: true },
    })
    this.#queues.set(name, queue)
    await queue.waitUntilReady()
  }

  async deleteTopic({ name }: Topic): Promise<void> {
    const queue = this.#queue(name)
    await queue.obliterate({ force: true, count: 5000 })
    await queue.close()
    this.#queues.delete(name)
  }

  async send({ name }: Topic, records: BenchRecord[]): Promise<Job[]> {
    const queue = this.#queue(name)
    const [first] = records
    if (records.length === 1 && first !== undefined) return [await queue.add(first.key, first.value)]
    return queue.addBulk(records.map(({ key, value }) => ({ name: key, data: value })))
  }

  positions(jobs: Job[]): string[] {
    return jobs.map(({ id }) => String(id))
  }

  async stored({ name }: Topic): Promise<number> {
    return this.#queue(name).getWaitingCount()
  }

  async consume({ name }: Topic, _: Unit, sink: Sink): Promise<() => Promise<void>> {
    const worker = new Worker<string>(
      name,
      async (job) => {
        if (sink.checking) sink.at(0, String(Number(job.id) - 1))
        sink.take(1, job.data.length)
      },
      { connection: this.#redis, prefix: this.#prefix, concurrency: CONCURRENCY },
    )
    await worker.waitUntilReady()
    return () => worker.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()))
    this.#redis.disconnect()
  }

  get #prefix(): string {
    return `${this.settings.prefix}:bullmq`
  }

  #queue(name: string): Queue {
    const queue = this.#queues.get(name)
    if (queue === undefined) throw new Error(`There is no queue ${name}`)
    return queue
  }
}
