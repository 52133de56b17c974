import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { unpackedServer } from './debian-package.js'
import { type FailedAttempt, RedisServerNotFoundError } from './errors.js'
import { runCommand } from './run-command.js'
import { type ServerVersion, isSupported, parseVersionOutput, tooOld } from './version.js'

/** A server program that runs here and is not too old. */
export interface RedisBinary {
  path: string
  kind: 'local' | 'package'
  version: ServerVersion
  /** 'Redis 7.0.15 (/usr/bin/redis-server)' */
  description: string
  /** What the program needs in its environment beside our own. */
  env: Readonly<Record<string, string>>
}

export interface FindBinaryOptions {
  /** A program's path; nothing else is tried then. */
  binary?: string
  /** Default: process.env. */
  env?: NodeJS.ProcessEnv
  /** Default: the path, then the distribution's package. */
  ways?: readonly ('local' | 'package')[]
  /** Told about what takes long. */
  log?: (message: string) => void
}

/**
 * Finds a redis-server or valkey-server, 7.0 or later: the one that RIVULET_REDIS_SERVER_BINARY names, one on the path, or
 * on Debian and Ubuntu the distribution's package, unpacked into the user's cache without being installed.
 * @throws RedisServerNotFoundError
 */
export async function findRedisBinary(options: FindBinaryOptions = {}): Promise<RedisBinary> {
  const { env = process.env, ways = ['local', 'package'], log = () => {} } = options
  const forced = options.binary ?? forcedBinary(env)
  const attempts: FailedAttempt[] = []
  const attempt = async (way: string, find: () => Promise<RedisBinary>): Promise<RedisBinary | null> => {
    try {
      return await find()
    } catch (error) {
      attempts.push({ way, reason: error instanceof Error ? error.message : String(error) })
      return null
    }
  }
  if (forced !== undefined) {
    const way = options.binary === undefined ? 'RIVULET_REDIS_SERVER_BINARY' : 'the binary asked for'
    const found = await attempt(way, () => examine(forced, 'local'))
    if (found !== null) return found
    throw new RedisServerNotFoundError(attempts)
  }
  if (process.platform === 'win32') {
    throw new RedisServerNotFoundError([{ way: 'a program on this machine', reason: 'there is no Redis for Windows' }])
  }
  if (ways.includes('local')) {
    for (const name of ['redis-server', 'valkey-server']) {
      const found = await attempt(`${name} on the path`, () => onPath(name, env))
      if (found !== null) return found
    }
  }
  if (ways.includes('package')) {
    const found = await attempt("the distribution's package", () => fromPackage(env, log))
    if (found !== null) return found
  }
  throw new RedisServerNotFoundError(attempts)
}

export function forcedBinary(env: NodeJS.ProcessEnv): string | undefined {
  return env['RIVULET_REDIS_SERVER_BINARY'] || undefined
}

async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<RedisBinary> {
  // Debian's and Homebrew's daemons may be where an ordinary user's path does not look
  const usual = ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/opt/homebrew/bin']
  const folders = new Set([
    ...(env['PATH'] ?? '').split(delimiter).filter(Boolean),
    ...(env === process.env ? usual : []),
  ])
  for (const folder of folders) {
    const path = join(folder, name)
    if (isExecutable(path)) return examine(path, 'local')
  }
  throw new Error('not there')
}

async function fromPackage(env: NodeJS.ProcessEnv, log: (message: string) => void): Promise<RedisBinary> {
  const { path, libraries } = await unpackedServer(env, log, (candidate, folders) =>
    examine(candidate, 'package', libraryPath(folders, env)),
  )
  return examine(path, 'package', libraryPath(libraries, env))
}

function libraryPath(folders: readonly string[], env: NodeJS.ProcessEnv): Record<string, string> {
  const inherited = env['LD_LIBRARY_PATH']
  return { LD_LIBRARY_PATH: [...folders, ...(inherited ? [inherited] : [])].join(':') }
}

/** Runs the program for its version: what cannot run here (another processor's, libraries missing) is no find. */
async function examine(
  path: string,
  kind: RedisBinary['kind'],
  env: Record<string, string> = {},
): Promise<RedisBinary> {
  const output = await runCommand(path, ['--version'], { deadline: 10_000, env: { ...process.env, ...env } })
  const version = parseVersionOutput(output)
  if (version === null) throw new Error(`${path} is no Redis: it says ${JSON.stringify(output.slice(0, 80))}`)
  if (!isSupported(version)) throw new Error(`${path}: ${tooOld(version.text)}`)
  return { path, kind, version, env, description: `${version.product} ${version.text} (${path})` }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
