import { createHash } from 'node:crypto'
import { type CommandConnection, Script } from '@rivulet/storage'
import { TestStorage } from '@rivulet/testing'
import { sources } from '../src/scripts/sources.generated.js'
import { RedisGroupStore } from '../src/store/group-store.js'

/**
 * A group store on the run's server, in a namespace of its own, whose scripts see the time and the replication id that a spec
 * sets: the very same Lua, but that it reads the two from a key beside the group's.
 */
export class TestGroups {
  /** The server's clock, ms. */
  now = 1_700_000_000_000
  replicationId = 'cafebabe'
  readonly store: RedisGroupStore
  readonly #told = new Map<string, string>()

  private constructor(
    readonly test: TestStorage,
    infoInScripts: boolean,
  ) {
    const { backend, topics } = test.storage
    const connection: CommandConnection = {
      command: (issue, context) => backend.connection.command(issue, context),
      run: async (script, keys, args, context) => {
        const source = sourceOf(script.name)
        if (source === null) return backend.connection.run(script, keys, args, context)
        const [key = ''] = keys
        await this.#tell(key)
        return backend.connection.run(source, keys, args, context)
      },
    }
    this.store = new RedisGroupStore({ topics, backend: { ...backend, connection, infoInScripts } })
  }

  static async open({ infoInScripts = true } = {}): Promise<TestGroups> {
    return new TestGroups(await TestStorage.open(), infoInScripts)
  }

  /** The one key of a group that ends like that. */
  async key(groupId: string, name: string): Promise<string> {
    const entry: unknown = JSON.parse((await this.test.redis.hget(`${this.#namespace}:{meta}:groups`, groupId)) ?? '')
    if (typeof entry !== 'object' || entry === null || !('shard' in entry) || typeof entry.shard !== 'number') {
      throw new Error(`group ${groupId} has no entry`)
    }
    const { keyspace } = this.test.storage.backend
    return `${keyspace.group(groupId, entry.shard).group.replace(/:group$/, '')}:${name}`
  }

  close(): Promise<void> {
    return this.test.close()
  }

  /** Puts time and replication id where the scripts of that group read them. */
  async #tell(key: string): Promise<void> {
    const state = `${this.now} ${this.replicationId}`
    if (this.#told.get(key) === state) return
    await this.test.redis.mset(`${key}:now`, this.now, `${key}:info`, `master_replid:${this.replicationId}0123456789`)
    this.#told.set(key, state)
  }

  get #namespace(): string {
    return this.test.storage.namespace
  }
}

const scripts = new Map<string, Script>()

/** The script with the clock and the replication id read from keys; null: it is none of a group's. */
function sourceOf(name: string): Script | null {
  const known = scripts.get(name)
  if (known !== undefined) return known
  if (!isSource(name) || name === 'put-group') return null
  const lua = sources[name].lua
    .replaceAll(
      "redis.call('TIME')",
      "{ math.floor(redis.call('GET', KEYS[1] .. ':now') / 1000), redis.call('GET', KEYS[1] .. ':now') % 1000 * 1000 }",
    )
    .replaceAll("redis.call('INFO', 'replication')", "redis.call('GET', KEYS[1] .. ':info')")
  const script = new Script(name, { lua, sha1: createHash('sha1').update(lua).digest('hex') })
  scripts.set(name, script)
  return script
}

function isSource(name: string): name is keyof typeof sources {
  return Object.hasOwn(sources, name)
}
