import type { Redis } from 'ioredis'

interface Observation {
  stream: Redis['stream'] | undefined
  bytesRead: number
  /** For how long nothing came while something was waited for, in ms of checks made. */
  silence: number
}

export interface WatchdogOptions {
  /** The ioredis clients of the connection: one, or a Cluster's nodes. */
  readonly clients: () => readonly Redis[]
  /** For how long a sent command may stay without any answer on the socket, in ms. */
  readonly replyTimeout: () => number
  /** The same for what is said at connecting (login, name), in ms. */
  readonly connectionTimeout: number
  /** Called when a client was found without life, before its socket is destroyed. @returns what its commands are told */
  readonly onSilence: (client: Redis, timeout: number) => Error
}

const MAX_PERIOD = 1_000
const CHECKS_PER_TIMEOUT = 10

/**
 * Notices a connection that is half open: a stopped server or a lost network ends no socket. Where a command waits and
 * not a byte comes for the whole timeout, all commands that wait are rejected and the socket is
 * destroyed, so that the client connects anew.
 *
 * One timer a connection, and nothing done per command. Silence is counted in checks, not on a clock: a process that was
 * itself stopped for a minute has not waited for a minute, and finds the answers in its socket at the next turn.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #observed = new WeakMap<Redis, Observation>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: WatchdogOptions) {
    this.#options = options
    this.#schedule()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  // The period is taken anew each time: the reply timeout of a blocking connection changes.
  #schedule(): void {
    const shortest = Math.min(this.#options.replyTimeout(), this.#options.connectionTimeout)
    const period = Math.max(10, Math.min(MAX_PERIOD, Math.floor(shortest / CHECKS_PER_TIMEOUT)))
    this.#timer = setTimeout(() => {
      this.#schedule()
      for (const client of this.#options.clients()) this.#check(client, period)
    }, period)
    this.#timer.unref()
  }

  #check(client: Redis, period: number): void {
    const stream: Redis['stream'] | undefined = client.stream
    const bytesRead = stream?.bytesRead ?? 0
    const last = this.#observed.get(client)
    if (last === undefined || last.stream !== stream || last.bytesRead !== bytesRead || client.commandQueue.isEmpty()) {
      this.#observed.set(client, { stream, bytesRead, silence: 0 })
      return
    }
    last.silence += period
    const timeout = client.status === 'ready' ? this.#options.replyTimeout() : this.#options.connectionTimeout
    if (last.silence < timeout) return
    abandon(client, this.#options.onSilence(client, timeout))
  }
}

/** Rejects what a client waits for and destroys its socket. */
export function abandon(client: Redis, error: Error): void {
  const stream: Redis['stream'] | undefined = client.stream
  // Emptied first: ioredis would reject them with an error that does not say why.
  for (let item = client.commandQueue.shift(); item !== undefined; item = client.commandQueue.shift()) {
    item.command.reject(error)
  }
  // An answer that still came now would be taken for the next command's.
  stream?.removeAllListeners('data')
  stream?.destroy()
}
