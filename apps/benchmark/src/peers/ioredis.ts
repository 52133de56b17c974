import { createRequire } from 'node:module'
import { Redis } from 'ioredis'
import { installedVersion } from './installed-version.js'
import type { BenchRecord, Peer, Sink, Topic, Unit } from './peer.js'
import type { PeerSettings } from './settings.js'

const COUNT = 500
/** How long a read waits for entries, ms. */
const BLOCK = 1000

/** Streams by hand: a stream a partition, an entry a record, nothing checked. The bound of what Redis's own types give. */
export class IORedisPeer implements Peer<string[]> {
  readonly expectedRate = 400_000
  readonly consumesOnce = false
  readonly #redis: Redis

  constructor(private readonly settings: PeerSettings) {
    this.#redis = new Redis(settings.redisUrl, { lazyConnect: true })
  }

  async connect(): Promise<string> {
    await this.#redis.connect()
    return `ioredis ${installedVersion(createRequire(import.meta.url).resolve('ioredis'))}`
  }

  async createTopic(): Promise<void> {} // the first XADD makes the stream

  async deleteTopic(topic: Topic): Promise<void> {
    await this.#redis.unlink(this.#streams(topic))
  }

  async send(topic: Topic, records: BenchRecord[]): Promise<string[]> {
    const [first] = records
    if (records.length === 1 && first !== undefined) {
      const id = await this.#redis.xadd(this.#streamOf(topic, first), '*', 'k', first.key, 'v', first.value)
      return [String(id)]
    }
    const pipeline = this.#redis.pipeline()
    for (const record of records) pipeline.xadd(this.#streamOf(topic, record), '*', 'k', record.key, 'v', record.value)
    const results = (await pipeline.exec()) ?? []
    const ids: string[] = []
    for (const [error, id] of results) {
      if (error !== null) throw error
      ids.push(String(id))
    }
    return ids
  }

  /** Ids are distinct within a stream only, and an answer does not say which stream: nothing to compare. */
  positions(): string[] {
    return []
  }

  async stored(topic: Topic): Promise<number> {
    const lengths = await Promise.all(this.#streams(topic).map((stream) => this.#redis.xlen(stream)))
    return lengths.reduce((sum, length) => sum + length, 0)
  }

  async consume(topic: Topic, unit: Unit, sink: Sink): Promise<() => Promise<void>> {
    const redis = this.#redis.duplicate()
    const streams = this.#streams(topic)
    const partitions = new Map(streams.map((stream, partition) => [stream, partition]))
    const after = streams.map(() => '0-0')
    const taken = streams.map(() => 0)
    const stop = new AbortController()
    const read = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const reply = await redis.xread('COUNT', COUNT, 'BLOCK', BLOCK, 'STREAMS', ...streams, ...after)
        for (const [stream, entries] of reply ?? []) {
          const partition = partitions.get(stream) ?? 0
          after[partition] = entries.at(-1)?.[0] ?? '0-0'
          let bytes = 0
          for (const [, fields] of entries) {
            const size = fields[3]?.length ?? 0
            if (unit === 'message') sink.take(1, size)
            else bytes += size
            if (sink.checking) sink.at(partition, String(taken[partition]))
            taken[partition] = (taken[partition] ?? 0) + 1
          }
          if (unit === 'batch') sink.take(entries.length, bytes)
        }
      }
    }
    const reading = read().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    })
    return async () => {
      stop.abort()
      redis.disconnect()
      await reading
    }
  }

  async close(): Promise<void> {
    this.#redis.disconnect()
  }

  #streams({ name, partitions }: Topic): string[] {
    return Array.from({ length: partitions }, (_, partition) => this.#stream(name, partition))
  }

  /** Keys are k and a number. */
  #streamOf({ name, partitions }: Topic, { key }: BenchRecord): string {
    return this.#stream(name, Number(key.slice(1)) % partitions)
  }

  #stream(name: string, partition: number): string {
    return `${this.settings.prefix}:ioredis:${name}:${partition}`
  }
}
