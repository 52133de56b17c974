import { KafkaError } from '@rivulet/protocol'

/** What one server says of itself. */
export interface ServerInfo {
  /** Where: an address without secrets. */
  readonly address: string
  /** 'redis', 'valkey' or whatever else it calls itself. */
  readonly product: string
  /** The product's version: '8.0.2'. */
  readonly version: string
  /** The version of Redis that it is compatible with: Valkey 8.1 says '7.2.4'. */
  readonly redisVersion: string
  readonly cluster: boolean
  readonly role: 'primary' | 'replica'
  /** Of a replica: where its primary is, if it tells. */
  readonly primary: string | null
  readonly loading: boolean
  /** Bytes; 0: no limit; null: not told. */
  readonly maxmemory: number | null
  readonly maxmemoryPolicy: string | null
  /** Bytes of the machine's (or container's) memory; null: not told. */
  readonly totalSystemMemory: number | null
}

/** What the storage must know of the other side, learnt at connect. */
export interface ServerFacts {
  readonly cluster: boolean
  /** 'redis' or 'valkey', …. */
  readonly product: string
  readonly version: string
  /** The primaries that answered: one, or a Cluster's. */
  readonly primaries: readonly ServerInfo[]
  /** Of all primaries together, in bytes; 0: none has a limit, or not all have; null: not told. */
  readonly maxmemory: number | null
  /** Of the smallest machine that a primary runs on, in bytes; null: not told. */
  readonly totalSystemMemory: number | null
  /** Whether scripts may read INFO: without it there are no leader epochs. */
  readonly infoInScripts: boolean
  /** Whether a blocking read can be ended early (CLIENT ID and CLIENT UNBLOCK). */
  readonly clientUnblock: boolean
  /** Whether the server has WAITAOF (Redis 7.2, Valkey), and this user may call it. */
  readonly waitaof: boolean
}

/** The lines of INFO as a map. */
function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return fields
}

/** The facts in the answer to INFO. @throws KafkaError UNSUPPORTED_SERVER where it names no version of Redis */
export function serverInfoFromInfo(text: string, address: string): ServerInfo {
  const info = parseInfo(text)
  const redisVersion = info.get('redis_version')
  if (redisVersion === undefined) throw notRedis(address)
  const product = info.get('server_name') ?? (info.has('valkey_version') ? 'valkey' : 'redis')
  const host = info.get('master_host')
  return {
    address,
    product,
    version: info.get(`${product}_version`) ?? redisVersion,
    redisVersion,
    cluster: info.get('cluster_enabled') === '1' || info.get('redis_mode') === 'cluster',
    role: info.get('role') === 'slave' ? 'replica' : 'primary',
    primary: host === undefined ? null : `${host}:${info.get('master_port') ?? ''}`,
    loading: (info.get('loading') ?? '0') !== '0',
    maxmemory: number(info.get('maxmemory')),
    maxmemoryPolicy: info.get('maxmemory_policy') ?? null,
    totalSystemMemory: number(info.get('total_system_memory')),
  }
}

/** The facts in the answer to HELLO, for users who may not call INFO: a list of names and values, or an object. */
export function serverInfoFromHello(reply: unknown, address: string): ServerInfo {
  const fields = new Map<string, unknown>()
  if (Array.isArray(reply)) {
    for (let i = 0; i + 1 < reply.length; i += 2) fields.set(String(reply[i]), reply[i + 1])
  } else if (typeof reply === 'object' && reply !== null) {
    for (const [name, value] of reply instanceof Map ? reply : Object.entries(reply)) fields.set(String(name), value)
  }
  const product = fields.get('server')
  const version = fields.get('version')
  if (typeof version !== 'string') throw notRedis(address)
  return {
    address,
    product: typeof product === 'string' ? product : 'redis',
    version,
    redisVersion: version,
    cluster: fields.get('mode') === 'cluster',
    role: fields.get('role') === 'master' ? 'primary' : 'replica',
    primary: null,
    loading: false,
    maxmemory: null,
    maxmemoryPolicy: null,
    totalSystemMemory: null,
  }
}

const OLDEST_REDIS = 7

/**
 * Refuses a server that cannot do what the scripts rely upon.
 *
 * @throws KafkaError UNSUPPORTED_SERVER, naming the version found
 */
export function checkVersion(info: ServerInfo): void {
  // A Valkey's own version counts from 7.2 as well, so that either number will do.
  if (Number.parseInt(info.redisVersion, 10) >= OLDEST_REDIS) return
  throw new KafkaError(
    'UNSUPPORTED_SERVER',
    `the server at ${info.address} is ${info.product} ${info.version}: Rivulet needs Redis 7.0 or later, or Valkey`,
    { version: info.version },
  )
}

/** The warning that an eviction policy calls for, or null. */
export function evictionWarning(info: ServerInfo): string | null {
  if (info.maxmemoryPolicy === null || info.maxmemoryPolicy === 'noeviction') return null
  return (
    `Redis at ${info.address} has maxmemory-policy ${info.maxmemoryPolicy}: it may delete topics when memory runs short. ` +
    'Set maxmemory-policy to noeviction'
  )
}

/** What all primaries say, in one. */
export function mergeFacts(
  primaries: readonly ServerInfo[],
  rights: Pick<ServerFacts, 'infoInScripts' | 'clientUnblock' | 'waitaof'>,
): ServerFacts {
  const [first] = primaries
  if (first === undefined) throw new KafkaError('NETWORK_EXCEPTION', 'no primary of the Redis Cluster answered')
  const limits = primaries.map((info) => info.maxmemory)
  const machines = primaries.map((info) => info.totalSystemMemory).filter((size) => size !== null)
  return {
    cluster: first.cluster,
    product: first.product,
    version: first.version,
    primaries,
    maxmemory: limits.includes(null)
      ? null
      : limits.includes(0)
        ? 0
        : limits.reduce((sum, limit) => (sum ?? 0) + (limit ?? 0), 0),
    totalSystemMemory: machines.length === 0 ? null : Math.min(...machines),
    ...rights,
  }
}

export function notRedis(address: string, cause?: unknown): KafkaError {
  return new KafkaError(
    'UNSUPPORTED_SERVER',
    `what answers at ${address} is not a Redis server, or speaks TLS where plain text was tried: check address, port and ssl`,
    { cause },
  )
}

function number(text: string | undefined): number | null {
  const value = text === undefined || text === '' ? NaN : Number(text)
  return Number.isFinite(value) ? value : null
}
