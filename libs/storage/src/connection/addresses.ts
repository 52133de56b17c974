import { KafkaError } from '@rivulet/protocol'

/** One address, taken apart. */
export interface RedisAddress {
  readonly host?: string
  readonly port?: number
  /** A unix socket instead of host and port. */
  readonly path?: string
  readonly db?: number
  readonly username?: string
  readonly password?: string
  readonly tls?: boolean
  /** For messages and logs: the address without user, password and database. */
  readonly label: string
}

const DEFAULT_PORT = 6379
const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+)(?::(\d{1,5}))?$/

/**
 * Takes an address apart: `host:port`, `host`, `[v6]:port`, `redis://…`, `rediss://…`, `unix:/path`, `unix:///path`.
 *
 * @throws KafkaError INVALID_OPTION; the message has the address without its password
 */
export function parseAddress(address: string): RedisAddress {
  const text = address.trim()
  if (/^unix:/i.test(text)) return parseUnix(text)
  if (/^rediss?:\/\//i.test(text)) return parseUrl(text)
  const match = HOST_AND_PORT.exec(text)
  if (match?.[1] === undefined) throw invalid(text)
  return hostAddress(text, match[1], match[2])
}

/** Takes all addresses apart. @throws KafkaError INVALID_OPTION for a bad one, and when there is none */
export function parseAddresses(addresses: readonly string[]): RedisAddress[] {
  if (!Array.isArray(addresses) || addresses.length === 0) {
    throw new KafkaError('INVALID_OPTION', 'brokers is empty: give at least one address, such as "localhost:6379"')
  }
  return addresses.map((address) => {
    if (typeof address !== 'string') {
      throw new KafkaError('INVALID_OPTION', `brokers holds a value of type ${typeof address}, which is not a text`)
    }
    return parseAddress(address)
  })
}

function parseUnix(text: string): RedisAddress {
  const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
  if (!path.startsWith('/')) throw invalid(text)
  return { path, label: `unix:${path}` }
}

function parseUrl(text: string): RedisAddress {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw invalid(text)
  }
  if (url.hostname === '') throw invalid(text)
  const db = /^\/?$/.test(url.pathname) ? undefined : Number(/^\/(\d+)$/.exec(url.pathname)?.[1] ?? NaN)
  if (Number.isNaN(db)) throw invalid(text)
  return {
    ...hostAddress(text, url.hostname, url.port === '' ? undefined : url.port),
    ...(db === undefined ? {} : { db }),
    ...(url.username === '' ? {} : { username: decode(url.username, text) }),
    ...(url.password === '' ? {} : { password: decode(url.password, text) }),
    ...(url.protocol.toLowerCase() === 'rediss:' ? { tls: true } : {}),
  }
}

function hostAddress(text: string, host: string, portText: string | undefined): RedisAddress {
  const port = portText === undefined ? DEFAULT_PORT : Number(portText)
  if (port < 1 || port > 65_535) throw invalid(text)
  return { host: host.replace(/^\[|\]$/g, ''), port, label: `${host}:${port}` }
}

function decode(part: string, text: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid(text)
  }
}

function invalid(text: string): KafkaError {
  return new KafkaError(
    'INVALID_OPTION',
    `brokers holds "${withoutSecrets(text)}", which is not an address: write host:port, redis://host:port/db, ` +
      'rediss://host:port or unix:/path',
  )
}

/** An address as it may be shown: whatever stands before an @ is left out, and what can only be a password without one. */
function withoutSecrets(text: string): string {
  const shown = text.replace(/^([a-z]+:\/\/)?[\s\S]*@/i, '$1***@').replace(/\?[\s\S]*/, '?***')
  return shown.replace(/^([a-z]+:\/\/[^:/]*):(?!\d*(?:\/|$))[^/]*/i, '$1:***')
}
