import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

const SETTINGS = ['appendonly', 'save', 'maxmemory', 'maxmemory-policy', 'io-threads']
/** How long the server may take to free what was unlinked, ms. */
const PATIENCE = 10_000

/** The benchmark's own look at the server: outside of what is measured. */
export class RedisObserver {
  readonly #redis: Redis

  constructor(url: string) {
    this.#redis = new Redis(url)
  }

  async settings(): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const name of SETTINGS) {
      const reply: unknown = await this.#redis.config('GET', name).catch(() => null) // managed servers refuse CONFIG
      if (Array.isArray(reply) && reply.length === 2) found[name] = String(reply[1])
    }
    return found
  }

  /** Resolves when nothing waits to be freed in the background any more, which would take time from the next peer. */
  async settle(): Promise<void> {
    for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(50)) {
      const info = await this.#redis.info('memory')
      if (/^lazyfree_pending_objects:0\r?$/m.test(info)) return
    }
  }

  /** Removes every key below the prefix. */
  async removeKeys(prefix: string): Promise<void> {
    let cursor = '0'
    do {
      const [next, keys] = await this.#redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000)
      if (keys.length > 0) await this.#redis.unlink(keys)
      cursor = next
    } while (cursor !== '0')
  }

  close(): void {
    this.#redis.disconnect()
  }
}

/** Counts the commands that clients send, by MONITOR; what scripts call does not count. */
export class CommandCounter {
  count = 0

  private constructor(private readonly monitor: Redis) {
    monitor.on('monitor', (_time: string, _args: string[], source: string) => {
      if (source !== 'lua') this.count++
    })
  }

  static async open(url: string): Promise<CommandCounter> {
    const redis = new Redis(url)
    try {
      return new CommandCounter(await redis.monitor())
    } finally {
      redis.disconnect()
    }
  }

  close(): void {
    this.monitor.disconnect()
  }
}
