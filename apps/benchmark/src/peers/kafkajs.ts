import { createRequire } from 'node:module'
import { Partitioners, type Producer, type RecordMetadata } from 'kafkajs'
import { joinGroup } from './group-member.js'
import { KafkaServer } from './kafka-server.js'
import type { BenchRecord, GroupMaker, Peer, Sink, Topic, Unit } from './peer.js'
import type { PeerSettings } from './settings.js'
import { installedVersion } from './installed-version.js'

export class KafkaJSPeer implements Peer<RecordMetadata[]> {
  readonly expectedRate = 1_000_000
  readonly consumesOnce = false
  readonly #server: KafkaServer
  /**
   * One for each topic: a producer asks for the metadata of all topics that it ever sent to, and so either makes those
   * anew that were deleted, or fails because they are gone.
   */
  readonly #producers = new Map<string, Producer>()

  readonly groups: GroupMaker = {
    newGroup: () => this.#server.newGroup('kafkajs'),
    member: async (groupId, times) => {
      const consumer = this.#server.kafka.consumer({ groupId, allowAutoTopicCreation: false, ...times })
      await consumer.connect()
      return (topic, listener) => joinGroup(consumer, topic, listener)
    },
    deleteGroup: (groupId) => this.#server.deleteGroup(groupId),
  }

  constructor(settings: PeerSettings) {
    this.#server = new KafkaServer(settings)
  }

  async connect(): Promise<string> {
    await this.#server.connect()
    return `kafkajs ${installedVersion(createRequire(import.meta.url).resolve('kafkajs'))}`
  }

  async createTopic(topic: Topic): Promise<void> {
    await this.#server.createTopic(topic)
    const producer = this.#server.kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    })
    await producer.connect()
    this.#producers.set(topic.name, producer)
  }

  async deleteTopic(topic: Topic): Promise<void> {
    await this.#producers.get(topic.name)?.disconnect()
    this.#producers.delete(topic.name)
    await this.#server.deleteTopic(topic)
  }

  async send({ name }: Topic, messages: BenchRecord[]): Promise<RecordMetadata[]> {
    const producer = this.#producers.get(name)
    if (producer === undefined) throw new Error(`There is no topic ${name}`)
    return producer.send({ topic: name, acks: 1, messages })
  }

  positions(answer: RecordMetadata[]): string[] {
    return answer.map(({ partition, baseOffset }) => `${partition}:${baseOffset}`)
  }

  stored(topic: Topic): Promise<number> {
    return this.#server.stored(topic)
  }

  async consume({ name }: Topic, unit: Unit, sink: Sink): Promise<() => Promise<void>> {
    const groupId = this.#server.newGroup('kafkajs')
    const consumer = this.#server.kafka.consumer({ groupId, allowAutoTopicCreation: false })
    await consumer.connect()
    await consumer.subscribe({ topics: [name], fromBeginning: true })
    await consumer.run(
      unit === 'batch'
        ? {
            autoCommit: false,
            eachBatch: async ({ batch }) => {
              let bytes = 0
              for (const message of batch.messages) {
                bytes += message.value?.length ?? 0
                if (sink.checking) sink.at(batch.partition, message.offset)
              }
              sink.take(batch.messages.length, bytes)
            },
          }
        : {
            autoCommit: false,
            eachMessage: async ({ partition, message }) => {
              if (sink.checking) sink.at(partition, message.offset)
              sink.take(1, message.value?.length ?? 0)
            },
          },
    )
    return async () => {
      await consumer.disconnect()
      await this.#server.deleteGroup(groupId)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#producers.values()].map((producer) => producer.disconnect()))
    await this.#server.close()
  }
}
