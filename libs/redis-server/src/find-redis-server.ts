import { startInDocker } from './docker.js'
import { type FailedAttempt, RedisServerNotFoundError } from './errors.js'
import { type FindBinaryOptions, findRedisBinary, forcedBinary } from './find-binary.js'
import { probe } from './probe.js'
import type { RedisServer, RedisServerKind } from './redis-server.js'
import { startRedisServer } from './server-process.js'
import { isSupported, tooOld } from './version.js'

export interface FindOptions {
  /** What may be tried; the order stays. Default: all of 'url', 'local', 'docker', 'package'. */
  ways?: readonly RedisServerKind[]
  /** Further settings for a server that is started, as on redis-server's command line. They win over ours. */
  config?: readonly string[]
  /** A server that is started keeps an append-only file while it lives. Default false. */
  appendonly?: boolean
  /** Default: process.env. REDIS_URL, RIVULET_REDIS_SERVER_BINARY, PATH, XDG_CACHE_HOME and LD_LIBRARY_PATH count. */
  env?: NodeJS.ProcessEnv
  /** Whether a missing Docker image is pulled. Default true. */
  pull?: boolean
  /** Told in one line each what was found and what takes long. */
  log?: (message: string) => void
}

/**
 * Gives a Redis 7.0 or later (or Valkey), the first of: the program that RIVULET_REDIS_SERVER_BINARY names; REDIS_URL, used
 * as it is; a program on the path; a Docker container; on Debian and Ubuntu the distribution's package, unpacked in the
 * user's cache folder. What was started is gone when it is stopped or this process ends, in whatever way; it keeps
 * this process neither alive nor from reacting to signals.
 * @throws RedisServerNotFoundError saying what was tried, why each way failed, and what to install
 */
export async function findRedisServer(options: FindOptions = {}): Promise<RedisServer> {
  const { env = process.env, ways = ['url', 'local', 'docker', 'package'], log = () => {} } = options
  const { config = [], appendonly = false, pull = true } = options
  const startLocal = async (find: FindBinaryOptions): Promise<RedisServer> =>
    startRedisServer({ binary: await findRedisBinary({ env, log, ...find }), config, appendonly })
  const forced = forcedBinary(env)
  const url = env['REDIS_URL']
  const candidates: { kind: RedisServerKind; way: string; final?: boolean; get: () => Promise<RedisServer> }[] =
    forced !== undefined
      ? [{ kind: 'local', way: 'RIVULET_REDIS_SERVER_BINARY', get: () => startLocal({}) }]
      : [
          ...(url ? [{ kind: 'url' as const, way: 'REDIS_URL', final: true, get: () => useUrl(url) }] : []),
          { kind: 'local', way: 'a program on the path', get: () => startLocal({ ways: ['local'] }) },
          { kind: 'docker', way: 'Docker', get: () => startInDocker({ config, appendonly, log, pull }) },
          { kind: 'package', way: "the distribution's package", get: () => startLocal({ ways: ['package'] }) },
        ]
  const attempts: FailedAttempt[] = url || forced ? [] : [{ way: 'REDIS_URL', reason: 'not set' }]
  for (const { kind, way, final, get } of candidates) {
    if (!ways.includes(kind)) continue
    try {
      const server = await get()
      log(`${server.description}, ${kind === 'url' ? 'used' : 'started'} on ${server.host}:${server.port}`)
      return server
    } catch (error) {
      if (error instanceof RedisServerNotFoundError) attempts.push(...error.attempts)
      else attempts.push({ way, reason: error instanceof Error ? error.message : String(error) })
      // who names a server wants that one, and none that happens to be there
      if (final === true) break
    }
  }
  throw new RedisServerNotFoundError(attempts)
}

async function useUrl(url: string): Promise<RedisServer> {
  const { hostname, port, protocol } = parseUrl(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const shown = `${protocol}//${hostname}:${port || '6379'}`
  const version = await probe(url).catch((error: unknown) => {
    throw new Error(`${shown}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  })
  if (!isSupported(version)) throw new Error(`${shown}: ${tooOld(version.text)}`)
  return {
    ...{ url, host, port: Number(port || 6379), version: version.text, kind: 'url' },
    description: `${version.product} ${version.text} (REDIS_URL)`,
    stop: async () => {},
  }
}

function parseUrl(url: string): URL {
  try {
    return new URL(url)
  } catch {
    // the value may hold a password, and is not repeated
    throw new Error('it is no URL; one looks like redis://localhost:6379')
  }
}
