import { KafkaError } from '@rivulet/protocol'
import type { Connection } from './connection.js'
import type { StorageLogger } from './redis-target.js'
import { toKafkaError } from './server-errors.js'

/** Told each message of a channel; null: messages may have been missed. */
export type ChannelListener = (message: string | null) => void

/**
 * Listens to channels, for as long as it is open: all of a storage's over one connection. What is announced while that is
 * lost is missed, which the listeners are told as soon as it is back.
 */
export class Subscriber {
  readonly #listeners = new Map<string, Set<ChannelListener>>()
  #closed = false

  constructor(
    private readonly connection: Connection,
    private readonly logger: StorageLogger,
  ) {
    connection.client.on('message', (channel: string, message: string) => this.#tell(channel, message))
    connection.onReconnect(() => void this.#resubscribe())
  }

  /**
   * Calls the listener at each message to the channel, from when this resolves. Where the user may not listen to the channel
   * that is logged, and nothing ever comes.
   *
   * @returns what takes the listener away
   * @throws KafkaError when the connection fails
   */
  async subscribe(channel: string, listener: ChannelListener): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    try {
      // Also where somebody listens already: that subscription may be under way only, and may fail.
      await this.connection.command((client) => client.subscribe(channel), { operation: `listening to ${channel}` })
    } catch (error) {
      this.#remove(channel, listener)
      if (!(error instanceof KafkaError) || error.type !== 'CLUSTER_AUTHORIZATION_FAILED') throw error
      this.logger.warn(`SUBSCRIBE is not permitted: ${error.message}`)
    }
    return () => this.#unsubscribe(channel, listener)
  }

  close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
    return this.connection.close()
  }

  async #unsubscribe(channel: string, listener: ChannelListener): Promise<void> {
    if (!this.#remove(channel, listener)) return
    // A connection that is lost begins without subscriptions when it is back.
    if (this.connection.usable) await this.connection.client.unsubscribe(channel).catch(() => undefined)
  }

  /** @returns whether nobody listens to the channel any more, and somebody did */
  #remove(channel: string, listener: ChannelListener): boolean {
    const listeners = this.#listeners.get(channel)
    if (listeners === undefined || !listeners.delete(listener) || listeners.size > 0) return false
    return this.#listeners.delete(channel)
  }

  #tell(channel: string, message: string | null): void {
    for (const listener of [...(this.#listeners.get(channel) ?? [])]) listener(message)
  }

  async #resubscribe(): Promise<void> {
    const channels = [...this.#listeners.keys()]
    if (channels.length === 0) return
    try {
      await this.connection.command((client) => client.subscribe(...channels), { operation: 'listening again' })
      for (const channel of channels) this.#tell(channel, null)
    } catch (error) {
      // The connection was lost again: the next reconnect comes here once more. Any other refusal leaves everybody with what
      // they do without messages.
      if (!this.#closed) this.logger.warn(`changes cannot be listened to: ${toKafkaError(error).message}`)
    }
  }
}
