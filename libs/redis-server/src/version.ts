/** The oldest Redis that can be used: the first whose scripts declare by flags what they may do (allow-oom, no-writes). */
const OLDEST_REDIS: Version = { major: 7, minor: 0 }

export interface Version {
  major: number
  minor: number
}

export interface ServerVersion extends Version {
  product: 'Redis' | 'Valkey'
  /** As the server says it: '7.0.15'. */
  text: string
}

/** Parses what `redis-server --version` or `valkey-server --version` prints; null when it is something else. */
export function parseVersionOutput(output: string): ServerVersion | null {
  const match = /(redis|valkey) server v=(\S+)/i.exec(output)
  return match === null ? null : serverVersion(match[1] ?? '', match[2] ?? '')
}

/** Reads the version in a reply to INFO; null when there is none. Valkey says its own beside the Redis it is compatible with. */
export function parseInfo(info: string): ServerVersion | null {
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1]
  if (valkey !== undefined) return serverVersion('valkey', valkey)
  const redis = /^redis_version:(\S+)/m.exec(info)?.[1]
  return redis === undefined ? null : serverVersion('redis', redis)
}

function serverVersion(product: string, text: string): ServerVersion | null {
  const version = parseVersion(text)
  return version && { ...version, product: product.toLowerCase() === 'valkey' ? 'Valkey' : 'Redis', text }
}

/** The major and minor number of '7.0.15', or of a Debian package's '5:7.0.15-1~deb12u10'. */
export function parseVersion(text: string): Version | null {
  const match = /^(?:\d+:)?(\d+)\.(\d+)/.exec(text)
  return match === null ? null : { major: Number(match[1]), minor: Number(match[2]) }
}

export function isSupported(version: Version): boolean {
  return (
    version.major > OLDEST_REDIS.major || (version.major === OLDEST_REDIS.major && version.minor >= OLDEST_REDIS.minor)
  )
}

export function tooOld(text: string): string {
  return `version ${text} is too old: ${OLDEST_REDIS.major}.${OLDEST_REDIS.minor} or later is needed`
}
