import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisServerStartError } from './errors.js'
import { type RedisBinary, findRedisBinary } from './find-binary.js'
import { guardFolder, guardGroup, releaseFolder, releaseGroup } from './janitor.js'
import type { RedisServer } from './redis-server.js'

const HOST = '127.0.0.1'
const POLL = 10
/** Milliseconds that a server gets to follow a signal; a primary waits up to 10 s for its replicas on SIGTERM. */
const PATIENCE = 15_000
const READY = 'Ready to accept connections'

export interface StartOptions {
  /** A program's path, or a binary that `findRedisBinary` gave. Default: what `findRedisBinary()` finds. */
  binary?: string | RedisBinary
  /** Further settings as on redis-server's command line: `['--maxmemory', '50mb']`. They win over ours. */
  config?: readonly string[]
  /** Default: a free one. */
  port?: number
  /** Keeps an append-only file, synced every second; otherwise nothing is persisted. Default false. */
  appendonly?: boolean
  /** Milliseconds until the server must be ready. Default 20,000. */
  deadline?: number
}

/** A server process of ours. It, its folder and its children are gone when this process is, however that ends. */
export interface RedisServerProcess extends RedisServer {
  readonly pid: number
  /** The server's working folder; `server.log` in it is what the server said. */
  readonly folder: string
  readonly running: boolean
  /**
   * Sends a signal. Resolves at once for SIGSTOP and SIGCONT, for others when the process has ended: SIGKILL
   * follows if it has not within 15 s. Default SIGKILL.
   */
  kill(signal?: NodeJS.Signals): Promise<void>
  /**
   * Ends the server (SIGTERM) if it runs, and starts it again with the same port, folder and settings; resolves when it
   * is ready. What it then holds is what it had persisted.
   */
  restart(): Promise<void>
}

/** Starts a private server: bound to 127.0.0.1, nothing persisted, no eviction, its own folder and port. */
export async function startRedisServer(options: StartOptions = {}): Promise<RedisServerProcess> {
  const { binary: given } = options
  const binary = typeof given === 'object' ? given : await findRedisBinary(given === undefined ? {} : { binary: given })
  const folder = join(tmpdir(), `rivulet-redis-${randomUUID()}`)
  guardFolder(folder)
  mkdirSync(folder, { mode: 0o700 })
  for (let attempt = 1; ; attempt++) {
    const server = new LocalServer(binary, folder, options.port ?? (await freePort()), options)
    try {
      await server.start()
      return server
    } catch (error) {
      // another process may have taken the port between our look and the server's bind
      const again = options.port === undefined && attempt < 5 && /in use/.test(String(error))
      if (again) continue
      await server.stop()
      throw error
    }
  }
}

/** A port on 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, HOST)
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('The system gave no port')
  return address.port
}

class LocalServer implements RedisServerProcess {
  readonly kind
  readonly host = HOST
  readonly port: number
  readonly url: string
  readonly version: string
  readonly description: string
  readonly folder: string
  readonly #binary: RedisBinary
  readonly #options: StartOptions
  #child: ChildProcess | undefined
  #exit: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(binary: RedisBinary, folder: string, port: number, options: StartOptions) {
    this.kind = binary.kind
    this.port = port
    this.url = `redis://${HOST}:${port}`
    this.version = binary.version.text
    this.description = binary.description
    this.folder = folder
    this.#binary = binary
    this.#options = options
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new RedisServerStartError(`${this.description} is not running`)
    return this.#child.pid
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  async start(): Promise<void> {
    if (this.#stopped) throw new RedisServerStartError(`${this.description} on port ${this.port} was stopped for good`)
    const log = join(this.folder, 'server.log')
    const output = openSync(log, 'w')
    // The program waits for a line before it becomes the server, and the janitor knows it by then: were this process
    // killed in between, the line never comes and no server starts. A group of its own keeps the terminal's Ctrl-C away
    // and takes the server's own forks along when it is killed.
    const child = spawn(
      'sh',
      ['-c', 'read -r go && exec "$@" </dev/null', 'sh', this.#binary.path, ...this.#arguments()],
      {
        detached: true,
        stdio: ['pipe', output, output],
        cwd: this.folder,
        env: { ...process.env, ...this.#binary.env },
      },
    )
    closeSync(output)
    const leader = child.pid
    if (leader === undefined) {
      const error = await new Promise<Error>((resolve) => child.once('error', resolve))
      throw new RedisServerStartError(`${this.description} could not be started: ${String(error)}`, { cause: error })
    }
    this.#child = child
    this.#exit = new Promise((resolve) => {
      child.once('exit', () => {
        this.#child = undefined
        releaseGroup(leader)
        resolve()
      })
    })
    guardGroup(leader)
    child.stdin?.on('error', () => {}) // it has ended already: 'exit' tells
    child.stdin?.end('go\n')
    await this.#ready(log)
    child.unref()
  }

  #arguments(): string[] {
    const { appendonly = false, config = [] } = this.#options
    return [
      ...['--bind', HOST, '--port', String(this.port), '--protected-mode', 'yes', '--dir', this.folder],
      ...['--daemonize', 'no', '--logfile', '', '--loglevel', 'notice', '--maxmemory-policy', 'noeviction'],
      ...['--save', '', '--appendonly', appendonly ? 'yes' : 'no', '--appendfsync', 'everysec'],
      ...config,
    ]
  }

  /** The server's own word that it is ready holds with any password, TLS or port setting, and cannot be another server's. */
  async #ready(log: string): Promise<void> {
    const { deadline = 20_000 } = this.#options
    const end = Date.now() + deadline
    for (;;) {
      const said = readFileSync(log, 'utf8')
      if (said.includes(READY)) return
      const how = this.running ? (Date.now() > end ? `was not ready within ${deadline} ms` : null) : 'ended at once'
      if (how !== null) {
        await this.kill()
        const tail = said.trim().split('\n').slice(-5).join('\n  ')
        throw new RedisServerStartError(`${this.description} ${how} on port ${this.port}. It said:\n  ${tail}`)
      }
      await sleep(POLL)
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return
    child.ref()
    try {
      process.kill(-child.pid, signal)
    } catch {
      // it has just ended: 'exit' follows
    }
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') child.unref()
    else await this.#ended(signal)
  }

  async #ended(signal: NodeJS.Signals): Promise<void> {
    const ended = this.#exit.then(() => true)
    if (await Promise.race([ended, sleep(PATIENCE, false, { ref: false })])) return
    if (signal === 'SIGKILL') throw new Error(`${this.description} outlived SIGKILL by ${PATIENCE} ms`)
    await this.kill('SIGKILL')
  }

  async restart(): Promise<void> {
    await this.kill('SIGTERM')
    await this.start()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
    releaseFolder(this.folder)
  }
}
