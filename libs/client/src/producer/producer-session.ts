import { type Codecs, type CompressionType, KafkaError } from '@rivulet/protocol'
import type { Appender, Partition, Topic } from '@rivulet/storage'

import {
  type KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  toKafkaJSError,
} from '../errors.js'
import type { ICustomPartitioner, Logger, Message, RecordMetadata, TopicMessages } from '../types.js'
import { BufferMemory, type MemoryWaiter } from './buffer-memory.js'
import type { CallObserver } from './call-events.js'
import { copyOf } from './messages.js'
import { PartitionQueue } from './partition-queue.js'
import { PendingSend } from './pending-send.js'
import { newProducerId, ProducerIdentity } from './producer-identity.js'
import type { ProducerSettings } from './producer-settings.js'
import { RecordAccumulator, type TopicTarget } from './record-accumulator.js'
import { Sender } from './sender.js'
import { type LookupTries, TopicLookup, type TopicSource, type TopicWaiter } from './topic-lookup.js'

export interface SessionParts {
  readonly appender: Appender
  readonly source: TopicSource
  readonly settings: ProducerSettings
  readonly partitioner: ReturnType<ICustomPartitioner>
  readonly codecs: Codecs
  readonly logger: Logger
  readonly observer: CallObserver
}

/** What one send has for one topic, while it cannot be taken into the accumulator yet. */
interface Portion {
  readonly send: PendingSend
  readonly topicIndex: number
  readonly name: string
  readonly messages: readonly Message[]
  readonly compression: CompressionType
  /** The topic was looked up past the cache because the cached one had no such partition. */
  readonly fresh: boolean
}

/**
 * A producer from connect() to disconnect(): queues, sequence numbers and everything that is under way. Another connect()
 * begins another session, with a producer id of its own, so that nothing of this one can be mistaken for its.
 *
 * A send goes through three rooms: the metadata of its topics (each topic's queue is first come, first served), the buffer
 * memory (one queue for all), the accumulator. Usually all of that is passed in one synchronous call. The order of sends to
 * a topic stays, because the rooms are in the same order for everyone, and nobody passes one where others wait.
 */
export class ProducerSession {
  readonly #parts: SessionParts
  readonly #memory: BufferMemory
  readonly #lookup: TopicLookup
  readonly #sender: Sender
  readonly #accumulator: RecordAccumulator
  readonly #targets = new Map<string, TopicTarget>()
  readonly #producerId = newProducerId()
  /** Portions that wait for metadata or memory. */
  #waiting = 0
  #closed = false
  #idle: (() => void) | undefined

