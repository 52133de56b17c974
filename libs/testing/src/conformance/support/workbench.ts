import { afterAll, afterEach, beforeAll } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { uniqueNamespace, waitFor } from '../../topologies/index.js'
import type { ClientConfig, Target } from '../describe-on-both.js'
import { Gate } from './gate.js'
import { Reading, type RunOptions, type Topics } from './reading.js'

export interface ReadOptions extends RunOptions {
  /** A group of its own by default. */
  groupId?: string
  /** true by default. */
  fromBeginning?: boolean
  config?: Partial<kafkajs.ConsumerConfig>
  client?: ClientConfig
}

/** Everything happens soon: without these, specs would wait for kafkajs's own pace. */
const SWIFT: Omit<kafkajs.ConsumerConfig, 'groupId'> = {
  maxWaitTimeInMs: 50,
  heartbeatInterval: 50,
  sessionTimeout: 10_000,
  retry: { retries: 3, initialRetryTime: 20 },
}

/** What specs of one target work with: topics, a producer, an admin client, and clients that are gone after each spec. */
export class Workbench {
  readonly target: Target
  readonly admin: kafkajs.Admin
  readonly producer: kafkajs.Producer
  readonly #made = new Set<{ disconnect(): Promise<void> }>()
  readonly #gates = new Set<Gate>()

  constructor(target: Target) {
    this.target = target
    const client = target.create()
    this.admin = client.admin()
    this.producer = client.producer()
    beforeAll(async () => {
      await Promise.all([this.admin.connect(), this.producer.connect()])
    })
    afterEach(() => this.#disconnectAll())
    afterAll(async () => {
      await Promise.all([this.admin.disconnect(), this.producer.disconnect()])
    })
  }

  /** A new topic. */
  async topic(numPartitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const topic = this.target.uniqueTopic()
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    // kafkajs itself waits for the leaders, but for a tenth of a second, and not until they take records.
    await this.admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions, configEntries }] })
    await waitFor(() => this.admin.fetchTopicOffsets(topic), { what: `the topic ${topic}` })
    return topic
  }

  /** A new topic of one partition with these values, in one batch. */
  async topicWith(...values: string[]): Promise<string> {
    const topic = await this.topic()
    await this.write(topic, values)
    return topic
  }

  /** A group's id that nobody else uses. */
  groupId(): string {
    return uniqueNamespace('group')
  }

  /** Writes values to a partition, in one batch. */
  async write(topic: string, values: readonly string[], partition = 0): Promise<void> {
    await this.producer.send({ topic, messages: values.map((value) => ({ partition, value })) })
  }

  /** A consumer that is not connected yet; disconnected after the spec, whatever becomes of it. */
  consumer(config: Partial<kafkajs.ConsumerConfig> = {}, client: ClientConfig = {}): kafkajs.Consumer {
    // A client of its own: kafkajs's consumers of one client share what they know of a group's offsets.
    return this.gone(this.target.create(client).consumer({ groupId: this.groupId(), ...SWIFT, ...config }))
  }

  /** Another producer, that is not connected yet; disconnected after the spec, whatever becomes of it. */
  newProducer(config: kafkajs.ProducerConfig = {}, client: ClientConfig = {}): kafkajs.Producer {
    return this.gone(this.target.create(client).producer(config))
  }

  /** That client, which is disconnected after the spec, whatever becomes of it. */
  gone<T extends { disconnect(): Promise<void> }>(client: T): T {
    this.#made.add(client)
    return client
  }

  /** A gate that is open after the spec, whatever becomes of it. */
  gate(): Gate {
    const gate = new Gate()
    this.#gates.add(gate)
    return gate
  }

  /** A connected consumer, and what it will tell. */
  async reader({ groupId = this.groupId(), config, client }: ReadOptions = {}): Promise<Reading> {
    const consumer = this.consumer({ groupId, ...config }, client)
    const reading = new Reading(consumer, groupId)
    await consumer.connect()
    return reading
  }

  /** A consumer that reads the topics, and what it hands out. */
  async read(topics: Topics, options: ReadOptions = {}): Promise<Reading> {
    const { groupId: _, fromBeginning, config: __, client: ___, ...run } = options
    const reading = await this.reader(options)
    await reading.subscribe(topics, fromBeginning)
    await reading.run(run)
    return reading
  }

  /** Makes a group that has committed these offsets of a topic, by partition. */
  async groupAt(topic: string, ...offsets: string[]): Promise<string> {
    // admin.setOffsets takes kafkajs five seconds.
    const { consumer, groupId } = await this.read(topic, { autoCommit: false })
    await consumer.commitOffsets(offsets.map((offset, partition) => ({ topic, partition, offset })))
    await consumer.disconnect()
    return groupId
  }

  /** A group's committed offsets of a topic, by partition; '-1' where there is none. */
  async committed(groupId: string, topic: string): Promise<string[]> {
    const [offsets] = await this.admin.fetchOffsets({ groupId, topics: [topic] })
    const partitions = offsets?.partitions ?? []
    return partitions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset)
  }

  /** What a reading's group has committed of a topic once the consumer is gone. */
  async committedAtEnd({ consumer, groupId }: Reading, topic: string): Promise<string[]> {
    await consumer.disconnect()
    return this.committed(groupId, topic)
  }

  /** Deletes the records of a topic's first partition that are below an offset. */
  async deleteBelow(topic: string, offset: string): Promise<void> {
    await this.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] })
  }

  async #disconnectAll(): Promise<void> {
    for (const gate of this.#gates) gate.open()
    this.#gates.clear()
    const made = [...this.#made]
    this.#made.clear()
    await Promise.all(made.map((client) => client.disconnect()))
  }
}
