/**
 * A namespace: what a cluster is to Kafka. Everything under one prefix in one Redis, made once and read by everyone.
 *
 *     <ns>:{meta}:cluster   hash
 *       format        1: the number of this format; a release that knows only older ones refuses the namespace
 *       id            the cluster id: a random UUID, 22 characters of base64url
 *       shards        the shards' hash tags, separated by spaces; a shard is known by its place in this list
 *       version       how often the topic registry has changed
 *       config:<key>  the namespace's configs, as texts: config:num.partitions
 */
import { randomBytes } from 'node:crypto'
import {
  checkNamespace,
  KafkaError,
  namespaceConfigs,
  parseNamespaceConfig,
  type NamespaceConfig,
} from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import { metaKeys } from '../keys.js'
import { createNamespace, type StoredNamespace } from '../scripts/create-namespace.js'
import { shardTags } from './shard-tags.js'

const FORMAT = 1
const MAX_SHARDS = 1_024
const CONFIG_PREFIX = 'config:'

/** How long a namespace's configuration is taken for current, in ms. */
const CONFIG_MAX_AGE = 5_000

const proposal = (shards: number) => ({ format: FORMAT, id: randomId(), tags: shardTags(shards) })

async function readNamespace(connection: Connection, name: string): Promise<StoredNamespace> {
  const [format = null, id = null, shards = null] = await connection.command(
    (client) => client.hmget(metaKeys(name).cluster, 'format', 'id', 'shards'),
    { operation: `joining ${name}` },
  )
  return { format, id, shards }
}

export class Namespace {
  #config: { readonly value: Promise<NamespaceConfig>; readonly until: number } | undefined

  private constructor(
    private readonly connection: Connection,
    readonly name: string,
    /** 22 characters of base64url. */
    readonly clusterId: string,
    /** The hash tag of each shard, by the shard's number. */
    readonly tags: readonly string[],
  ) {}

  /**
   * Joins a namespace; makes it where there is none.
   *
   * @param shards how many shards it gets if it is made now
   * @throws KafkaError UNSUPPORTED_VERSION where a newer release made it, INVALID_OPTION for a bad name or number
   */
  static async join(connection: Connection, name: string, shards: number): Promise<Namespace> {
    checkNamespace(name)
    if (!Number.isInteger(shards) || shards < 1 || shards > MAX_SHARDS) {
      throw new KafkaError('INVALID_OPTION', `shards is ${shards}: it must be a whole number from 1 to ${MAX_SHARDS}`)
    }
    const found = await readNamespace(connection, name)
    // Choosing the tags takes tens of milliseconds: only who makes the namespace spends them.
    const stored = found.format === null ? await createNamespace(connection, name, proposal(shards)) : found
    const { id, tags } = parseNamespace(name, stored)
    return new Namespace(connection, name, id, tags)
  }

  /** The namespace's configuration, read within the last seconds. */
  config(now: number = Date.now()): Promise<NamespaceConfig> {
    if (this.#config === undefined || now >= this.#config.until) {
      const value = this.configEntries().then(parseNamespaceConfig)
      this.#config = { value, until: now + CONFIG_MAX_AGE }
      value.catch(() => {
        if (this.#config?.value === value) this.#config = undefined
      })
    }
    return this.#config.value
  }

  /** The configs that were set, as texts by their keys; the others have their defaults. */
  async configEntries(): Promise<Record<string, string>> {
    const key = metaKeys(this.name).cluster
    const fields = await this.connection.command((client) => client.hgetall(key), {
      operation: `configuration of namespace ${this.name}`,
    })
    const entries: Record<string, string> = {}
    for (const [field, value] of Object.entries(fields)) {
      const config = field.slice(CONFIG_PREFIX.length)
      // A newer release may have configs that this one does not know.
      if (field.startsWith(CONFIG_PREFIX) && Object.hasOwn(namespaceConfigs, config)) entries[config] = value
    }
    return entries
  }

  /**
   * Sets configs, and gives those their default back whose value is null. Other clients follow within seconds.
   *
   * @throws KafkaError INVALID_CONFIG naming key and value
   */
  async alterConfig(changes: Readonly<Record<string, string | null>>): Promise<NamespaceConfig> {
    const key = metaKeys(this.name).cluster
    const config = parseNamespaceConfig(applyChanges(await this.configEntries(), changes))
    const set: Record<string, string> = {}
    const reset: string[] = []
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) reset.push(CONFIG_PREFIX + name)
      else set[CONFIG_PREFIX + name] = value
    }
    const context = { operation: `configuration of namespace ${this.name}` }
    if (Object.keys(set).length > 0) await this.connection.command((client) => client.hset(key, set), context)
    if (reset.length > 0) await this.connection.command((client) => client.hdel(key, ...reset), context)
    this.#config = undefined
    return config
  }
}

/** Reads what is stored. @throws KafkaError UNSUPPORTED_VERSION naming the namespace, the format found and the one supported */
function parseNamespace(name: string, stored: StoredNamespace): { id: string; tags: string[] } {
  const format = Number(stored.format)
  const tags = stored.shards?.split(' ').filter((tag) => tag !== '') ?? []
  if (format === FORMAT && stored.id !== null && tags.length > 0) return { id: stored.id, tags }
  throw new KafkaError(
    'UNSUPPORTED_VERSION',
    format > FORMAT
      ? `namespace ${name} has format ${stored.format}, this release supports ${FORMAT}: update it`
      : `namespace ${name} cannot be read (format ${stored.format}, this release supports ${FORMAT}): ` +
          'something else may use this prefix',
  )
}

/** Entries with changes applied; null takes an entry away. */
export function applyChanges(
  entries: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const result: Record<string, string> = { ...entries }
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete result[key]
    else result[key] = value
  }
  return result
}

/** 128 random bits, 22 characters of base64url. */
export function randomId(): string {
  return randomBytes(16).toString('base64url')
}
