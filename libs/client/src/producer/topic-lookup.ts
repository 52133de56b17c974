import { KafkaError } from '@rivulet/protocol'
import type { Topic, TopicRegistry } from '@rivulet/storage'

import { firstRetryTime, nextRetryTime } from '../retry.js'
import type { Logger } from '../types.js'
import type { ProducerSettings } from './producer-settings.js'

/** What the lookup needs of a storage. */
export interface TopicSource {
  readonly topics: Pick<TopicRegistry, 'get' | 'cached' | 'refresh' | 'create'>
  /** Whether the namespace has auto.create.topics.enable. */
  autoCreateTopics(): Promise<boolean>
}

/** Something that cannot go on without the topic. */
export interface TopicWaiter {
  found(topic: Topic): void
  /** @param tries what was tried; null: the wait ended before that was over */
  failed(error: KafkaError, tries: LookupTries | null): void
}

export interface LookupTries {
  readonly retryCount: number
  /** The wait before a next try, ms. */
  readonly retryTime: number
}

interface Lookup {
  readonly topic: string
  readonly waiters: TopicWaiter[]
  timeout: NodeJS.Timeout | undefined
  pause: NodeJS.Timeout | undefined
  /** Why there is no topic yet. */
  reason: KafkaError | undefined
  over: boolean
}

/**
 * Finds the topics that are not in the registry's cache, and makes those that are not there at all, one attempt a topic at
 * a time. Who waits for a topic is served in the order of coming.
 */
export class TopicLookup {
  readonly #source: TopicSource
  readonly #settings: Pick<ProducerSettings, 'maxBlockMs' | 'retry' | 'allowAutoTopicCreation'>
  readonly #logger: Logger
  readonly #lookups = new Map<string, Lookup>()

  constructor(
    source: TopicSource,
    settings: Pick<ProducerSettings, 'maxBlockMs' | 'retry' | 'allowAutoTopicCreation'>,
    logger: Logger,
  ) {
    this.#source = source
    this.#settings = settings
    this.#logger = logger
  }

  cached(name: string): Topic | undefined {
    return this.#source.topics.cached(name)
  }

  /** Whether somebody waits for the topic: whoever comes now must wait behind. */
  busy(name: string): boolean {
    return this.#lookups.size > 0 && this.#lookups.has(name)
  }

  /** Waits for the topic for up to maxBlockMs. @param fresh the cache is not to be trusted */
  wait(name: string, waiter: TopicWaiter, fresh = false): void {
    const running = this.#lookups.get(name)
    if (running !== undefined) {
      running.waiters.push(waiter)
      return
    }
    const lookup: Lookup = {
      topic: name,
      waiters: [waiter],
      timeout: undefined,
      pause: undefined,
      reason: undefined,
      over: false,
    }
    this.#lookups.set(name, lookup)
    const { maxBlockMs } = this.#settings
    lookup.timeout = setTimeout(() => {
      const message = `The metadata of the topic '${name}' could not be read within ${maxBlockMs} ms (maxBlockMs)`
      this.#end(lookup, lookup.reason ?? new KafkaError('REQUEST_TIMED_OUT', message, { topic: name, maxBlockMs }))
    }, maxBlockMs)
    void this.#run(lookup, fresh)
  }

  /** Fails all waits. */
  close(error: KafkaError): void {
    for (const lookup of [...this.#lookups.values()]) this.#end(lookup, error)
  }

  async #run(lookup: Lookup, fresh: boolean): Promise<void> {
    const { retry } = this.#settings
    let retryTime = firstRetryTime(retry)
    for (let retryCount = 0; !lookup.over; retryCount++) {
      const result = await this.#attempt(lookup.topic, fresh || retryCount > 0)
      if (!(result instanceof KafkaError) || !result.retriable || retryCount >= retry.retries) {
        return this.#end(lookup, result, { retryCount, retryTime })
      }
      lookup.reason = result
      this.#logger.debug(`No metadata of the topic '${lookup.topic}' yet: ${result.message}`, { retryCount, retryTime })
      await new Promise<void>((resolve) => {
        lookup.pause = setTimeout(resolve, retryTime)
      })
      retryTime = nextRetryTime(retry, retryTime)
    }
  }

  async #attempt(name: string, fresh: boolean): Promise<Topic | KafkaError> {
    const { topics } = this.#source
    try {
      const topic = await (fresh ? topics.refresh(name) : topics.get(name))
      return topic ?? (await this.#create(name))
    } catch (error) {
      if (error instanceof KafkaError) return error
      return new KafkaError('UNKNOWN_SERVER_ERROR', `Reading the topic '${name}' failed: ${String(error)}`, {
        cause: error,
      })
    }
  }

  async #create(name: string): Promise<Topic | KafkaError> {
    const { topics } = this.#source
    if (!this.#settings.allowAutoTopicCreation) return noTopic(name, 'the producer has allowAutoTopicCreation: false')
    if (!(await this.#source.autoCreateTopics()))
      return noTopic(name, 'the namespace has auto.create.topics.enable=false')
    try {
      const topic = await topics.create({ name })
      this.#logger.info(`Made the topic '${name}', which was not there`, {
        topic: name,
        partitions: topic.partitions.length,
      })
      return topic
    } catch (error) {
      // Two clients miss the topic at the same time, both make it, one is second: the first one's is as good.
      if (!(error instanceof KafkaError) || error.type !== 'TOPIC_ALREADY_EXISTS') throw error
      return (await topics.refresh(name)) ?? noTopic(name, 'it was deleted while it was being made')
    }
  }

  #end(lookup: Lookup, result: Topic | KafkaError, tries: LookupTries | null = null): void {
    if (lookup.over) return
    lookup.over = true
    clearTimeout(lookup.timeout)
    clearTimeout(lookup.pause)
    this.#lookups.delete(lookup.topic)
    for (const waiter of lookup.waiters) {
      if (result instanceof KafkaError) waiter.failed(result, tries)
      else waiter.found(result)
    }
  }
}

function noTopic(topic: string, reason: string): KafkaError {
  return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic '${topic}', and it is not made: ${reason}`, {
    topic,
  })
}
