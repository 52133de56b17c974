import {
  type Admin,
  CompressionTypes,
  type ConsumerRunConfig,
  Kafka,
  logLevel,
  type Producer,
  type RecordMetadata,
} from '@rivulet/client'
import { joinGroup } from './group-member.js'
import type { BenchRecord, GroupMaker, Peer, Sink, Topic, Unit } from './peer.js'
import type { PeerSettings } from './settings.js'

export class RivuletPeer implements Peer<RecordMetadata[]> {
  readonly expectedRate = 1_000_000
  readonly consumesOnce = false
  readonly #kafka: Kafka
  readonly #admin: Admin
  readonly #producer: Producer
  #groups = 0

  readonly groups: GroupMaker = {
    newGroup: () => `bench-${++this.#groups}`,
    member: async (groupId, times) => {
      const consumer = this.#kafka.consumer({ groupId, ...times })
      await consumer.connect()
      return (topic, listener) => joinGroup(consumer, topic, listener)
    },
    deleteGroup: async (groupId) => {
      await this.#admin.deleteGroups([groupId])
    },
  }

  constructor(
    { redisUrl, prefix }: Pick<PeerSettings, 'redisUrl' | 'prefix'>,
    private readonly compression: CompressionTypes = CompressionTypes.None,
  ) {
    this.#kafka = new Kafka({ brokers: [redisUrl], namespace: prefix, clientId: 'bench', logLevel: logLevel.ERROR })
    this.#admin = this.#kafka.admin()
    this.#producer = this.#kafka.producer()
  }

  async connect(): Promise<string> {
    await Promise.all([this.#admin.connect(), this.#producer.connect()])
    return 'Rivulet'
  }

  async createTopic({ name, partitions }: Topic): Promise<void> {
    await this.#admin.createTopics({ topics: [{ topic: name, numPartitions: partitions }] })
  }

  async deleteTopic({ name }: Topic): Promise<void> {
    await this.#admin.deleteTopics({ topics: [name] })
  }

  send({ name }: Topic, messages: BenchRecord[]): Promise<RecordMetadata[]> {
    return this.#producer.send({ topic: name, acks: 1, compression: this.compression, messages })
  }

  positions(answer: RecordMetadata[]): string[] {
    return answer.map(({ partition, baseOffset }) => `${partition}:${baseOffset}`)
  }

  async stored({ name }: Topic): Promise<number> {
    const offsets = await this.#admin.fetchTopicOffsets(name)
    return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
  }

  async consume({ name, partitions }: Topic, unit: Unit, sink: Sink): Promise<() => Promise<void>> {
    const consumer = this.#kafka.consumer()
    const start = '-2' // the log's beginning
    consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, offset: start })))
    await consumer.run(handlers(unit, sink))
    return () => consumer.disconnect()
  }

  async consumeAsGroup({ name }: Topic, unit: Unit, sink: Sink): Promise<() => Promise<void>> {
    const groupId = this.groups.newGroup()
    const consumer = this.#kafka.consumer({ groupId })
    await consumer.subscribe({ topics: [name], fromBeginning: true })
    await consumer.run(handlers(unit, sink))
    return async () => {
      await consumer.disconnect()
      await this.groups.deleteGroup(groupId)
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.disconnect(), this.#admin.disconnect()])
  }
}

function handlers(unit: Unit, sink: Sink): ConsumerRunConfig {
  if (unit === 'message') {
    return {
      eachMessage: async ({ partition, message }) => {
        if (sink.checking) sink.at(partition, message.offset)
        sink.take(1, message.value?.length ?? 0)
      },
    }
  }
  return {
    eachBatch: async ({ batch }) => {
      let bytes = 0
      for (const message of batch.messages) {
        bytes += message.value?.length ?? 0
        if (sink.checking) sink.at(batch.partition, message.offset)
      }
      sink.take(batch.messages.length, bytes)
    },
  }
}
