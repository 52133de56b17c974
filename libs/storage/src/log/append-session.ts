/**
 * A short stretch of time on one connection. Within it append.lua need not look again at what depends on the server's role
 * (the replication id, hence the leader epoch), nor at what changes slowly (the active segment's age): a partition's
 * state holds the session that appended last, and only a batch from another session is looked at.
 *
 * What it must not hide is a server that goes on with another history than the one that the session began with:
 *
 * - Another server (a failover, a restart) is another connection: the session has ended.
 * - The same server, over the same connection, after it has lost its role, taken over another one's data and got its role
 *   back: that takes longer than a session, and a write in between is refused, which ends the session as well.
 * - Another server behind the same connection, because a proxy speaks Redis itself: a failover takes longer than a session.
 * - A Cluster's client sends a command on to whichever node has the slot now: there are no sessions.
 */
import { randomFillSync } from 'node:crypto'
import type { Connection } from '../connection/connection.js'

/**
 * In ms. Many appends that follow each other closely share it, and no server takes over another one's data in that time. What
 * is looked at costs a tenth of a small append: more seldom than this it is no cost.
 */
const SESSION_MS = 5

/** What it has nothing in common with: the batch is looked at. */
export const NO_SESSION = Buffer.alloc(8)

export class AppendSession {
  readonly #connection: Pick<Connection, 'cluster' | 'usable'>
  #id = NO_SESSION
  #endsAt = -Infinity

  constructor(connection: Pick<Connection, 'cluster' | 'usable' | 'onReconnect'>) {
    this.#connection = connection
    connection.onReconnect(() => this.end())
  }

  /** For a call that is issued at once: 8 bytes. NO_SESSION where the call would wait for the connection to come back. */
  get id(): Buffer {
    const { cluster, usable } = this.#connection
    if (cluster || !usable) return NO_SESSION
    const now = performance.now()
    if (now >= this.#endsAt) {
      this.#id = randomFillSync(Buffer.allocUnsafe(NO_SESSION.length))
      this.#endsAt = now + SESSION_MS
    }
    return this.#id
  }

  /** Something has happened that may mean another role. */
  end(): void {
    this.#endsAt = -Infinity
  }
}
