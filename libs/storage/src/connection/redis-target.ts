import type { ConnectionOptions } from 'node:tls'
import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from 'ioredis'

/** A client of one server (Sentinel included) or of a Cluster. */
export type RedisClient = Redis | Cluster

/**
 * Where Redis is and how to log in. Whether the other side is one server or a Cluster is asked, not configured.
 */
export interface RedisTarget {
  /**
   * Each `host:port`, `redis://[user:password@]host[:port][/db]`, `rediss://…` or `unix:/path`. Of several they are tried
   * in turn until one answers as a primary or as a member of a Cluster. Kafka's `bootstrap.servers`.
   */
  readonly addresses?: readonly string[] | (() => Promise<readonly string[]> | readonly string[])
  /** The user to log in as (Redis ACL). A user in an address wins. */
  readonly username?: string
  /** The password to log in with. A password in an address wins. */
  readonly password?: string
  /** Whether to speak TLS, with Node's own options if wanted. `rediss://` means `true`. */
  readonly tls?: boolean | ConnectionOptions
  /**
   * ioredis's own options (Sentinels among them), a Cluster's description, or a connected instance. An instance is only
   * duplicated: it is never used, changed or closed.
   */
  readonly redis?: RedisOptions | ClusterTarget | RedisClient
}

/** The description of a Cluster in ioredis's own terms. */
export interface ClusterTarget {
  readonly cluster: { readonly nodes: ClusterNode[]; readonly options?: ClusterOptions }
}

/**
 * What a connection is for. `reader-block` waits for its answers (XREAD BLOCK), `subscriber` only listens, the others
 * answer at once.
 */
export type ConnectionRole = 'command' | 'subscriber' | 'appender' | 'reader-fetch' | 'reader-block'

/** Where the storage reports what nobody is waiting to be told: lost connections, dubious settings. */
export interface StorageLogger {
  error(message: string, extra?: Readonly<Record<string, unknown>>): void
  warn(message: string, extra?: Readonly<Record<string, unknown>>): void
  info(message: string, extra?: Readonly<Record<string, unknown>>): void
  debug(message: string, extra?: Readonly<Record<string, unknown>>): void
}

const nothing = (): void => undefined

/** A logger for those who don't want one. */
export const silentLogger: StorageLogger = { error: nothing, warn: nothing, info: nothing, debug: nothing }

export function isClusterTarget(redis: NonNullable<RedisTarget['redis']>): redis is ClusterTarget {
  return 'cluster' in redis && typeof redis.cluster === 'object'
}

// Not `instanceof`: an application may have an ioredis of its own beside ours.
export function isRedisClient(redis: NonNullable<RedisTarget['redis']>): redis is RedisClient {
  return 'duplicate' in redis && typeof redis.duplicate === 'function' && 'isCluster' in redis
}

export function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster
}
