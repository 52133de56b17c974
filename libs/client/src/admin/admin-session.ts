import { setMaxListeners } from 'node:events'
import { RedisGroupStore } from '@rivulet/coordinator'
import type { GroupStore } from '@rivulet/coordinator'
import { KafkaError } from '@rivulet/protocol'
import type { ErrorName } from '@rivulet/protocol'
import type { Storage } from '@rivulet/storage'
import {
  KafkaJSAggregateError,
  KafkaJSBrokerNotFound,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSNonRetriableError,
  toKafkaJSError,
} from '../errors.js'
import { createRetry } from '../retry.js'
import type { SharedStorage } from '../shared-storage.js'
import type { Logger, RetryOptions } from '../types.js'

/** What passes by itself: a connection that was lost, a failover under way. */
const TRANSIENT: readonly ErrorName[] = ['NETWORK_EXCEPTION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_OR_FOLLOWER']

/** From an admin's connect() to its disconnect(): what its calls work on, and how they are tried again. */
export class AdminSession {
  readonly #shared: SharedStorage
  readonly #retry: RetryOptions
  readonly #logger: Logger
  readonly #abort = new AbortController()
  readonly #storage: Promise<Storage>
  /** It remembers where groups are. */
  #groups: GroupStore | undefined

  constructor(shared: SharedStorage, retry: RetryOptions, logger: Logger) {
    this.#shared = shared
    this.#retry = retry
    this.#logger = logger
    // As many as calls wait for their next try: no leak that Node would have to warn of.
    setMaxListeners(0, this.#abort.signal)
    this.#storage = shared.acquire(this.#abort.signal)
  }

  /** Resolves when it is connected. @throws KafkaJSError what came of connecting */
  async connected(): Promise<void> {
    await this.#storage
  }

  /** Gives up what is under way. Takes at most a second. */
  async close(): Promise<void> {
    const connected = this.#storage.then(
      () => true,
      () => false,
    )
    this.#abort.abort(new KafkaJSNonRetriableError('The admin was disconnected'))
    if (await connected) await this.#shared.release()
  }

  /**
   * Runs an operation with retries. What passes by itself, and the errors named in `again`, are tried again; everything
   * else is thrown as it is.
   */
  async run<T>(
    method: string,
    operation: (storage: Storage, groups: GroupStore) => Promise<T>,
    again: readonly ErrorName[],
  ): Promise<T> {
    const storage = await this.#storage
    const groups = (this.#groups ??= new RedisGroupStore(storage))
    return createRetry(
      this.#retry,
      this.#abort.signal,
    )(async (bail, retryCount, retryTime) => {
      try {
        return await operation(storage, groups)
      } catch (error) {
        if (!(error instanceof KafkaError)) {
          if (error instanceof KafkaJSDeleteTopicRecordsError && !error.partitions.every(isNotFound)) throw error
          bail(error instanceof KafkaJSAggregateError ? error : toKafkaJSError(error))
          throw error
        }
        const e = toKafkaJSError(error)
        if (!TRANSIENT.includes(error.type) && !again.includes(error.type)) bail(e)
        else this.#logger.warn(`${method} failed`, { error: e.message, retryCount, retryTime })
        throw e
      }
    })
  }
}

/** Partitions that are not there are told as they are; errors of those that are go through the retries. */
const isNotFound = ({ error }: { error: Error }): boolean => error instanceof KafkaJSBrokerNotFound