  constructor(parts: SessionParts) {
    const { appender, settings, source, partitioner, codecs, logger, observer } = parts
    this.#parts = parts
    this.#memory = new BufferMemory(settings.bufferMemory, settings.maxBlockMs)
    this.#lookup = new TopicLookup(source, settings, logger)
    this.#sender = new Sender({
      appender,
      settings,
      memory: this.#memory,
      codecs,
      logger,
      observer,
      topicGone: (partition) => this.#topicGone(partition),
      idle: () => this.#checkIdle(),
    })
    this.#accumulator = new RecordAccumulator({
      settings,
      partitioner,
      memory: this.#memory,
      queue: (target, partition) => this.#queue(target, partition),
      opened: () => this.#sender.opened(),
      filled: (queue) => this.#sender.filled(queue),
    })
  }

  /** Sends messages to topics, each named once. Settles when all are stored or have failed. */
  send(topicMessages: readonly TopicMessages[], acks: number, compression: CompressionType): Promise<RecordMetadata[]> {
    return new Promise((resolve, reject) => {
      const send = new PendingSend(acks, topicMessages.length, resolve, reject)
      let topicIndex = 0
      for (const { topic, messages } of topicMessages) this.#submit(send, topicIndex++, topic, messages, compression)
    })
  }

  /** Everything goes out without lingering; resolves when nothing is under way. */
  flush(): Promise<void> {
    this.#sender.flush()
    return new Promise((resolve) => {
      this.#idle = resolve
      this.#checkIdle()
    })
  }

  /** Fails everything that is not stored yet. */
  close(error: KafkaError): void {
    this.#closed = true
    this.#lookup.close(error)
    this.#memory.close()
    this.#sender.close(toKafkaJSError(error))
  }

  #submit(
    send: PendingSend,
    topicIndex: number,
    name: string,
    messages: readonly Message[],
    compression: CompressionType,
  ): void {
    const target = this.#lookup.busy(name) ? undefined : this.#target(name)
    if (target !== undefined && this.#memory.available) {
      return this.#accumulate(target, send, topicIndex, messages, compression, false)
    }
    // The caller may use its buffers again before these are encoded.
    const portion: Portion = { send, topicIndex, name, messages: messages.map(copyOf), compression, fresh: false }
    this.#waiting++
    if (target === undefined) this.#awaitTopic(portion)
    else this.#awaitMemory(portion, target.topic)
  }

  #awaitTopic(portion: Portion): void {
    const { send, name } = portion
    const waiter: TopicWaiter = {
      found: (topic) => {
        if (!this.#memory.available) return this.#awaitMemory(portion, topic)
        this.#enter(portion, topic)
      },
      failed: (error, tries) => {
        const failure = toKafkaJSError(error, { topic: name })
        send.failed(name, -1, failure, tries === null ? failure : asRetried(failure, tries))
        this.#left()
      },
    }
    // The cache may still have a topic of which the log has said that it is gone.
    const fresh = portion.fresh || this.#lookup.cached(name) !== undefined
    this.#lookup.wait(name, waiter, fresh)
  }

  #awaitMemory(portion: Portion, topic: Topic): void {
    const waiter: MemoryWaiter = {
      admit: () => this.#enter(portion, topic),
      expire: () => {
        const { bufferMemory, maxBlockMs } = this.#parts.settings
        const error = this.#closed
          ? closedError()
          : new KafkaError(
              'BUFFER_EXHAUSTED',
              `The producer's buffer of ${bufferMemory} bytes (bufferMemory) stayed full for ${maxBlockMs} ms ` +
                '(maxBlockMs): the topics take records more slowly than they are sent',
              { bufferMemory, maxBlockMs },
            )
        portion.send.failed(portion.name, -1, toKafkaJSError(error))
        this.#left()
      },
    }
    this.#memory.wait(waiter)
  }

  #enter(portion: Portion, topic: Topic): void {
    const { send, topicIndex, name, messages, compression, fresh } = portion
    // Should the cache have dropped the topic meanwhile: the one that was found is as good, the log checks its id.
    const target = this.#target(name) ?? this.#targetOf(topic)
    this.#accumulate(target, send, topicIndex, messages, compression, fresh)
    this.#left()
  }

  #accumulate(
    target: TopicTarget,
    send: PendingSend,
    topicIndex: number,
    messages: readonly Message[],
    compression: CompressionType,
    fresh: boolean,
  ): void {
    const { name } = target.topic
    try {
      this.#accumulator.add(target, send, topicIndex, messages, compression)
      send.done()
    } catch (error) {
      // A partition that the cached topic does not have may have been added just now.
      if (!fresh && error instanceof KafkaError && error.type === 'UNKNOWN_TOPIC_OR_PARTITION') {
        this.#waiting++
        return this.#awaitTopic({ send, topicIndex, name, messages, compression, fresh: true })
      }
      const { partition = -1 } = error instanceof KafkaError ? error.details : {}
      send.failed(name, typeof partition === 'number' ? partition : -1, toKafkaJSError(error, { topic: name }))
    }
  }

  #left(): void {
    this.#waiting--
    this.#checkIdle()
  }

  #checkIdle(): void {
    if (this.#waiting > 0 || this.#sender.pending > 0) return
    this.#idle?.()
    this.#idle = undefined
  }

  /** What the topic is sent to as, if the cache knows the topic and the log has not said that it is gone. */
  #target(name: string): TopicTarget | undefined {
    const topic = this.#lookup.cached(name)
    if (topic === undefined) return undefined
    const target = this.#targets.get(name)
    if (target !== undefined && target.topic === topic && !target.state.gone) return target
    if (target?.state.gone === true && target.state.id === topic.id) return undefined
    return this.#targetOf(topic)
  }

  #targetOf(topic: Topic): TopicTarget {
    const known = this.#targets.get(topic.name)
    if (known !== undefined && known.state.id === topic.id && !known.state.gone) {
      // The same topic, with other configs or more partitions.
      known.topic = topic
      known.state.config = topic.config
      known.partitionMetadata = metadataOf(topic)
      return known
    }
    // After 'gone' for the very same id the producer goes on as another one there: its sequence numbers begin anew.
    const producerId = known?.state.id === topic.id ? newProducerId() : this.#producerId
    const state = { id: topic.id, config: topic.config, gone: false }
    const target: TopicTarget = { topic, state, producerId, partitionMetadata: metadataOf(topic), queues: [] }
    this.#targets.set(topic.name, target)
    return target
  }

  #queue(target: TopicTarget, number: number): PartitionQueue {
    const known = target.queues[number]
    if (known !== undefined) return known
    const partition = target.topic.partitions[number]
    if (partition === undefined) throw new RangeError(`No partition ${number} in ${target.topic.name}`)
    const identity = new ProducerIdentity(target.producerId)
    const queue = new PartitionQueue(partition, target.state, this.#sender.lane(partition), identity)
    target.queues[number] = queue
    this.#sender.register(queue)
    return queue
  }

  #topicGone({ topic, topicId, partition }: Partition): void {
    this.#parts.logger.warn(
      `The topic '${topic}' (id ${topicId}) was deleted: records that were on their way to it fail`,
      {
        topic,
        partition,
      },
    )
    // So that the next send finds what is there now; should this fail, it asks itself.
    this.#parts.source.topics.refresh(topic).catch(() => undefined)
  }
}

export function closedError(): KafkaError {
  return new KafkaError(
    'CLIENT_CLOSED',
    'The producer was disconnected before the records were stored: whether they are is not known',
  )
}

/** What a partitioner is told of a topic's partitions: each is there. */
function metadataOf(topic: Topic): TopicTarget['partitionMetadata'] {
  return topic.partitions.map(({ partition }) => ({
    partitionErrorCode: 0,
    partitionId: partition,
    leader: 0,
    replicas: [0],
    isr: [0],
    offlineReplicas: [],
  }))
}

/** As kafkajs shows what its retries have come to. */
function asRetried(error: KafkaJSError, tries: LookupTries): KafkaJSError {
  return error.retriable
    ? new KafkaJSNumberOfRetriesExceeded(error, tries)
    : new KafkaJSNonRetriableError(error, { cause: error })
}
