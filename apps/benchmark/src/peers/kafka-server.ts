import { type Admin, Kafka, logLevel } from 'kafkajs'
import { MissingPeer, type Topic } from './peer.js'
import type { PeerSettings } from './settings.js'

/** The real Kafka, as far as both of its clients need it for topics and groups: no part of what is measured. */
export class KafkaServer {
  readonly kafka: Kafka
  readonly #admin: Admin
  #groups = 0

  /** @throws MissingPeer where no brokers are named */
  constructor(private readonly settings: PeerSettings) {
    const { kafkaBrokers } = settings
    if (kafkaBrokers.length === 0) throw new MissingPeer('KAFKA_BROKERS names no Kafka')
    this.kafka = new Kafka({ brokers: [...kafkaBrokers], clientId: 'bench', logLevel: logLevel.NOTHING })
    this.#admin = this.kafka.admin({ retry: { retries: 2 } })
  }

  /** @throws MissingPeer when none answers */
  async connect(): Promise<void> {
    try {
      await this.#admin.connect()
    } catch (error) {
      throw new MissingPeer(`no Kafka answers at ${this.settings.kafkaBrokers.join(',')}`, { cause: error })
    }
  }

  async createTopic({ name, partitions }: Topic): Promise<void> {
    await this.#admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: name, numPartitions: partitions, replicationFactor: 1 }],
    })
  }

  async deleteTopic({ name }: Topic): Promise<void> {
    await this.#admin.deleteTopics({ topics: [name] })
  }

  async stored({ name }: Topic): Promise<number> {
    const offsets = await this.#admin.fetchTopicOffsets(name)
    return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
  }

  newGroup(client: string): string {
    return `${this.settings.prefix}-${client}-${++this.#groups}`
  }

  async deleteGroup(groupId: string): Promise<void> {
    await this.#admin.deleteGroups([groupId])
  }

  async close(): Promise<void> {
    await this.#admin.disconnect()
  }
}
