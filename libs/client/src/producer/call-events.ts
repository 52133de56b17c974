import type { AppendResult } from '@rivulet/storage'

import type { Instrumentation } from '../instrumentation.js'
import type { ProducerEventPayloads, RequestTimeoutPayload } from '../types.js'
import type { Lane } from './partition-queue.js'

/** One append call, for those who watch. */
export interface AppendCall {
  readonly correlationId: number
  readonly lane: Lane
  readonly bytes: number
  /** When the first of its batches was begun, and when it was sent, in ms since 1970. */
  readonly createdAt: number
  readonly sentAt: number
}

/** Told of calls; may be slow to make its payloads, so it is asked first. */
export interface CallObserver {
  sent(call: AppendCall): void
  answered(call: AppendCall, results: readonly AppendResult[]): void
}

/** Kafka's number and name for what an append call is. */
const API_KEY = 0
const API_NAME = 'Produce'
/** The version of the Produce request whose answer this client's results have. */
const API_VERSION = 7

/** Shows append calls as the network events of kafkajs. `broker` is 'redis', in a Cluster 'shard-<n>'. */
export function callEvents(instrumentation: Instrumentation<ProducerEventPayloads>, clientId: string): CallObserver {
  const common = (call: AppendCall): RequestTimeoutPayload => ({
    apiKey: API_KEY,
    apiName: API_NAME,
    apiVersion: API_VERSION,
    broker: brokerOf(call),
    clientId,
    correlationId: call.correlationId,
    createdAt: call.createdAt,
    pendingDuration: call.sentAt - call.createdAt,
    sentAt: call.sentAt,
  })
  const queueSize = (call: AppendCall): void => {
    if (!instrumentation.hasListeners('producer.network.request_queue_size')) return
    const payload = { broker: brokerOf(call), clientId, queueSize: call.lane.ready.length }
    instrumentation.emit('producer.network.request_queue_size', payload)
  }

  return {
    sent: queueSize,
    answered: (call, results) => {
      queueSize(call)
      if (instrumentation.hasListeners('producer.network.request')) {
        const duration = Date.now() - call.sentAt
        instrumentation.emit('producer.network.request', { ...common(call), duration, size: call.bytes })
      }
      if (!instrumentation.hasListeners('producer.network.request_timeout')) return
      if (!results.some(timedOut)) return
      instrumentation.emit('producer.network.request_timeout', common(call))
    },
  }
}

const brokerOf = ({ lane }: AppendCall): string => (lane.key === '' ? 'redis' : `shard-${lane.key}`)

const timedOut = ({ error }: AppendResult): boolean => error?.type === 'REQUEST_TIMED_OUT'
