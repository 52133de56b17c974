import { KafkaError } from '@rivulet/protocol'
import type { FetchResult } from '@rivulet/storage'
import type { ConsumerInstrumentation } from './consumer-events.js'

/** Kafka's number and name for what a fetch call is, and the version of the request whose answer it has. */
const FETCH = { apiKey: 1, apiName: 'Fetch', apiVersion: 11 } as const

export interface FetchEventsOptions {
  readonly instrumentation: ConsumerInstrumentation
  readonly clientId: string
  readonly lane: string
  /** The lane's number in events, where Kafka has a broker's. */
  readonly nodeId: number
}

/** Shows a lane's calls as kafkajs's fetch and network events. `broker` is 'redis', in a Cluster 'shard-<n>'. */
export class FetchEvents {
  private correlationId = 0

  constructor(private readonly options: FetchEventsOptions) {}

  async observe(call: () => Promise<FetchResult[]>): Promise<FetchResult[]> {
    const { instrumentation, nodeId } = this.options
    const sentAt = Date.now()
    this.correlationId++
    instrumentation.emit('consumer.fetch_start', { nodeId })
    this.queueSize()
    let results: FetchResult[]
    try {
      results = await call()
    } catch (error) {
      if (error instanceof KafkaError && error.type === 'REQUEST_TIMED_OUT') this.timedOut(sentAt)
      throw error
    }
    const duration = Date.now() - sentAt
    this.answered(sentAt, duration, results)
    const numberOfBatches = results.reduce((sum, { batches }) => sum + (batches.length > 0 ? 1 : 0), 0)
    instrumentation.emit('consumer.fetch', { numberOfBatches, duration, nodeId })
    return results
  }

  private get broker(): string {
    return this.options.lane === '' ? 'redis' : `shard-${this.options.lane}`
  }

  private common(sentAt: number) {
    const { correlationId, broker } = this
    const { clientId } = this.options
    return { ...FETCH, broker, clientId, correlationId, createdAt: sentAt, pendingDuration: 0, sentAt }
  }

  private queueSize(): void {
    const { instrumentation, clientId } = this.options
    if (!instrumentation.hasListeners('consumer.network.request_queue_size')) return
    // A lane makes one call at a time: nothing ever waits behind it.
    instrumentation.emit('consumer.network.request_queue_size', { broker: this.broker, clientId, queueSize: 0 })
  }

  private answered(sentAt: number, duration: number, results: readonly FetchResult[]): void {
    const { instrumentation } = this.options
    if (!instrumentation.hasListeners('consumer.network.request')) return
    let size = 0
    for (const { batches } of results) for (const { bytes } of batches) size += bytes.length
    instrumentation.emit('consumer.network.request', { ...this.common(sentAt), duration, size })
  }

  private timedOut(sentAt: number): void {
    const { instrumentation } = this.options
    if (!instrumentation.hasListeners('consumer.network.request_timeout')) return
    instrumentation.emit('consumer.network.request_timeout', this.common(sentAt))
  }
}
