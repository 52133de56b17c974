import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type ServerVersion, parseInfo } from './version.js'

/** Asks the server behind a redis:// or rediss:// URL for its version; rejects within the deadline (ms) when none answers. */
export async function probe(url: string, deadline = 5_000): Promise<ServerVersion> {
  const version = parseInfo(await askInfo(url, ['server'], deadline))
  if (version === null) throw new Error('what answers there is no Redis')
  return version
}

/**
 * The bytes that the server behind a redis:// or rediss:// URL has allocated (`used_memory`); null in a Cluster, of
 * which one server knows only its part. Rejects within the deadline (ms) when none answers.
 */
export async function usedMemory(url: string, deadline = 5_000): Promise<number | null> {
  const info = await askInfo(url, [], deadline)
  const bytes = /^redis_mode:cluster/m.test(info) ? undefined : /^used_memory:(\d+)/m.exec(info)?.[1]
  return bytes === undefined ? null : Number(bytes)
}

async function askInfo(url: string, sections: string[], deadline: number): Promise<string> {
  const { hostname, port, protocol, username, password } = new URL(url)
  if (protocol !== 'redis:' && protocol !== 'rediss:')
    throw new Error(`the protocol ${protocol} is not redis: or rediss:`)
  const host = hostname.replace(/^\[|\]$/g, '')
  const login = password === '' ? [] : [[...(username === '' ? [] : [username]), password].map(decodeURIComponent)]
  const commands = [...login.map((words) => ['AUTH', ...words]), ['INFO', ...sections]]
  const replies = await converse(host, Number(port || 6379), protocol === 'rediss:', commands, deadline)
  const refusal = replies.find((reply) => reply.startsWith('-'))
  if (refusal !== undefined) throw new Error(`the server answers ${refusal.slice(1)}`)
  return replies.at(-1) ?? ''
}

function converse(host: string, port: number, tls: boolean, commands: string[][], deadline: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port })
    const end = (error: Error | null, replies: string[] = []): void => {
      clearTimeout(timer)
      socket.destroy()
      if (error === null) resolve(replies)
      else reject(error)
    }
    const timer = setTimeout(() => end(new Error(`no answer within ${deadline} ms`)), deadline)
    let received = ''
    socket.setEncoding('latin1')
    socket.on('error', end)
    socket.on('close', () => end(new Error('the server closed the connection')))
    socket.on('data', (chunk: string) => {
      received += chunk
      // told at the first byte: a server of another kind may say a line and then wait for us
      if (!/^[+$-]/.test(received)) return end(new Error('what answers there is no Redis'))
      const replies = parseReplies(received)
      const refused = replies.some((reply) => reply.startsWith('-'))
      if (refused || replies.length === commands.length) end(null, replies)
      else if (received.length > 1 << 20) end(new Error('what answers there is no Redis'))
    })
    socket.write(commands.map(encode).join(''), 'latin1')
  })
}

/** A command as RESP's array of bulk strings, one character a byte. */
function encode(words: readonly string[]): string {
  const bytes = words.map((word) => Buffer.from(word).toString('latin1'))
  return `*${words.length}\r\n${bytes.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

/** The complete replies so far: a bulk string's content, or else the line with its type (`+OK`, `-ERR …`). */
function parseReplies(received: string): string[] {
  const replies: string[] = []
  for (let at = 0; ;) {
    const lineEnd = received.indexOf('\r\n', at)
    if (lineEnd < 0) return replies
    const line = received.slice(at, lineEnd)
    at = lineEnd + 2
    if (line.startsWith('$') && line !== '$-1') {
      const length = Number(line.slice(1))
      if (received.length < at + length + 2) return replies
      replies.push(received.slice(at, at + length))
      at += length + 2
    } else replies.push(line)
  }
}
