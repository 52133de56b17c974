/**
 * One blocking read at a time, over a connection of its own, that can be ended early.
 *
 * CLIENT UNBLOCK reaches the server over another connection: it may overtake the read that it is to end, and then
 * unblocks nobody. So it is repeated, each time after its answer, until the read has come back.
 */
import type { Connection } from '../connection/connection.js'
import { issueCommand } from '../connection/encoded-command.js'
import { isCluster } from '../connection/redis-target.js'
import type { StreamEntry } from './stream-entry.js'

/** Where a read cannot be ended early, it is kept this short, in ms. */
const SHORT_WAIT = 100
/**
 * Of each stream. A wait that had to wait brings one, and so does one for which just one was there: another wait may
 * follow. With two there may be more, which only a fetch bounds.
 */
export const WAIT_ENTRIES = 2

export interface WaitLaneParts {
  /** Makes the connection that blocks. */
  readonly open: (signal: AbortSignal) => Promise<Connection>
  /** The connection that ends a wait. */
  readonly control: Connection
  /** Whether CLIENT UNBLOCK is permitted. */
  readonly canUnblock: boolean
  readonly onReconnect: () => void
}

interface Blocking {
  readonly connection: Connection
  /** The connection's own, for commands that answer at once, in ms. */
  readonly replyTimeout: number
  /** What CLIENT UNBLOCK wants to know; null where a wait cannot be ended so. */
  clientId: number | null
}

/** Of each stream that has something: its key and entries. */
export type StreamReply = readonly (readonly [key: Buffer, entries: readonly StreamEntry[]])[]

/** Redis answers null where there is nothing. */
const isStreamReply = (reply: unknown): reply is StreamReply => Array.isArray(reply)

export class WaitLane {
  readonly #parts: WaitLaneParts
  readonly #abort = new AbortController()
  #blocking: Promise<Blocking> | undefined
  /** The one that blocks, from the moment that there is one: asking for its id may take as long as a request may. */
  #connection: Connection | undefined
  /** The wait under way. */
  #wait: { interrupted: boolean } | null = null
  #closed = false

  constructor(parts: WaitLaneParts) {
    this.#parts = parts
  }

  /**
   * Runs one wait, which may have more to do than to read. It can be interrupted from here on: a caller that changes its
   * mind before the read has begun must not wait for it.
   */
  async run<T>(wait: () => Promise<T>): Promise<T> {
    this.#wait = { interrupted: false }
    try {
      return await wait()
    } finally {
      this.#wait = null
    }
  }

  /** Up to WAIT_ENTRIES entries after each id, once there is any; [] after the time-out, or when it was interrupted. */
  async read(keys: readonly string[], ids: readonly string[], timeoutMs: number): Promise<StreamReply> {
    // Closed before it has a connection: one that is opened now would never be closed.
    if (this.#isOver) return []
    const { connection, clientId, replyTimeout } = await this.#connect()
    if (this.#isOver) return []
    // BLOCK 0 would wait for ever
    const block = Math.max(1, Math.ceil(clientId === null ? Math.min(timeoutMs, SHORT_WAIT) : timeoutMs))
    connection.replyTimeout = replyTimeout + block
    const reply = await connection.command((client) =>
      issueCommand(client, 'xread', ['COUNT', WAIT_ENTRIES, 'BLOCK', block, 'STREAMS', ...keys, ...ids], null),
    )
    return isStreamReply(reply) ? reply : []
  }

  interrupt(): void {
    const wait = this.#wait
    if (wait === null || wait.interrupted) return
    wait.interrupted = true
    void this.#unblock(wait)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#abort.abort()
    await this.#connection?.close()
  }

  get #isOver(): boolean {
    return this.#closed || this.#wait === null || this.#wait.interrupted
  }

  #connect(): Promise<Blocking> {
    this.#blocking ??= this.#open().catch((error: unknown) => {
      this.#blocking = undefined
      throw error
    })
    return this.#blocking
  }

  async #open(): Promise<Blocking> {
    const connection = await this.#parts.open(this.#abort.signal)
    this.#connection = connection
    // Closed in the very moment in which it was opened.
    if (this.#closed) await connection.close()
    const { replyTimeout } = connection
    const blocking: Blocking = { connection, replyTimeout, clientId: await this.#clientId(connection) }
    connection.onReconnect(() => {
      // Until the new id is known, waits are short.
      blocking.clientId = null
      void this.#clientId(connection).then((id) => {
        blocking.clientId = id
      })
      this.#parts.onReconnect()
    })
    return blocking
  }

  async #clientId(connection: Connection): Promise<number | null> {
    if (!this.#parts.canUnblock) return null
    // In Cluster the read goes to whichever node holds the keys now.
    return connection.command(async (client) => (isCluster(client) ? null : client.client('ID'))).catch(() => null)
  }

  async #unblock(wait: { readonly interrupted: boolean }): Promise<void> {
    const clientId = (await this.#blocking?.catch(() => undefined))?.clientId ?? null
    if (clientId === null) return
    const { control } = this.#parts
    // The next wait may have begun when the answer comes: that one is to go on.
    while (this.#wait === wait && !this.#closed) {
      try {
        await control.command((client) => client.client('UNBLOCK', clientId))
      } catch {
        // The connection is lost: so is the one that blocks, or its time-out ends the wait.
        return
      }
    }
  }
}
