/**
 * The topics of a namespace. Entries change by compare-and-set, one script a change, which also announces it; each client
 * keeps what it has read until it is told of a change.
 *
 * A topic's partitions are made first and its entry last, and deletion goes the other way round: whoever finds an entry
 * finds the partitions. A client that dies in between leaves partitions that nobody refers to (their keys hold the topic's
 * id, so that they are in no one's way).
 */
import { checkTopicName, KafkaError, parseTopicConfig, type NamespaceConfig } from '@rivulet/protocol'
import type { Connection } from '../connection/connection.js'
import type { StorageLogger } from '../connection/redis-target.js'
import { toKafkaError } from '../connection/server-errors.js'
import { DEFAULT_RETRY, retry } from '../connection/retry.js'
import { metaKeys } from '../keys.js'
import type { Partition } from '../log/types.js'
import { applyChanges, randomId, type Namespace } from '../namespace/namespace.js'
import { putTopic, type PutTopicResult } from '../scripts/put-topic.js'
import { TopicCache } from './topic-cache.js'
import {
  decodeTopicEntry,
  encodeTopicEntry,
  knownConfigs,
  shardsOf,
  topicOf,
  type Topic,
  type TopicEntry,
} from './topic-entry.js'

/** A topic was made, changed or deleted; or anything may have been, unnoticed. */
export type TopicChange = { readonly topic: string } | { readonly all: true }

/** What a topic is made from. */
export interface NewTopic {
  readonly name: string
  /** -1 or nothing: the namespace's num.partitions. */
  readonly numPartitions?: number
  /** Configs as texts by Kafka's keys; the others have their defaults. */
  readonly configs?: Readonly<Record<string, string>>
  /** Only checks whether it could be made. */
  readonly validateOnly?: boolean
}

/** Makes and deletes partition logs; both do nothing where there is nothing to do. */
interface PartitionStore {
  create(partition: Partition): Promise<void>
  delete(partition: Partition): Promise<void>
}

/** More partitions of one topic than this are taken for a mistake. */
const MAX_PARTITIONS = 100_000
/** Partitions made or deleted at a time. */
const CHUNK = 128
/** What did not get through is tried again this often, whenever the connection is back. */
const RETRY = { ...DEFAULT_RETRY, initialRetryTime: 50 }
/** Changes of one topic by several clients at once: each round one of them gets through. */
const MAX_CONFLICTS = 50

export interface RegistryParts {
  readonly connection: Connection
  readonly namespace: Namespace
  readonly partitions: PartitionStore
  /** How long an entry is kept where no change of it is heard of, in ms. Kafka's `metadata.max.age.ms`. */
  readonly metadataMaxAge: number
  readonly logger: StorageLogger
}

export class TopicRegistry {
  readonly #parts: RegistryParts
  readonly #cache: TopicCache
  readonly #listeners = new Set<(change: TopicChange) => void>()

  constructor(parts: RegistryParts) {
    this.#parts = parts
    this.#cache = new TopicCache(parts.metadataMaxAge)
  }

  /** The topic, or null; from the cache where it is there. @throws KafkaError what kept it from being read */
  get(name: string): Promise<Topic | null> {
    const cached = this.#cache.get(name)
    return cached === undefined ? this.refresh(name) : Promise.resolve(cached)
  }

  /** The topic, if it is in the cache: for hot paths. */
  cached(name: string): Topic | undefined {
    return this.#cache.get(name)
  }

