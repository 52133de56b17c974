import type { Connection } from './connection/connection.js'
import type { ChannelListener } from './connection/subscriber.js'
import type { Keyspace } from './keys.js'

/** A connection as it is lent to others: for scripts and commands. */
export type CommandConnection = Pick<Connection, 'run' | 'command'>

/** What a room builds on that keeps something of its own in the same Redis. */
export interface StorageBackend {
  /** The connection for commands, shared by all. */
  readonly connection: CommandConnection
  readonly keyspace: Keyspace
  /** Whether scripts may read INFO: without it nobody notices that another history has begun. */
  readonly infoInScripts: boolean
  /**
   * Calls the listener at each message to the channel, and with null when messages may have been missed. Where SUBSCRIBE is not
   * permitted it resolves, and nothing ever comes.
   *
   * @returns what takes the listener away
   * @throws KafkaError when the connection fails
   */
  subscribe(channel: string, listener: ChannelListener): Promise<() => Promise<void>>
}
