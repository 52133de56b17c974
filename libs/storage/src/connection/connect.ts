/**
 * Finds out what is at the addresses given (one server, a Cluster, nothing of use), and opens connections to it.
 */
import { KafkaError } from '@rivulet/protocol'
import { Cluster, Redis, type ClusterNode, type RedisOptions } from 'ioredis'
import { parseAddresses, type RedisAddress } from './addresses.js'
import {
  Backoff,
  checkNoDatabase,
  clientOptions,
  clusterOptions,
  connectionName,
  type ConnectionSettings,
} from './client-options.js'
import { Connection } from './connection.js'
import {
  isCluster,
  isClusterTarget,
  isRedisClient,
  type ConnectionRole,
  type RedisTarget,
  type StorageLogger,
} from './redis-target.js'
import { isError, toKafkaError } from './server-errors.js'
import {
  checkVersion,
  evictionWarning,
  notRedis,
  serverInfoFromHello,
  serverInfoFromInfo,
  type ServerInfo,
} from './server-facts.js'
import { retry, type RetryOptions } from './retry.js'

export interface ConnectOptions extends ConnectionSettings {
  readonly target: RedisTarget
  readonly retry: RetryOptions
  readonly logger: StorageLogger
  /** Its abort gives up finding out; the connections opened later have their own. */
  readonly signal?: AbortSignal | undefined
}

/** The other side, once it is known what it is. */
export interface RedisServer {
  /** Of the primary that was found; in a Cluster, of each primary that answers. */
  readonly primaries: readonly ServerInfo[]
  readonly cluster: boolean
  /** Opens a connection of its own for a role; the signal gives up. @throws KafkaError as `Connection.open` does */
  open(role: ConnectionRole, signal?: AbortSignal): Promise<Connection>
}

/**
 * Asks the addresses in turn until one answers as a primary, or as a member of a Cluster; where none can be reached, all of
 * them again, as `retry` says.
 *
 * @throws KafkaError naming the address: NETWORK_EXCEPTION (nobody answers), SASL_AUTHENTICATION_FAILED,
 *   CLUSTER_AUTHORIZATION_FAILED, UNSUPPORTED_SERVER (not a Redis, or too old), NOT_LEADER_OR_FOLLOWER (a replica),
 *   LEADER_NOT_AVAILABLE (loading), INVALID_OPTION
 */
export async function connectRedis(options: ConnectOptions): Promise<RedisServer> {
  const { redis } = options.target
  if (redis !== undefined && isClusterTarget(redis)) return connectCluster(options, redis.cluster.nodes, null)
  if (redis !== undefined && isRedisClient(redis) && isCluster(redis))
    return connectCluster(options, startupNodes(redis), null)
  const addresses = await retry(options.retry, () => resolveAddresses(options.target), isRetriable)
  const found = await retry(options.retry, () => findPrimary(options, addresses), isRetriable)
  const at = addresses[found.index] ?? null
  if (found.info.cluster) {
    for (const address of addresses) checkNoDatabase(address, options.target)
    return connectCluster(
      options,
      addresses.map((address) => clusterNode(options.target, address)),
      at,
    )
  }
  warnOfEviction(options.logger, [found.info])
  return {
    primaries: [found.info],
    cluster: false,
    open: (role, signal) => openSingle(options, addresses, found.index, role, signal),
  }
}

const isRetriable = (error: unknown): boolean => error instanceof KafkaError && error.retriable

/** null stands for what ioredis's own options say: Sentinels, or host and port. */
async function resolveAddresses({ addresses, redis }: RedisTarget): Promise<(RedisAddress | null)[]> {
  if (addresses === undefined) {
    if (redis !== undefined) return [null]
    throw new KafkaError('INVALID_OPTION', 'neither brokers nor redis is given: nothing says where Redis is')
  }
  if (typeof addresses !== 'function') return parseAddresses(addresses)
  let answer: readonly string[]
  try {
    answer = await addresses()
  } catch (cause) {
    const reason = isError(cause) ? cause.message : String(cause)
    throw new KafkaError('NETWORK_EXCEPTION', `the brokers function failed: ${reason}`, { cause })
  }
  return parseAddresses(answer)
}

async function findPrimary(
  options: ConnectOptions,
  addresses: readonly (RedisAddress | null)[],
): Promise<{ index: number; info: ServerInfo }> {
  const failures: KafkaError[] = []
  for (const [index, address] of addresses.entries()) {
    try {
      return { index, info: await probe(options, address) }
    } catch (error) {
      const failure = toKafkaError(error)
      // The same login holds for all addresses, and a wrong option is wrong for all.
      if (failure.type === 'SASL_AUTHENTICATION_FAILED' || failure.type === 'INVALID_OPTION') throw failure
      failures.push(failure)
    }
  }
  // What answered, but cannot be used, says more than silence; and if trying again can help, it is to be tried.
  const telling = failures.find((failure) => failure.retriable) ?? failures[0]
  if (telling === undefined || failures.length === 1) throw telling ?? new KafkaError('INVALID_OPTION', 'no address')
  throw new KafkaError(telling.type, failures.map((failure) => failure.message).join('; '), { cause: telling })
}

