/**
 * A connection to a namespace: topics, their logs, and what else is shared by everyone who works with them.
 */
import { setMaxListeners } from 'node:events'
import { checkNamespace } from '@rivulet/protocol'
import type { StorageBackend } from './backend.js'
import { connectRedis, type RedisServer } from './connection/connect.js'
import type { Connection } from './connection/connection.js'
import { isCluster, silentLogger, type RedisTarget, type StorageLogger } from './connection/redis-target.js'
import { DEFAULT_RETRY, type RetryOptions } from './connection/retry.js'
import { mergeFacts, type ServerFacts } from './connection/server-facts.js'
import { Subscriber } from './connection/subscriber.js'
import { Keyspace, metaKeys } from './keys.js'
import { RedisAppender } from './log/appender.js'
import { Ceiling } from './log/ceiling.js'
import { PartitionLog } from './log/partition-log.js'
import { RedisLogReader } from './log/reader.js'
import { SegmentRoller } from './log/segment-roller.js'
import type { Appender, LogReader, Partition } from './log/types.js'
import { defaultCeiling } from './namespace/default-ceiling.js'
import { Namespace } from './namespace/namespace.js'
import { slotOf } from './namespace/shard-tags.js'
import { TopicRegistry } from './registry/topic-registry.js'
import { askServerRights, type ServerRights } from './scripts/server-rights.js'

export interface StorageOptions {
  /** Where Redis is. */
  readonly redis: RedisTarget
  /** The prefix of all keys; 'rivulet'. */
  readonly namespace?: string
  /** How the connections show in CLIENT LIST; 'rivulet'. Kafka's `client.id`. */
  readonly clientId?: string
  /** For connecting to one address and logging in, in ms; 1,000. kafkajs's connectionTimeout. */
  readonly connectionTimeout?: number
  /** For an answer, and for a lost connection to come back, in ms; 30,000. Kafka's `request.timeout.ms`. */
  readonly requestTimeout?: number
  /** How many shards a namespace gets that does not exist yet; 12. */
  readonly shards?: number
  /** How often, and how far apart, connecting is tried; kafkajs's retry options and defaults. */
  readonly retry?: Partial<RetryOptions>
  /** How long a topic's metadata is kept without news of it, in ms; 300,000. Kafka's `metadata.max.age.ms`. */
  readonly metadataMaxAge?: number
  readonly logger?: StorageLogger
  /** Its abort gives up connecting: CLIENT_CLOSED. Nothing follows from it later. */
  readonly signal?: AbortSignal
}

/** What a namespace runs on, in Kafka's terms. */
export interface ClusterDescription {
  readonly clusterId: string
  readonly nodes: readonly { readonly id: number; readonly host: string; readonly port: number }[]
  /** The node that answers for the topics' metadata. */
  readonly controller: number | null
  /** The node that holds a partition; -1: none does at the moment. */
  leaderOf(partition: Partition): number
}

interface StorageParts {
  readonly server: RedisServer
  readonly command: Connection
  readonly namespace: Namespace
  readonly facts: ServerFacts
  readonly options: StorageOptions
  readonly logger: StorageLogger
}

export class Storage {
  readonly topics: TopicRegistry
  readonly log: PartitionLog
  /** What was learnt of the other side at connect. */
  readonly facts: ServerFacts

  readonly #parts: StorageParts
  readonly #keyspace: Keyspace
  readonly #roller: SegmentRoller
  readonly #ceiling: Ceiling
  readonly #open = new Set<{ close(): Promise<void> }>()
  /** Gives up the connections that are being opened. */
  readonly #abort = new AbortController()
  /** null: the user may not listen to channels. */
  #subscriber: Subscriber | null = null
  #closing: Promise<void> | undefined

  private constructor(parts: StorageParts) {
    const { command, namespace, facts, options, logger } = parts
    this.#parts = parts
    this.facts = facts
    this.#open.add(command)
    // As many as connections are opened at a time: no leak that Node would have to warn of.
    setMaxListeners(0, this.#abort.signal)
    this.#keyspace = new Keyspace(namespace.name, namespace.tags)
    this.log = new PartitionLog(command, this.#keyspace, facts.infoInScripts)
    this.topics = new TopicRegistry({
      connection: command,
      namespace,
      partitions: this.log,
      metadataMaxAge: options.metadataMaxAge ?? 300_000,
      logger,
    })
    this.#roller = new SegmentRoller(this.log, logger)
    this.#ceiling = new Ceiling({
      connection: command,
      keyspace: this.#keyspace,
      log: this.log,
      maxBytes: async () => {
        const { maxBytes } = await namespace.config()
        return maxBytes === -1 ? defaultCeiling(facts) : maxBytes
      },
      partitions: async () =>
        (await this.topics.list()).flatMap(({ partitions, config }) =>
          partitions.map((partition) => ({ partition, config })),
        ),
    })
  }

