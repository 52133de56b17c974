import type { AssignmentRequest, Consumer, ConsumerRunConfig, Kafka } from '@rivulet/client'

/** Replies are read within moments, or nobody waits for them any longer. */
const REPLY_TOPIC_CONFIGS = {
  'retention.ms': '300000',
  'segment.ms': '60000',
  'segment.bytes': String(4 * 1024 * 1024),
  'memory.policy': 'delete-oldest',
}

/** So that the clients of one reply topic need not all read what is meant for the others. */
const REPLY_TOPIC_PARTITIONS = 8

export interface ReplyReaderOptions {
  readonly kafka: Kafka
  /** Without a group. Nothing is connected before the first reply topic is read. */
  readonly consumer: Consumer
  readonly run: ConsumerRunConfig
  /** Whether a reply topic that is missing is made. */
  readonly createsTopics: boolean
  /** The consumer has crashed for good: no further reply will come. */
  readonly onEnd: () => void
}

/**
 * Reads replies: one partition of each reply topic, by assignment. No group is joined, so that nothing that other clients
 * do (come, go, stall) can move a reply to where nobody waits for it. Clients beyond the number of partitions share them:
 * each reads all of its partition, and passes over what is not its own.
 */
export class ReplyReader {
  readonly #options: ReplyReaderOptions
  readonly #partitions = new Map<string, Promise<number>>()
  #assignment: readonly AssignmentRequest[] = []
  #running: Promise<void> | null = null
  /** Why nothing is read any longer. */
  #ended: Error | null = null

  constructor(options: ReplyReaderOptions) {
    this.#options = options
    options.consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
      if (restart || this.#ended !== null) return
      this.#ended = error
      options.onEnd()
    })
  }

  /**
   * The partition in which replies of this topic are read: all that are written after this has resolved. A failure is not
   * remembered.
   *
   * @throws KafkaJSError what kept the topic from being made or read
   */
  partitionOf(topic: string): Promise<number> {
    const known = this.#partitions.get(topic)
    if (known !== undefined) return known
    const partition = this.#read(topic)
    this.#partitions.set(topic, partition)
    partition.catch(() => this.#partitions.delete(topic))
    return partition
  }

  /** Nothing further is begun; the consumer is the caller's to disconnect. */
  end(): void {
    this.#ended ??= new Error('Connection closed')
  }

  async #read(topic: string): Promise<number> {
    const { consumer } = this.#options
    const { partition, offset } = await this.#choosePartition(topic)
    this.#checkNotEnded()
    // The end as it is now, not as the consumer will find it: a reply may be written before it looks.
    consumer.assign([...this.#assignment, { topic, partition, offset }])
    this.#assignment = [...this.#assignment, { topic, partition }]
    this.#running ??= this.#run()
    await this.#running
    this.#checkNotEnded()
    return partition
  }

  async #run(): Promise<void> {
    const { consumer, run } = this.#options
    try {
      await consumer.connect()
      this.#checkNotEnded()
      await consumer.run(run)
    } catch (error) {
      this.#running = null
      throw error
    }
  }

  async #choosePartition(topic: string): Promise<{ partition: number; offset: string }> {
    const admin = this.#options.kafka.admin()
    await admin.connect()
    try {
      if (this.#options.createsTopics) {
        const configEntries = Object.entries(REPLY_TOPIC_CONFIGS).map(([name, value]) => ({ name, value }))
        await admin.createTopics({ topics: [{ topic, numPartitions: REPLY_TOPIC_PARTITIONS, configEntries }] })
      }
      const partitions = await admin.fetchTopicOffsets(topic)
      const chosen = partitions[Math.floor(Math.random() * partitions.length)]
      if (chosen === undefined) throw new Error(`Topic ${topic} has no partitions`)
      return { partition: chosen.partition, offset: chosen.high }
    } finally {
      await admin.disconnect()
    }
  }

  #checkNotEnded(): void {
    if (this.#ended !== null) throw this.#ended
  }
}