/** Asks one address what it is. */
async function probe(options: ConnectOptions, address: RedisAddress | null): Promise<ServerInfo> {
  const ioredisOptions = clientOptions(options.target, address, options)
  const label = address?.label ?? optionsLabel(ioredisOptions)
  const client = new Redis({ ...ioredisOptions, retryStrategy: () => null, enableReadyCheck: false })
  const connection = new Connection({
    client,
    role: 'command',
    name: connectionName(options.clientId, 'command'),
    label: () => label,
    connectionTimeout: options.connectionTimeout,
    requestTimeout: options.connectionTimeout,
    once: true,
    logger: options.logger,
  })
  const giveUp = (): void => void connection.close()
  options.signal?.addEventListener('abort', giveUp, { once: true })
  try {
    await connection.open(options.signal).catch((error: unknown) => {
      throw explain(toKafkaError(error), label)
    })
    const info = await askServer(client, label)
    checkVersion(info)
    if (info.loading) {
      throw new KafkaError('LEADER_NOT_AVAILABLE', `Redis at ${label} is still loading its data: try again later`)
    }
    if (info.role === 'replica' && !info.cluster) {
      throw new KafkaError(
        'NOT_LEADER_OR_FOLLOWER',
        `Redis at ${label} is a replica${info.primary === null ? '' : ` of ${info.primary}`}: give the address of the primary, ` +
          'or Sentinels (redis: { sentinels, name })',
      )
    }
    return info
  } finally {
    options.signal?.removeEventListener('abort', giveUp)
    await connection.close()
  }
}

async function askServer(client: Redis, label: string): Promise<ServerInfo> {
  try {
    return serverInfoFromInfo(await client.info(), label)
  } catch (error) {
    const failure = toKafkaError(error, { address: label, operation: 'INFO' })
    if (failure.type !== 'CLUSTER_AUTHORIZATION_FAILED') throw explain(failure, label)
  }
  // Hosted servers often refuse INFO; HELLO says what is needed most.
  try {
    return serverInfoFromHello(await client.hello(), label)
  } catch (error) {
    throw explain(toKafkaError(error, { address: label, operation: 'INFO and HELLO' }), label)
  }
}

function explain(failure: KafkaError, label: string): KafkaError {
  if (failure.type === 'UNSUPPORTED_SERVER') return notRedis(label, failure)
  if (failure.type === 'UNKNOWN_SERVER_ERROR') {
    return new KafkaError('UNSUPPORTED_SERVER', `what answers at ${label} does not know INFO: ${failure.message}`, {
      cause: failure,
    })
  }
  if (failure.type === 'REQUEST_TIMED_OUT') {
    return new KafkaError(
      'NETWORK_EXCEPTION',
      `${label} accepts connections, but does not answer in time: it hangs, or is not a Redis server`,
      { cause: failure },
    )
  }
  return failure
}

async function openSingle(
  options: ConnectOptions,
  addresses: readonly (RedisAddress | null)[],
  start: number,
  role: ConnectionRole,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  let current = start
  const backoff = new Backoff()
  const ioredisOptions = clientOptions(options.target, addresses[start] ?? null, options)
  const sentinels = ioredisOptions.sentinels !== undefined && ioredisOptions.sentinels !== null
  const client: Redis = new Redis({
    ...ioredisOptions,
    // The connector of Sentinels looks at the answer to INFO, to see whether it was led to a primary.
    enableReadyCheck: sentinels,
    retryStrategy: () => {
      // The primary may be at another of the addresses by now; ioredis reads its options anew at each attempt.
      if (addresses.length > 1) {
        current = (current + 1) % addresses.length
        moveTo(client.options, clientOptions(options.target, addresses[current] ?? null, options))
      }
      return backoff.next()
    },
  })
  client.on('ready', () => backoff.connected())
  const connection = new Connection({
    client,
    role,
    name: connectionName(options.clientId, role),
    label: () => addresses[current]?.label ?? optionsLabel(ioredisOptions),
    connectionTimeout: options.connectionTimeout,
    requestTimeout: options.requestTimeout,
    logger: options.logger,
    ...(sentinels ? {} : { accepts: isPrimary }),
  })
  await connection.open(signal)
  return connection
}

function moveTo(options: RedisOptions, next: RedisOptions): void {
  for (const name of ['host', 'port', 'path', 'db', 'username', 'password', 'tls'] as const) delete options[name]
  Object.assign(options, next)
}

// A primary that came back as a replica would answer reads with what it has, and refuse writes only.
async function isPrimary(client: Redis): Promise<boolean> {
  try {
    const [role] = await client.role()
    return role !== 'slave'
  } catch (error) {
    if (toKafkaError(error).type === 'CLUSTER_AUTHORIZATION_FAILED') return true
    throw error
  }
}

