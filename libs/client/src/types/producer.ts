import type { CompressionTypes, IHeaders, Logger, Offsets, PartitionMetadata, RetryOptions } from './common.js'
import type {
  InstrumentationEvent,
  ProducerEventPayloads,
  ProducerEvents,
  RemoveInstrumentationEventListener,
} from './events.js'

export interface ProducerConfig {
  /** Which partition a message goes to; DefaultPartitioner, Kafka's murmur2, by default. */
  createPartitioner?: ICustomPartitioner
  retry?: RetryOptions
  /** The age at which topic metadata is read again, in ms (300000). */
  metadataMaxAge?: number
  /** Whether sending to a topic that is not there makes it (true). */
  allowAutoTopicCreation?: boolean
  /** Whether `acks` other than -1 are refused (false). Retries never duplicate either way. */
  idempotent?: boolean
  transactionalId?: string
  /** How long a transaction may stay open, in ms (60000). */
  transactionTimeout?: number
  maxInFlightRequests?: number
  /** Rivulet only: how long a record waits for others to share its batch, in ms (0). Kafka: linger.ms */
  lingerMs?: number
  /** Rivulet only: the size before compression at which a batch is closed, in bytes (256 KiB). Kafka: batch.size */
  batchSize?: number
  /** Rivulet only: the largest record that is taken, in bytes (the topic's max.message.bytes). Kafka: max.request.size */
  maxRequestSize?: number
  /** Rivulet only: how much may wait to be sent, in bytes (32 MiB). Kafka: buffer.memory */
  bufferMemory?: number
  /** Rivulet only: how long a send waits for metadata and for room in the buffer, in ms (60000). Kafka: max.block.ms */
  maxBlockMs?: number
  /** Rivulet only: how long a record may take to its answer, retries included, in ms (120000). Kafka: delivery.timeout.ms */
  deliveryTimeoutMs?: number
}

export interface Message {
  key?: Buffer | string | null
  value: Buffer | string | null
  partition?: number
  headers?: IHeaders
  /** ms since the epoch, in decimal; the time of the send by default. */
  timestamp?: string
}

export interface PartitionerArgs {
  topic: string
  partitionMetadata: PartitionMetadata[]
  message: Message
}

export type ICustomPartitioner = () => (args: PartitionerArgs) => number
export type DefaultPartitioner = ICustomPartitioner
export type LegacyPartitioner = ICustomPartitioner

export interface ProducerRecord {
  topic: string
  messages: Message[]
  /** -1: all in-sync replicas (default), 1: the primary, 0: do not wait. */
  acks?: number
  /** How long the replicas may take, in ms (30000). */
  timeout?: number
  compression?: CompressionTypes
}

export interface TopicMessages {
  topic: string
  messages: Message[]
}

export interface ProducerBatch {
  acks?: number
  timeout?: number
  compression?: CompressionTypes
  topicMessages?: TopicMessages[]
}

export type RecordMetadata = {
  topicName: string
  partition: number
  errorCode: number
  offset?: string
  timestamp?: string
  baseOffset?: string
  logAppendTime?: string
  logStartOffset?: string
}

export type Sender = {
  send(record: ProducerRecord): Promise<RecordMetadata[]>
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>
}

export type Transaction = Sender & {
  sendOffsets(offsets: Offsets & { consumerGroupId: string }): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
  isActive(): boolean
}

export type Producer = Sender & {
  connect(): Promise<void>
  disconnect(): Promise<void>
  isIdempotent(): boolean
  readonly events: ProducerEvents
  on<T extends keyof ProducerEventPayloads>(
    eventName: T,
    listener: (event: InstrumentationEvent<ProducerEventPayloads[T]>) => void,
  ): RemoveInstrumentationEventListener<T>
  transaction(): Promise<Transaction>
  logger(): Logger
}
