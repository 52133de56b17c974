import type { Connection } from '../connection/connection.js'
import type { StorageLogger } from '../connection/redis-target.js'
import { toKafkaError } from '../connection/server-errors.js'

/** A topic was made, changed or deleted; or anything may have been, unnoticed. */
export type TopicChange = { readonly topic: string } | { readonly all: true }

/**
 * Listens to the announcements of the registry's changes, for as long as it is open. What is announced while the connection
 * is lost is missed: afterwards everything counts as changed.
 */
export class ChangeWatcher {
  #closed = false

  constructor(
    private readonly connection: Connection,
    private readonly channel: string,
    private readonly logger: StorageLogger,
    private readonly onChange: (change: TopicChange) => void,
  ) {
    connection.client.on('message', (from: string, topic: string) => {
      if (from === channel) onChange({ topic })
    })
    connection.onReconnect(() => void this.#resubscribe())
  }

  /** @throws KafkaError when the channel is not permitted, or the connection fails */
  async start(): Promise<void> {
    await this.connection.command((client) => client.subscribe(this.channel), { operation: 'watching topics' })
  }

  close(): Promise<void> {
    this.#closed = true
    return this.connection.close()
  }

  async #resubscribe(): Promise<void> {
    try {
      await this.start()
      if (!this.#closed) this.onChange({ all: true })
    } catch (error) {
      // The connection was lost again: the next reconnect comes here once more. Any other refusal leaves the caches
      // with their age alone.
      if (!this.#closed) {
        this.logger.warn(`changes of topics cannot be watched: ${toKafkaError(error).message}`)
      }
    }
  }
}