async function connectCluster(
  options: ConnectOptions,
  nodes: readonly ClusterNode[],
  found: RedisAddress | null,
): Promise<RedisServer> {
  if (nodes.length === 0) throw new KafkaError('INVALID_OPTION', 'redis.cluster.nodes is empty: give at least one node')
  const label = found?.label ?? nodes.map(nodeLabel).join(', ')
  const open = async (role: ConnectionRole, signal?: AbortSignal): Promise<Connection> => {
    if (role === 'subscriber') return openClusterSubscriber(options, nodes, signal)
    const connection = new Connection({
      client: new Cluster([...nodes], clusterOptions(options.target, role, options)),
      role,
      name: connectionName(options.clientId, role),
      label: () => label,
      connectionTimeout: options.connectionTimeout,
      requestTimeout: options.requestTimeout,
      logger: options.logger,
    })
    await connection.open(signal)
    return connection
  }
  const primaries = await retry(options.retry, () => askPrimaries((role) => open(role, options.signal)), isRetriable)
  warnOfEviction(options.logger, primaries)
  return { primaries, cluster: true, open }
}

/**
 * Messages reach every node of a Cluster, so that listening takes one plain connection, to any of the nodes given in turn.
 * (ioredis's own subscriber of a Cluster says nothing when it was replaced, and what was missed is then unknown.)
 */
async function openClusterSubscriber(
  options: ConnectOptions,
  nodes: readonly ClusterNode[],
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const shared = clusterOptions(options.target, 'subscriber', options).redisOptions ?? {}
  const backoff = new Backoff()
  let current = Math.floor(Math.random() * nodes.length)
  const place = (): RedisOptions => nodePlace(nodes[current])
  const client: Redis = new Redis({
    ...shared,
    ...place(),
    enableOfflineQueue: false,
    retryStrategy: () => {
      current = (current + 1) % nodes.length
      Object.assign(client.options, place())
      return backoff.next()
    },
  })
  client.on('ready', () => backoff.connected())
  const connection = new Connection({
    client,
    role: 'subscriber',
    name: connectionName(options.clientId, 'subscriber'),
    label: () => nodeLabel(nodes[current] ?? ''),
    connectionTimeout: options.connectionTimeout,
    requestTimeout: options.requestTimeout,
    logger: options.logger,
  })
  await connection.open(signal)
  return connection
}

async function askPrimaries(open: (role: ConnectionRole) => Promise<Connection>): Promise<ServerInfo[]> {
  const connection = await open('command')
  try {
    const { client } = connection
    const nodes = isCluster(client) ? client.nodes('master') : []
    const answers = await Promise.allSettled(nodes.map((node) => askServer(node, optionsLabel(node.options))))
    const infos = answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value)
    for (const info of infos) checkVersion(info)
    const refused = answers.find((answer) => answer.status === 'rejected')
    if (infos.length === 0) {
      throw refused === undefined
        ? new KafkaError('NETWORK_EXCEPTION', `no primary of the Redis Cluster at ${connection.label} answered`)
        : toKafkaError(refused.reason, { address: connection.label })
    }
    return infos
  } finally {
    await connection.close()
  }
}

function warnOfEviction(logger: StorageLogger, primaries: readonly ServerInfo[]): void {
  for (const info of primaries) {
    const warning = evictionWarning(info)
    if (warning !== null) logger.warn(warning)
  }
}

function startupNodes(cluster: Cluster): ClusterNode[] {
  return cluster.nodes().map((node) => nodePlace({ ...node.options }))
}

function clusterNode(target: RedisTarget, address: RedisAddress | null): ClusterNode {
  if (address === null) {
    const { redis } = target
    if (redis === undefined || isClusterTarget(redis)) return {}
    return nodePlace(isRedisClient(redis) ? { ...redis.options } : redis)
  }
  return nodePlace({
    ...(address.host === undefined ? {} : { host: address.host }),
    ...(address.port === undefined ? {} : { port: address.port }),
  })
}

function nodePlace(node: ClusterNode | undefined): { host: string; port: number } {
  if (typeof node === 'number') return { host: '127.0.0.1', port: node }
  if (typeof node === 'string') {
    const [address] = parseAddresses([node])
    return { host: address?.host ?? '127.0.0.1', port: address?.port ?? 6379 }
  }
  return { host: node?.host ?? '127.0.0.1', port: node?.port ?? 6379 }
}

function nodeLabel(node: ClusterNode): string {
  const { host, port } = nodePlace(node)
  return `${host}:${port}`
}

function optionsLabel(options: RedisOptions): string {
  const { sentinels } = options
  if (sentinels !== undefined && sentinels !== null) {
    return `${options.name ?? 'mymaster'} of the Sentinels ${sentinels.map(({ host, port }) => `${host}:${port}`).join(', ')}`
  }
  return options.path !== undefined && options.path !== null
    ? `unix:${options.path}`
    : `${options.host ?? 'localhost'}:${options.port ?? 6379}`
}