  /**
   * Connects, checks the server, and joins the namespace, which is made if it does not exist.
   *
   * @throws KafkaError naming the address, the option or the right that is the matter: NETWORK_EXCEPTION,
   *   SASL_AUTHENTICATION_FAILED, CLUSTER_AUTHORIZATION_FAILED, UNSUPPORTED_SERVER, NOT_LEADER_OR_FOLLOWER (a replica),
   *   LEADER_NOT_AVAILABLE (loading, failing over), UNSUPPORTED_VERSION (a newer release's namespace), INVALID_OPTION
   */
  static async connect(options: StorageOptions): Promise<Storage> {
    const name = options.namespace ?? 'rivulet'
    checkNamespace(name)
    const logger = options.logger ?? silentLogger
    const server = await connectRedis({
      target: options.redis,
      clientId: options.clientId ?? 'rivulet',
      connectionTimeout: options.connectionTimeout ?? 1_000,
      requestTimeout: options.requestTimeout ?? 30_000,
      retry: { ...DEFAULT_RETRY, ...options.retry },
      logger,
      signal: options.signal,
    })
    const { signal } = options
    const command = await server.open('command', signal)
    const giveUp = (): void => void command.close()
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      const rights = await askServerRights(command, name)
      warnOfMissingRights(rights, logger)
      const namespace = await Namespace.join(command, name, options.shards ?? 12)
      const { subscribe, ...known } = rights
      const facts = mergeFacts(server.primaries, known)
      const storage = new Storage({ server, command, namespace, facts, options, logger })
      const giveUpAll = (): void => void storage.close()
      signal?.addEventListener('abort', giveUpAll, { once: true })
      try {
        if (subscribe) await storage.#watch()
      } catch (error) {
        await storage.close()
        throw error
      } finally {
        signal?.removeEventListener('abort', giveUpAll)
      }
      return storage
    } catch (error) {
      await command.close()
      throw error
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** The namespace's prefix. */
  get namespace(): string {
    return this.#parts.namespace.name
  }

  /** The id of the namespace, as Kafka's cluster id: 22 characters of base64url. */
  get clusterId(): string {
    return this.#parts.namespace.clusterId
  }

  /** For rooms that keep something of their own beside the topics. */
  get backend(): StorageBackend {
    return {
      connection: this.#parts.command,
      keyspace: this.#keyspace,
      infoInScripts: this.facts.infoInScripts,
      subscribe: async (channel, listener) =>
        this.#subscriber?.subscribe(channel, listener) ?? (() => Promise.resolve()),
    }
  }

  /** Opens an appender, with a connection of its own. @throws KafkaError when Redis cannot be reached */
  async openAppender(): Promise<Appender> {
    const appender = new RedisAppender({
      connection: await this.#parts.server.open('appender', this.#abort.signal),
      keyspace: this.#keyspace,
      ceiling: this.#ceiling,
      roller: this.#roller,
      epochsKept: this.facts.infoInScripts,
    })
    return this.#keep(appender)
  }

  /** Opens a reader, with connections of its own. @throws KafkaError when Redis cannot be reached */
  async openReader(): Promise<LogReader> {
    const reader = new RedisLogReader({
      log: this.log,
      keyspace: this.#keyspace,
      connection: await this.#parts.server.open('reader-fetch', this.#abort.signal),
      openBlocking: (signal) => this.#parts.server.open('reader-block', signal),
      canUnblock: this.facts.clientUnblock,
    })
    return this.#keep(reader)
  }

  /** What the namespace runs on: one node, or a Cluster's primaries. */
  async describeCluster(): Promise<ClusterDescription> {
    const { command, namespace } = this.#parts
    await command.ready()
    const { client } = command
    const places = (isCluster(client) ? client.nodes('master') : [client]).map(({ options }) => ({
      host: options.path ?? options.host ?? 'localhost',
      port: options.path === undefined || options.path === null ? (options.port ?? 6379) : 0,
    }))
    const nodes = places
      .toSorted((a, b) => (a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1))
      .map((place, id) => ({ id, ...place }))
    const leaderOf = ({ shard }: Partition): number => {
      if (!isCluster(client)) return nodes[0]?.id ?? -1
      const primary = client.slots[slotOf(this.#keyspace.tag(shard))]?.[0]
      return nodes.find(({ host, port }) => `${host}:${port}` === primary)?.id ?? -1
    }
    return { clusterId: namespace.clusterId, nodes, controller: nodes[0]?.id ?? null, leaderOf }
  }

  /** The configs that were set for the namespace, as texts by their keys; the others have their defaults. */
  namespaceConfigs(): Promise<Record<string, string>> {
    return this.#parts.namespace.configEntries()
  }

  /**
   * Sets configs of the namespace, and gives those their default back whose value is null.
   *
   * @throws KafkaError INVALID_CONFIG naming key and value
   */
  async alterNamespaceConfigs(changes: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#parts.namespace.alterConfig(changes)
  }

  /** Closes all connections, the appenders' and readers' included. Takes at most a second, whatever is going on. */
  close(): Promise<void> {
    this.#abort.abort()
    this.#closing ??= Promise.all([...this.#open].map((part) => part.close())).then(() => undefined)
    return this.#closing
  }

  async #watch(): Promise<void> {
    const { server, namespace, logger } = this.#parts
    this.#subscriber = new Subscriber(await server.open('subscriber', this.#abort.signal), logger)
    this.#open.add(this.#subscriber)
    await this.#subscriber.subscribe(metaKeys(namespace.name).changes, (topic) =>
      this.topics.changed(topic === null ? { all: true } : { topic }),
    )
  }

  // Closed meanwhile: what was just opened must not stay behind.
  async #keep<T extends Appender | LogReader>(part: T): Promise<T> {
    if (this.#closing !== undefined) {
      await part.close()
      return part
    }
    this.#open.add(part)
    const close = part.close.bind(part)
    part.close = () => {
      this.#open.delete(part)
      return close()
    }
    return part
  }
}

function warnOfMissingRights(rights: ServerRights, logger: StorageLogger): void {
  if (!rights.infoInScripts) {
    logger.warn(
      'INFO is not permitted to scripts: there are no leader epochs, and records lost in a failover go unnoticed',
    )
  }
  if (!rights.clientUnblock) {
    logger.warn('CLIENT ID or CLIENT UNBLOCK is not permitted: blocking reads are kept short, which costs requests')
  }
  if (!rights.subscribe) {
    logger.warn('SUBSCRIBE is not permitted: changes of topics are noticed when their metadata expires, not at once')
  }
}
