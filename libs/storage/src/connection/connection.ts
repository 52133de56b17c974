import { KafkaError } from '@rivulet/protocol'
import type { Cluster, Redis } from 'ioredis'
import type { Script, ScriptArgument } from '../scripts/script.js'
import { isCluster, type ConnectionRole, type RedisClient, type StorageLogger } from './redis-target.js'
import { forgetCommand, isConnectionLoss, isError, toKafkaError, type ErrorContext } from './server-errors.js'
import { abandon, Watchdog } from './watchdog.js'

export interface ConnectionParts {
  /** Made with lazyConnect, and ours alone: it is closed with the connection. */
  readonly client: RedisClient
  readonly role: ConnectionRole
  /** How it shows in CLIENT LIST. */
  readonly name: string
  /** Where it leads, for messages. */
  readonly label: () => string
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly logger: StorageLogger
  /** Only one attempt to connect is made, and the connection does not come back. */
  readonly once?: boolean
  /**
   * Asked each time that a single server was connected to; false: it is not the one we want (a replica), and another attempt
   * is to be made. By default any server that answers is.
   */
  readonly accepts?: (client: Redis) => Promise<boolean>
}

/** Close waits this long for the commands in flight. */
const DRAIN_TIMEOUT = 500
const LOG_INTERVAL = 5_000
const SILENT = 'it accepts connections, but does not answer: it hangs, or is not a Redis server'
const REVIVAL_DELAY = 500
/** How often a subscriber, which sends nothing by itself, asks whether the other side is still there. */
const PING_INTERVAL = 10_000

/**
 * One connection to Redis, or one set of connections to a Cluster's nodes, that comes back by itself for as long as it
 * is open. Commands in flight when it is lost are rejected at once (NETWORK_EXCEPTION, REQUEST_TIMED_OUT): whoever sent
 * them knows whether they may be repeated.
 */
export class Connection {
  /** For commands by their typed methods. While the connection is lost they fail at once; `ready()` waits for it. */
  readonly client: RedisClient
  readonly role: ConnectionRole
  /** Whether the other side is a Redis Cluster: a command's keys must then share a slot. */
  readonly cluster: boolean
  /**
   * For how long a command may be without an answer, in ms. By default the request timeout; before a command that blocks
   * it must be raised by the time that it may block.
   */
  replyTimeout: number

