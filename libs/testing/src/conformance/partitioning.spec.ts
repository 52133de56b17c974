import { expect, it } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { failureOf } from './support/calls.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('partitioning', (target) => {
  const bench = new Workbench(target)

  /** Sends each message by itself, and gives the partition that each went to. */
  const partitionsOf = async (
    topic: string,
    messages: kafkajs.Message[],
    producer: kafkajs.Producer = bench.producer,
  ): Promise<(number | undefined)[]> => {
    const partitions: (number | undefined)[] = []
    for (const message of messages) {
      const [metadata] = await producer.send({ topic, messages: [message] })
      partitions.push(metadata?.partition)
    }
    return partitions
  }

  const producerWith = async (createPartitioner: kafkajs.ICustomPartitioner): Promise<kafkajs.Producer> => {
    const producer = bench.newProducer({ createPartitioner })
    await producer.connect()
    return producer
  }

  it("goes by the message's own partition, 0 included, whatever its key", async () => {
    const messages = [2, 0, 1].map((partition) => ({ partition, key: 'the same', value: 'v' }))
    expect(await partitionsOf(await bench.topic(3), messages)).toEqual([2, 0, 1])
  })

  it("goes by Kafka's murmur2 of the key", async () => {
    const keys = ['', '0', '1', '21', 'customer-17', 'a key that is longer than the others', 'Schlüssel']
    const messages = keys.map((key) => ({ key, value: 'v' }))
    expect(await partitionsOf(await bench.topic(7), messages)).toEqual([2, 3, 2, 3, 6, 3, 6])
  })

  it('takes a text and its bytes for the same key', async () => {
    const messages = [{ key: 'Schlüssel' }, { key: Buffer.from('Schlüssel') }].map((m) => ({ ...m, value: 'v' }))
    const [ofText, ofBytes] = await partitionsOf(await bench.topic(16), messages)
    expect(ofBytes).toBe(ofText)
  })

  it('deals messages without keys to all partitions in turn, across sends', async () => {
    const partitions = await partitionsOf(
      await bench.topic(4),
      Array.from({ length: 8 }, () => ({ value: 'v' })),
    )
    expect(new Set(partitions.slice(0, 4))).toEqual(new Set([0, 1, 2, 3]))
    expect(partitions.slice(4)).toEqual(partitions.slice(0, 4))
  })

  it('deals messages without keys to all partitions in turn within a send', async () => {
    const topic = await bench.topic(4)
    await bench.producer.send({ topic, messages: Array.from({ length: 8 }, () => ({ value: 'v' })) })
    expect((await bench.admin.fetchTopicOffsets(topic)).map(({ high }) => high)).toEqual(['2', '2', '2', '2'])
  })

  it('takes turns by topic', async () => {
    const [a, b] = [await bench.topic(2), await bench.topic(2)]
    const first = await partitionsOf(a, [{ value: 'v' }])
    await partitionsOf(b, [{ value: 'v' }])
    expect(await partitionsOf(a, [{ value: 'v' }])).not.toEqual(first)
  })

  it("can be the LegacyPartitioner's, whose hash is another one", async () => {
    const topic = await bench.topic(7)
    const messages = ['', '0', '1', '21', 'customer-17', 'Schlüssel'].map((key) => ({ key, value: 'v' }))
    const producer = await producerWith(target.library.Partitioners.LegacyPartitioner)
    expect(await partitionsOf(topic, messages, producer)).toEqual([5, 5, 6, 6, 3, 1])
  })

  it('can be a function of the program, made once a producer', async () => {
    const topic = await bench.topic(3)
    let made = 0
    const producer = await producerWith(() => {
      made++
      let calls = 0
      return () => 2 - calls++
    })
    const messages = [{ value: 'a' }, { value: 'b', key: 'k' }, { value: 'c', partition: 2 }]
    expect(await partitionsOf(topic, messages, producer)).toEqual([2, 1, 0])
    expect(made).toBe(1)
  })

  it('shows a function of the program the topic, its partitions and the message', async () => {
    const topic = await bench.topic(2)
    const seen: kafkajs.PartitionerArgs[] = []
    const producer = await producerWith(() => (args) => {
      seen.push(args)
      return 1
    })
    const message = { key: 'k', value: 'v', headers: { h: 'x' }, custom: 'field' }
    await producer.send({ topic, messages: [message] })
    expect(seen).toEqual([{ topic, message, partitionMetadata: expect.any(Array) }])
    const partitions = seen[0]?.partitionMetadata ?? []
    expect(partitions.map(({ partitionId }) => partitionId).toSorted((a, b) => a - b)).toEqual([0, 1])
    for (const { leader, replicas, isr } of partitions) {
      expect([leader >= 0, replicas, isr]).toEqual([true, [leader], [leader]])
    }
  })

  it('that throws fails the send with its error', async () => {
    const topic = await bench.topic()
    const producer = await producerWith(() => () => {
      throw new Error('nowhere to go')
    })
    expect(await failureOf(() => producer.send({ topic, messages: [{ value: 'v' }] }))).toMatchObject({
      message: 'nowhere to go',
    })
  })
})
