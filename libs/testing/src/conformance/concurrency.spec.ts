import { expect, it } from '@jest/globals'
import { describeOnBoth } from './describe-on-both.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('partitionsConsumedConcurrently', (target) => {
  const bench = new Workbench(target)

  /** A topic with two messages in each of its partitions. */
  const topicOf = async (partitions: number): Promise<string> => {
    const topic = await bench.topic(partitions)
    const messages = Array.from({ length: partitions * 2 }, (_, i) => ({
      partition: i % partitions,
      value: `${i % partitions}/${Math.floor(i / partitions)}`,
    }))
    await bench.producer.send({ topic, messages })
    return topic
  }

  it('by default hands out one message at a time', async () => {
    const topic = await topicOf(3)
    let inHand = 0
    const most: number[] = []
    const reading = await bench.read(topic, {
      eachMessage: async () => {
        most.push(++inHand)
        await new Promise(setImmediate)
        inHand--
      },
    })
    await reading.values.until(6)
    expect(Math.max(...most)).toBe(1)
  })

  it('hands out as many partitions at the same time', async () => {
    const topic = await topicOf(3)
    const gate = bench.gate()
    const reading = await bench.read(topic, { partitionsConsumedConcurrently: 3, eachMessage: () => gate.passed })
    await reading.messages.until(3)
    expect(reading.values.entries.toSorted()).toEqual(['0/0', '1/0', '2/0'])
    gate.open()
    expect((await reading.values.until(6)).slice(3).toSorted()).toEqual(['0/1', '1/1', '2/1'])
  })

  it('hands out no more than that', async () => {
    const topic = await topicOf(3)
    let inHand = 0
    const most: number[] = []
    const reading = await bench.read(topic, {
      partitionsConsumedConcurrently: 2,
      eachMessage: async () => {
        most.push(++inHand)
        await new Promise(setImmediate)
        inHand--
      },
    })
    await reading.values.until(6)
    expect(Math.max(...most)).toBe(2)
  })

  it('never hands out two messages of a partition at the same time', async () => {
    const topic = await topicOf(2)
    const inHand = new Set<number>()
    const clashes: number[] = []
    const reading = await bench.read(topic, {
      partitionsConsumedConcurrently: 8,
      eachMessage: async ({ partition }) => {
        if (inHand.has(partition)) clashes.push(partition)
        inHand.add(partition)
        await new Promise(setImmediate)
        inHand.delete(partition)
      },
    })
    await reading.values.until(4)
    expect(clashes).toEqual([])
  })

  it('keeps the order of each partition', async () => {
    const topic = await bench.topic(3)
    const values = [0, 1, 2].map((partition) => Array.from({ length: 30 }, (_, i) => `${partition}: ${i}`))
    for (const [partition, those] of values.entries()) await bench.write(topic, those, partition)
    const reading = await bench.read(topic, {
      partitionsConsumedConcurrently: 3,
      eachMessage: () => new Promise<void>(setImmediate),
    })
    const received = await reading.values.until(90)
    for (const [partition, those] of values.entries()) {
      expect(received.filter((value) => value.startsWith(`${partition}:`))).toEqual(those)
    }
  })

  it('works for batches as for messages', async () => {
    const topic = await topicOf(2)
    const gate = bench.gate()
    const reading = await bench.read(topic, { partitionsConsumedConcurrently: 2, eachBatch: () => gate.passed })
    const batches = await reading.batches.until(2)
    expect(batches.map(({ batch }) => batch.partition).toSorted((a, b) => a - b)).toEqual([0, 1])
  })
})