  readonly #parts: ConnectionParts
  readonly #watchdog: Watchdog
  readonly #reconnectListeners = new Set<() => void>()
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: KafkaError) => void }>()
  readonly #pings: NodeJS.Timeout | undefined
  #usable = false
  #wasUsable = false
  #closed = false
  #lastError: Error | undefined
  #nextLogAt = 0

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.client = parts.client
    this.role = parts.role
    this.cluster = isCluster(parts.client)
    this.replyTimeout = parts.requestTimeout
    this.#observe(parts.client)
    this.#watchdog = new Watchdog({
      clients: () => this.#clients(),
      replyTimeout: () => this.replyTimeout,
      connectionTimeout: parts.connectionTimeout,
      onSilence: (client, timeout) => {
        const where = this.cluster ? `${client.options.host}:${client.options.port}` : this.label
        parts.logger.warn(`Redis at ${where} has not answered for ${timeout} ms: connecting anew`)
        // Before the socket says so: whoever's command is rejected now must find the connection lost.
        if (!this.cluster) this.#lost()
        this.#lastError = new KafkaError('NETWORK_EXCEPTION', `within ${timeout} ms ${SILENT}`)
        return new KafkaError(
          'REQUEST_TIMED_OUT',
          `Redis at ${where} did not answer within ${timeout} ms: the connection is made anew`,
        )
      },
    })
    if (parts.role === 'subscriber') {
      this.#pings = setInterval(() => this.#ping(), Math.min(PING_INTERVAL, parts.requestTimeout / 2))
      this.#pings.unref()
    }
  }

  /** Where it leads, without secrets: for messages. */
  get label(): string {
    return this.#parts.label()
  }

  /** Whether commands can be issued now. */
  get usable(): boolean {
    return this.#usable
  }

  /**
   * Connects for the first time.
   *
   * @param signal its abort gives up
   * @throws KafkaError NETWORK_EXCEPTION, SASL_AUTHENTICATION_FAILED, CLIENT_CLOSED (given up) …; the connection is closed
   *   then
   */
  async open(signal?: AbortSignal): Promise<void> {
    const giveUp = (): void => void this.close()
    if (signal?.aborted === true) await this.close()
    else signal?.addEventListener('abort', giveUp, { once: true })
    try {
      await this.#open()
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  async #open(): Promise<void> {
    if (this.#closed) throw this.#closedError()
    this.client.connect().catch((error: unknown) => {
      if (!isError(error)) return
      forgetCommand(error)
      this.#lastError ??= error
    })
    try {
      await this.ready(this.#parts.connectionTimeout)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /**
   * Resolves when commands can be issued: at once, unless the connection is lost at the moment.
   *
   * @param timeout how long to wait for it, in ms; by default the request timeout
   * @throws KafkaError NETWORK_EXCEPTION after that time, CLIENT_CLOSED when it is or gets closed
   */
  ready(timeout: number = this.#parts.requestTimeout): Promise<void> {
    if (this.#usable) return Promise.resolve()
    if (this.#closed) return Promise.reject(this.#closedError())
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(waiter)
      }
      const waiter = {
        resolve: () => {
          settle()
          resolve()
        },
        reject: (error: KafkaError) => {
          settle()
          reject(error)
        },
      }
      const timer = setTimeout(() => waiter.reject(this.#unreachable(timeout)), timeout)
      this.#waiting.add(waiter)
    })
  }

  /** Runs a script when the connection is there. @throws KafkaError the refusal, or what became of the connection */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    context?: ErrorContext,
  ): Promise<unknown> {
    return this.command((client) => script.run(client, keys, args), context)
  }

  /** As `run`, with buffers where the script returns texts. */
  runForBuffers(
    script: Script,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    context?: ErrorContext,
  ): Promise<unknown> {
    return this.command((client) => script.runForBuffers(client, keys, args), context)
  }

  /** Issues a command when the connection is there. @throws KafkaError the refusal, or what became of the connection */
  command<T>(issue: (client: RedisClient) => Promise<T>, context?: ErrorContext): Promise<T> {
    const answer = this.#usable ? issue(this.client) : this.ready().then(() => issue(this.client))
    return answer.catch((error: unknown) => {
      throw this.#failure(error, context)
    })
  }

  /** Calls the listener after the connection was lost and made again. @returns what takes the listener away */
  onReconnect(listener: () => void): () => void {
    this.#reconnectListeners.add(listener)
    return () => this.#reconnectListeners.delete(listener)
  }

  /** Lets the commands in flight finish for half a second, then closes. Can be called more than once. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const waiter of [...this.#waiting]) waiter.reject(this.#closedError())
    this.#reconnectListeners.clear()
    if (this.#usable && this.role !== 'reader-block') await this.#drain()
    this.#usable = false
    this.#watchdog.stop()
    clearInterval(this.#pings)
    const clients = this.#clients()
    this.client.disconnect()
    // A stopped server would not take part in an orderly goodbye, and the socket would keep the process alive.
    for (const client of clients) abandon(client, this.#closedError())
  }

  #failure(error: unknown, context: ErrorContext | undefined): KafkaError {
    if (this.#closed && !(error instanceof KafkaError)) return this.#closedError()
    return toKafkaError(error, { address: this.label, ...context })
  }

  // Answers come in the order of the commands: an answer to PING means that all before it are in.
  async #drain(): Promise<void> {
    const clients = this.#clients().filter((client) => !client.commandQueue.isEmpty())
    if (clients.length === 0) return
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_TIMEOUT)
    })
    await Promise.race([Promise.allSettled(clients.map((client) => client.ping())), timeout])
    clearTimeout(timer)
  }

  // The answer does not matter: the watchdog sees whether one comes.
  #ping(): void {
    if (this.#usable) this.client.ping().catch(() => undefined)
  }

  #clients(): readonly Redis[] {
    return isCluster(this.client) ? this.client.nodes() : [this.client]
  }

  #observe(client: RedisClient): void {
    const { accepts = answers, logger, name } = this.#parts
    client.on('error', (error: Error) => this.#noteError(error))
    client.on('close', () => this.#lost())
    client.on('end', () => this.#ended())
    if (isCluster(client)) {
      client.on('ready', () => {
        void this.#connectNodes(client).then(() => {
          if (client.status === 'ready') this.#regained()
        })
      })
      client.on('node error', (error: Error) => this.#noteError(error))
      // A node's own connection may be lost and made again while the Cluster's client stays ready all the time.
      client.on('+node', (node: Redis) => {
        let lost = false
        // Not at once: where a command was sent on to a node that is new, ioredis queues it for that one, which it does only
        // as long as nobody has begun to connect.
        if (this.role !== 'reader-block') setImmediate(() => void connectNode(node))
        node.on('close', () => {
          lost = true
          this.#refreshSlots()
        })
        node.on('ready', () => {
          greet(node, name)
          if (lost) this.#announceReconnect()
          lost = false
        })
      })
      return
    }
    client.on('ready', () => {
      // After a refused login ioredis says so all the same, of a socket that it is closing.
      if (!client.stream.writable) return
      greet(client, name)
      accepts(client).then(
        (accepted) => {
          // A user who is refused may be answered as the default user, until the socket is closed.
          if (this.#closed || client.status !== 'ready' || !client.stream.writable) return
          if (accepted) return this.#regained()
          logger.warn(`${this.label} is a replica now: looking for the primary`)
          client.disconnect(true)
        },
        (error: unknown) => {
          // Either the connection is lost again, which 'close' tells, or the answer was a refusal.
          if (isError(error) && !isConnectionLoss(error)) this.#noteError(error)
          if (!this.#closed && client.status === 'ready') client.disconnect(true)
        },
      )
    })
  }

  // A connection that blocks is used for one shard, by one command at a time: it needs one node, and can wait for it.
  async #connectNodes(client: Cluster): Promise<void> {
    if (this.role !== 'reader-block') await Promise.all(client.nodes('master').map(connectNode))
  }

  // Without this a Cluster's failover is noticed by the refresh timer only; ioredis runs one refresh at a time. Where no
  // node that it knows answers, it starts anew from the addresses that it was given: all others may have moved.
  #refreshSlots(): void {
    const { client } = this
    if (!isCluster(client) || this.#closed || client.status !== 'ready') return
    client.refreshSlotsCache((error) => {
      if (isError(error) && !this.#closed && client.status === 'ready') client.disconnect(true)
    })
  }

  // ioredis makes no further attempt: because it was to make one only, or because it could not even begin the last one.
  #ended(): void {
    if (this.#closed) return
    if (this.#parts.once === true) {
      for (const waiter of [...this.#waiting]) waiter.reject(this.#unreachable(null))
      return
    }
    setTimeout(() => {
      if (!this.#closed && this.client.status === 'end') this.client.connect().catch(() => undefined)
    }, REVIVAL_DELAY).unref()
  }

  #lost(): void {
    if (!this.#usable) return
    this.#usable = false
    if (!this.#closed) this.#parts.logger.warn(`the connection to Redis at ${this.label} (${this.role}) was lost`)
  }

  #regained(): void {
    if (this.#closed) return
    this.#usable = true
    this.#lastError = undefined
    for (const waiter of [...this.#waiting]) waiter.resolve()
    if (this.#wasUsable) {
      this.#parts.logger.info(`the connection to Redis at ${this.label} (${this.role}) is back`)
      this.#announceReconnect()
    }
    this.#wasUsable = true
  }

  #announceReconnect(): void {
    for (const listener of [...this.#reconnectListeners]) listener()
  }

  // An unreachable server has an error at each attempt: said once in a while, kept for whoever waits.
  #noteError(error: Error): void {
    forgetCommand(error)
    // After a refused login the next command is refused, too, and the connection is closed: that says less.
    if (this.#lastError?.message.startsWith('WRONGPASS') === true && !('syscall' in error)) return
    this.#lastError = error
    if (this.#closed) return
    const now = Date.now()
    if (!this.#wasUsable || now < this.#nextLogAt) return
    this.#nextLogAt = now + LOG_INTERVAL
    this.#parts.logger.warn(`Redis at ${this.label}: ${error.message}`)
  }

  #unreachable(timeout: number | null): KafkaError {
    const cause = this.#lastError
    const time = timeout === null ? '' : ` within ${timeout} ms`
    if (cause === undefined && timeout === null) {
      return new KafkaError(
        'NETWORK_EXCEPTION',
        `${this.label} closed the connection without an answer: it is not a Redis server, or speaks TLS where plain text ` +
          'was tried',
      )
    }
    const error = cause === undefined ? undefined : toKafkaError(cause, { address: this.label })
    if (error !== undefined && error.type !== 'NETWORK_EXCEPTION') return error
    const { client } = this
    const silent = !isCluster(client) && (client.status === 'connect' || client.status === 'ready')
    const reason = cause !== undefined ? `: ${cause.message}` : silent ? `: ${SILENT}` : ''
    return new KafkaError('NETWORK_EXCEPTION', `no connection to Redis at ${this.label}${time}${reason}`, { cause })
  }

  #closedError(): KafkaError {
    return new KafkaError('CLIENT_CLOSED', `the connection to Redis at ${this.label} was closed`)
  }
}

/** Resolves when the node is connected to, or cannot be at the moment. */
async function connectNode(node: Redis): Promise<void> {
  if (node.status === 'ready' || node.status === 'end') return
  if (node.status === 'wait') return node.connect().catch(() => undefined)
  await new Promise<void>((resolve) => {
    const settled = (): void => {
      for (const event of ['ready', 'close', 'end'] as const) node.off(event, settled)
      resolve()
    }
    for (const event of ['ready', 'close', 'end'] as const) node.on(event, settled)
  })
}

// The name is for CLIENT LIST only: that it is not permitted, or that the connection is lost again, matters to nobody.
function greet(client: Redis, name: string): void {
  // ioredis listens by prependListener, which Node's streams do not count as listening: they would queue what comes, and
  // hand it out a tick later.
  client.stream.on('data', () => undefined)
  client.client('SETNAME', name).catch(() => undefined)
}

// A stopped server's port still accepts connections, and a refused login is told in answers only.
async function answers(client: Redis): Promise<boolean> {
  await client.ping()
  return true
}
