import type { TopicOffsets } from './common.js'

/** What a listener gets. */
export interface InstrumentationEvent<T> {
  id: string
  type: string
  /** ms since the epoch. */
  timestamp: number
  payload: T
}

/** Takes the listener away again. */
export type RemoveInstrumentationEventListener<_T> = () => void

export interface RequestPayload {
  apiKey: number
  apiName: string
  apiVersion: number
  broker: string
  clientId: string
  correlationId: number
  createdAt: number
  duration: number
  pendingDuration: number
  sentAt: number
  size: number
}

export type RequestTimeoutPayload = Omit<RequestPayload, 'duration' | 'size'>

export interface RequestQueueSizePayload {
  broker: string
  clientId: string
  queueSize: number
}

export type ConnectEvent = InstrumentationEvent<null>
export type DisconnectEvent = InstrumentationEvent<null>
export type RequestEvent = InstrumentationEvent<RequestPayload>
export type RequestTimeoutEvent = InstrumentationEvent<RequestTimeoutPayload>
export type RequestQueueSizeEvent = InstrumentationEvent<RequestQueueSizePayload>

export type AdminEvents = {
  CONNECT: 'admin.connect'
  DISCONNECT: 'admin.disconnect'
  REQUEST: 'admin.network.request'
  REQUEST_TIMEOUT: 'admin.network.request_timeout'
  REQUEST_QUEUE_SIZE: 'admin.network.request_queue_size'
}

export interface AdminEventPayloads {
  'admin.connect': null
  'admin.disconnect': null
  'admin.network.request': RequestPayload
  'admin.network.request_timeout': RequestTimeoutPayload
  'admin.network.request_queue_size': RequestQueueSizePayload
}

export type ProducerEvents = {
  CONNECT: 'producer.connect'
  DISCONNECT: 'producer.disconnect'
  REQUEST: 'producer.network.request'
  REQUEST_TIMEOUT: 'producer.network.request_timeout'
  REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size'
}

export interface ProducerEventPayloads {
  'producer.connect': null
  'producer.disconnect': null
  'producer.network.request': RequestPayload
  'producer.network.request_timeout': RequestTimeoutPayload
  'producer.network.request_queue_size': RequestQueueSizePayload
}

export type ConsumerEvents = {
  HEARTBEAT: 'consumer.heartbeat'
  COMMIT_OFFSETS: 'consumer.commit_offsets'
  GROUP_JOIN: 'consumer.group_join'
  FETCH_START: 'consumer.fetch_start'
  FETCH: 'consumer.fetch'
  START_BATCH_PROCESS: 'consumer.start_batch_process'
  END_BATCH_PROCESS: 'consumer.end_batch_process'
  CONNECT: 'consumer.connect'
  DISCONNECT: 'consumer.disconnect'
  STOP: 'consumer.stop'
  CRASH: 'consumer.crash'
  REBALANCING: 'consumer.rebalancing'
  RECEIVED_UNSUBSCRIBED_TOPICS: 'consumer.received_unsubscribed_topics'
  REQUEST: 'consumer.network.request'
  REQUEST_TIMEOUT: 'consumer.network.request_timeout'
  REQUEST_QUEUE_SIZE: 'consumer.network.request_queue_size'
}

export interface IMemberAssignment {
  [key: string]: number[]
}

interface MemberPayload {
  groupId: string
  memberId: string
}

interface BatchProcessPayload {
  topic: string
  partition: number
  highWatermark: string
  offsetLag: string
  offsetLagLow: string
  batchSize: number
  firstOffset: string
  lastOffset: string
}

export interface ConsumerEventPayloads {
  'consumer.heartbeat': MemberPayload & { groupGenerationId: number }
  'consumer.commit_offsets': MemberPayload & { groupGenerationId: number; topics: TopicOffsets[] }
  'consumer.group_join': MemberPayload & {
    duration: number
    isLeader: boolean
    leaderId: string
    groupProtocol: string
    memberAssignment: IMemberAssignment
  }
  'consumer.fetch_start': { nodeId: number }
  'consumer.fetch': { numberOfBatches: number; duration: number; nodeId: number }
  'consumer.start_batch_process': BatchProcessPayload
  'consumer.end_batch_process': BatchProcessPayload & { duration: number }
  'consumer.connect': null
  'consumer.disconnect': null
  'consumer.stop': null
  'consumer.crash': { error: Error; groupId: string; restart: boolean }
  'consumer.rebalancing': MemberPayload
  'consumer.received_unsubscribed_topics': MemberPayload & {
    generationId: number
    assignedTopics: string[]
    topicsSubscribed: string[]
    topicsNotSubscribed: string[]
  }
  'consumer.network.request': RequestPayload
  'consumer.network.request_timeout': RequestTimeoutPayload
  'consumer.network.request_queue_size': RequestQueueSizePayload
}

export type ConsumerHeartbeatEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.heartbeat']>
export type ConsumerCommitOffsetsEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.commit_offsets']>
export type ConsumerGroupJoinEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.group_join']>
export type ConsumerFetchStartEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.fetch_start']>
export type ConsumerFetchEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.fetch']>
export type ConsumerStartBatchProcessEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.start_batch_process']>
export type ConsumerEndBatchProcessEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.end_batch_process']>
export type ConsumerCrashEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.crash']>
export type ConsumerRebalancingEvent = InstrumentationEvent<ConsumerEventPayloads['consumer.rebalancing']>
export type ConsumerReceivedUnsubcribedTopicsEvent = InstrumentationEvent<
  ConsumerEventPayloads['consumer.received_unsubscribed_topics']
>
