import { Redis } from 'ioredis'
import type { Target } from './tcp-proxy.js'

/** Sends one command on a connection of its own, and gives the reply. Rejects at once when nobody listens. */
export async function sendCommand(server: Target, command: string, ...args: (string | number)[]): Promise<unknown> {
  const redis = new Redis({
    ...{ host: server.host, port: server.port, lazyConnect: true, retryStrategy: null, commandTimeout: 5_000 },
    ...{ connectTimeout: 5_000, maxRetriesPerRequest: 0, enableReadyCheck: false, disableClientInfo: true },
  })
  redis.on('error', () => {}) // the command rejects
  try {
    await redis.connect()
    return await redis.call(command, ...args)
  } finally {
    // one that never connected has ended by itself, and ioredis would keep the process for 2 s
    if (redis.status !== 'end') redis.disconnect()
  }
}

/** The fields of INFO's section. */
export async function serverInfo(server: Target, section: string): Promise<Readonly<Record<string, string>>> {
  return fieldsOf(String(await sendCommand(server, 'INFO', section)))
}

/** The fields of a text of lines `name:value`. */
export function fieldsOf(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'))
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}