  /** The topic as it is stored now, or null. */
  refresh(name: string): Promise<Topic | null> {
    return this.#cache.read(name, async () => {
      const json = await this.#read(name)
      return json === null ? null : topicOf(name, decodeTopicEntry(name, json))
    })
  }

  /** All topics, by name. One that this release cannot read is left out, and logged. */
  async list(): Promise<Topic[]> {
    const { connection, namespace, logger } = this.#parts
    const entries = await connection.command((client) => client.hgetall(this.#keys.topics), {
      operation: `topics of namespace ${namespace.name}`,
    })
    const topics: Topic[] = []
    for (const [name, json] of Object.entries(entries)) {
      try {
        topics.push(topicOf(name, decodeTopicEntry(name, json)))
      } catch (error) {
        logger.error(`topic ${name} is left out: ${toKafkaError(error).message}`)
      }
    }
    return topics.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Makes a topic.
   *
   * @throws KafkaError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG, OUT_OF_MEMORY
   */
  async create({ name, numPartitions = -1, configs = {}, validateOnly = false }: NewTopic): Promise<Topic> {
    checkTopicName(name)
    parseTopicConfig(configs)
    const count = numPartitions === -1 ? (await this.namespaceConfig()).numPartitions : numPartitions
    checkPartitionCount(name, count)
    if ((await this.#read(name)) !== null) throw alreadyExists(name)
    const entry: TopicEntry = {
      id: randomId(),
      shards: shardsOf(name, 0, count, this.#shards),
      configs: { ...configs },
    }
    const topic = topicOf(name, entry)
    if (validateOnly) return topic
    await this.#make(topic.partitions, async () => {
      const result = await this.#put({ topic: name, expected: null, entry: encodeTopicEntry(entry) })
      if (!result.changed) throw alreadyExists(name)
    })
    return this.#stored(topic)
  }

  /** Deletes a topic and all its records. @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION */
  async delete(name: string): Promise<void> {
    const topic = await this.#change(name, () => null)
    this.#cache.drop(name)
    // Nothing refers to the partitions any more: now or never.
    await inChunks(topic.partitions, (partition) => persist(() => this.#parts.partitions.delete(partition)))
  }

  /**
   * Gives a topic more partitions: `total` altogether.
   *
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS where it has that many or more
   */
  async addPartitions(name: string, total: number, { validateOnly = false } = {}): Promise<Topic> {
    checkPartitionCount(name, total)
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      const json = await this.#existing(name)
      const old = decodeTopicEntry(name, json)
      const count = old.shards.length
      if (total <= count) {
        throw new KafkaError('INVALID_PARTITIONS', `topic ${name} has ${count} partitions: ${total} is not more`)
      }
      const added = shardsOf(name, count, total, this.#shards)
      const entry = { ...old, shards: [...old.shards, ...added] }
      const topic = topicOf(name, entry)
      if (validateOnly) return topic
      // Not deleted again when the entry loses a race: whoever won may have made the very same partitions.
      await inChunks(topic.partitions.slice(count), (partition) => this.#parts.partitions.create(partition))
      const change = { topic: name, expected: json, entry: encodeTopicEntry(entry) }
      if ((await this.#put(change)).changed) return this.#stored(topic)
    }
    throw tooManyConflicts(name)
  }

  /**
   * Sets configs of a topic, and gives those their default back whose value is null.
   *
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_CONFIG naming key and value
   */
  async alterConfigs(
    name: string,
    changes: Readonly<Record<string, string | null>>,
    { validateOnly = false } = {},
  ): Promise<Topic> {
    const apply = (old: TopicEntry): TopicEntry => {
      parseTopicConfig(applyChanges(knownConfigs(old.configs), changes))
      return { ...old, configs: applyChanges(old.configs, changes) }
    }
    if (validateOnly) return topicOf(name, apply(decodeTopicEntry(name, await this.#existing(name))))
    return this.#stored(await this.#change(name, apply))
  }

  /**
   * Calls the listener at each change of a topic, by whomever; with `all` when changes may have been missed.
   *
   * @returns what takes the listener away
   */
  watch(listener: (change: TopicChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What was announced: the cache is dropped before anyone is told. */
  changed(change: TopicChange): void {
    if ('all' in change) this.#cache.dropAll()
    else this.#cache.drop(change.topic)
    for (const listener of [...this.#listeners]) listener(change)
  }

  /** The namespace's configuration, defaults filled in; other clients' changes show within seconds. */
  namespaceConfig(): Promise<NamespaceConfig> {
    return this.#parts.namespace.config()
  }

  get #keys() {
    return metaKeys(this.#parts.namespace.name)
  }

  get #shards(): number {
    return this.#parts.namespace.tags.length
  }

  /**
   * An answer that was lost may have been a success: the change is tried again, and if the entry is then what it was to
   * become, it is made.
   */
  async #put(change: {
    readonly topic: string
    readonly expected: string | null
    readonly entry: string | null
  }): Promise<PutTopicResult> {
    const { connection, namespace } = this.#parts
    const result = await persist(() => putTopic(connection, namespace.name, change))
    return !result.changed && result.found === change.entry ? { changed: true } : result
  }

  #read(name: string): Promise<string | null> {
    return this.#parts.connection.command((client) => client.hget(this.#keys.topics, name), { topic: name })
  }

  async #existing(name: string): Promise<string> {
    const json = await this.#read(name)
    if (json === null) throw unknownTopic(name)
    return json
  }

  // Not put into the cache: another client's change of it, made after this one, may have been announced before the answer
  // to this one came.
  #stored(topic: Topic): Topic {
    this.#cache.drop(topic.name)
    return topic
  }

  /** Compare-and-set, again after each change by somebody else. @returns the new topic, or the one deleted */
  async #change(name: string, next: (entry: TopicEntry) => TopicEntry | null): Promise<Topic> {
    let json = await this.#existing(name)
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      const old = decodeTopicEntry(name, json)
      const entry = next(old)
      const change = { topic: name, expected: json, entry: entry === null ? null : encodeTopicEntry(entry) }
      const result = await this.#put(change)
      if (result.changed) return topicOf(name, entry ?? old)
      if (result.found === null) throw unknownTopic(name)
      json = result.found
    }
    throw tooManyConflicts(name)
  }

  /** Makes partitions, then what refers to them; where that fails for good, they are deleted again. */
  async #make(partitions: readonly Partition[], refer: () => Promise<void>): Promise<void> {
    try {
      await inChunks(partitions, (partition) => this.#parts.partitions.create(partition))
      await refer()
    } catch (error) {
      // After a retriable failure (no answer) the entry may be there: partitions without an entry do less harm than an
      // entry without partitions.
      if (!(error instanceof KafkaError) || !mayHaveHappened(error)) {
        await inChunks(partitions, (partition) => this.#parts.partitions.delete(partition)).catch(() => undefined)
      }
      throw error
    }
  }
}

function mayHaveHappened(error: KafkaError): boolean {
  return error.type === 'NETWORK_EXCEPTION' || error.type === 'REQUEST_TIMED_OUT' || error.type === 'CLIENT_CLOSED'
}

/** Again after a lost connection or a lost answer. */
function persist<T>(attempt: () => Promise<T>): Promise<T> {
  return retry(RETRY, attempt, (error) => error instanceof KafkaError && mayHaveHappened(error) && error.retriable)
}

async function inChunks(
  partitions: readonly Partition[],
  work: (partition: Partition) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < partitions.length; at += CHUNK) {
    await Promise.all(partitions.slice(at, at + CHUNK).map(work))
  }
}

function checkPartitionCount(topic: string, count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_PARTITIONS) return
  throw new KafkaError(
    'INVALID_PARTITIONS',
    `topic ${topic} cannot have ${count} partitions: the number must be whole, from 1 to ${MAX_PARTITIONS}`,
  )
}

const alreadyExists = (name: string): KafkaError =>
  new KafkaError('TOPIC_ALREADY_EXISTS', `topic ${name} exists already`)

const unknownTopic = (name: string): KafkaError =>
  new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${name} does not exist`)

const tooManyConflicts = (name: string): KafkaError =>
  new KafkaError('REQUEST_TIMED_OUT', `topic ${name} was changed by others ${MAX_CONFLICTS} times in a row: try again`)
