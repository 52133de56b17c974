import { KafkaError } from '@rivulet/protocol'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import type { RedisAddress } from './addresses.js'
import { isCluster, isClusterTarget, isRedisClient, type ConnectionRole, type RedisTarget } from './redis-target.js'

/** What all connections of one storage have in common. */
export interface ConnectionSettings {
  readonly clientId: string
  /** For connecting and logging in, in ms. kafkajs's connectionTimeout. */
  readonly connectionTimeout: number
  /** For an answer, and for a lost connection to come back, in ms. Kafka's `request.timeout.ms`. */
  readonly requestTimeout: number
}

const FIRST_RETRY_DELAY = 50
const LONGEST_RETRY_DELAY = 2_000
/** A connection that lived for longer than this was a good one: delays start from the beginning. */
const PROVEN_AFTER = 1_000

/**
 * How long to wait before connecting again: 50 ms, doubled each time up to 2 s, of which a random half is left out, so
 * that the clients of a server that comes back do not all arrive at once.
 */
export function retryDelay(attempt: number, random: () => number = Math.random): number {
  const delay = Math.min(LONGEST_RETRY_DELAY, FIRST_RETRY_DELAY * 2 ** Math.min(attempt, 10))
  return Math.round(delay * (1 - random() / 2))
}

/**
 * Delays of one connection. ioredis counts attempts itself, but takes a connection for made before the login is answered: a
 * changed password would have it try some twenty times a second for ever.
 */
export class Backoff {
  #attempt = 0
  #readySince: number | undefined

  connected(now: number = Date.now()): void {
    this.#readySince = now
  }

  next(now: number = Date.now()): number {
    if (this.#readySince !== undefined && now - this.#readySince > PROVEN_AFTER) this.#attempt = 0
    this.#readySince = undefined
    return retryDelay(this.#attempt++)
  }
}

/**
 * ioredis's options for a connection of ours. What the user gave in `redis` is kept, but for what the storage relies upon:
 *
 * - a command in flight when the connection is lost fails at once and is never sent again by ioredis: appends are
 *   retried by their sender, who knows what may be repeated;
 * - nothing is queued while there is no connection: waiting has a deadline, kept by Connection;
 * - keys and answers come as they are: no prefix, no automatic pipelines, no numbers as texts.
 */
export function clientOptions(
  target: RedisTarget,
  address: RedisAddress | null,
  settings: ConnectionSettings,
): RedisOptions {
  return { ...userOptions(target), ...addressOptions(target, address), ...ownOptions(settings) }
}

/** The same for a Cluster client; each node's connection has the options of a single one. */
export function clusterOptions(
  target: RedisTarget,
  role: ConnectionRole,
  settings: ConnectionSettings,
): ClusterOptions {
  const user = userClusterOptions(target)
  const { retryStrategy: _r, enableOfflineQueue: _o, readOnly: _ro, ...own } = ownOptions(settings)
  return {
    // A blocking connection is one of many: their errors refresh the slots, the timer need not.
    slotsRefreshInterval: role === 'reader-block' ? 60_000 : 5_000,
    ...user,
    keyPrefix: '',
    enableAutoPipelining: false,
    // A node that leaves the Cluster while it is being connected to takes along what is queued for it, unanswered for ever.
    // So nothing is: Connection connects to the nodes before they are needed.
    enableOfflineQueue: false,
    lazyConnect: true,
    scaleReads: 'master',
    // A lost connection must not resend (see clientOptions); what was refused (MOVED, ASK, TRYAGAIN) was not executed.
    retryDelayOnFailover: 0,
    clusterRetryStrategy: (times) => retryDelay(times),
    clusterNodeRetryStrategy: (times) => retryDelay(times ?? 0),
    redisOptions: { ...nodeOptions(target), ...user.redisOptions, ...own, enableReadyCheck: false },
  }
}

// Login and TLS that hold for every node.
function nodeOptions(target: RedisTarget): RedisOptions {
  const { host: _h, port: _p, path: _pa, sentinels: _s, retryStrategy: _r, ...shared } = userOptions(target)
  return { ...shared, ...login(target, null) }
}

function userOptions(target: RedisTarget): RedisOptions {
  const { redis } = target
  if (redis === undefined || isClusterTarget(redis)) return {}
  if (!isRedisClient(redis)) return redis
  return isCluster(redis) ? {} : redis.options
}

function userClusterOptions(target: RedisTarget): ClusterOptions {
  const { redis } = target
  if (redis === undefined) return {}
  if (isClusterTarget(redis)) return redis.cluster.options ?? {}
  return isRedisClient(redis) && isCluster(redis) ? redis.options : {}
}

function addressOptions(target: RedisTarget, address: RedisAddress | null): RedisOptions {
  if (address === null) return login(target, null)
  const place =
    address.path === undefined
      ? { host: address.host ?? 'localhost', port: address.port ?? 6379 }
      : { path: address.path }
  return { ...place, ...(address.db === undefined ? {} : { db: address.db }), ...login(target, address) }
}

function login(target: RedisTarget, address: RedisAddress | null): RedisOptions {
  const username = address?.username ?? target.username
  const password = address?.password ?? target.password
  const tls =
    typeof target.tls === 'object' ? target.tls : target.tls === true || address?.tls === true ? {} : undefined
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: { ...tls } }),
  }
}

function ownOptions(settings: ConnectionSettings): RedisOptions {
  return {
    // No command of ioredis's own at connecting. When the connection is lost before their answers, they make it 'ready':
    //   1. CLIENT SETNAME is sent; 2. the socket closes, and ioredis plans to connect anew; 3. SETNAME fails for that, and
    //   whatever its outcome, its end sets the status to 'ready'; 4. connecting anew is refused: it is 'ready' already.
    // It stays so for ever. Connection gives the name, and finds out by itself whether there is life.
    connectionName: undefined,
    disableClientInfo: true,
    enableReadyCheck: false,
    lazyConnect: true,
    connectTimeout: settings.connectionTimeout,
    noDelay: true,
    keepAlive: 10_000,
    // How long a socket that is closed in good order may take: the timer keeps the process alive.
    disconnectTimeout: 200,
    maxLoadingRetryTime: 500,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // ioredis subscribes again without looking at the outcome: a rejection that nobody handles. Connection does it.
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    // Replaced by the watchdog: ioredis's timers outlive their socket and can destroy its successor.
    commandTimeout: undefined,
    socketTimeout: undefined,
    blockingTimeout: undefined,
    keyPrefix: '',
    enableAutoPipelining: false,
    stringNumbers: false,
    readOnly: false,
    monitor: false,
    // The primary has moved: the address may lead to the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  }
}

/** How the connection shows in CLIENT LIST. Redis takes no spaces and nothing outside of printable ASCII there. */
export function connectionName(clientId: string, role: ConnectionRole): string {
  return `rivulet:${clientId.replace(/[^!-~]/g, '_')}:${role}`
}

/** @throws KafkaError INVALID_OPTION where a database is chosen that a Cluster does not have */
export function checkNoDatabase(address: RedisAddress | null, target: RedisTarget): void {
  const db = address?.db ?? userOptions(target).db ?? 0
  if (db === 0) return
  throw new KafkaError(
    'INVALID_OPTION',
    `database ${db} was chosen${address === null ? '' : ` for ${address.label}`}, but that is a Redis Cluster, which has only database 0`,
  )
}
