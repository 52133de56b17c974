import { expect, it } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'
import type { Reading } from './support/reading.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('pause and resume', (target) => {
  const bench = new Workbench(target)

  /** Writes to both, and waits for what comes of `open`: whatever was to come of `closed` before that has come. */
  const writeToBoth = async (reading: Reading, closed: string, open: string): Promise<void> => {
    await bench.write(closed, ['not now'])
    for (const marker of ['marker 1', 'marker 2']) {
      await bench.write(open, [marker])
      await reading.values.first((value) => value === marker)
    }
  }

  const pausedOf = ({ consumer }: Reading): kafkajs.TopicPartitions[] =>
    consumer.paused().toSorted((a, b) => a.topic.localeCompare(b.topic))

  it('stop a topic, and nothing else', async () => {
    const [a, b] = [await bench.topicWith('a'), await bench.topic()]
    const reading = await bench.read([a, b])
    await reading.values.until(1)
    reading.consumer.pause([{ topic: a }])
    await writeToBoth(reading, a, b)
    expect(reading.values.entries).toEqual(['a', 'marker 1', 'marker 2'])
  })

  it('stop a partition, and nothing else', async () => {
    const topic = await bench.topic(2)
    const reading = await bench.read(topic)
    await reading.positioned()
    reading.consumer.pause([{ topic, partitions: [1] }])
    await bench.write(topic, ['not now'], 1)
    for (const value of ['a', 'b']) {
      await bench.write(topic, [value], 0)
      await reading.values.first((seen) => seen === value)
    }
    expect(reading.values.entries).toEqual(['a', 'b'])
  })

  it('go on where it was, nothing lost or twice', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic)
    await reading.values.until(2)
    reading.consumer.pause([{ topic }])
    await bench.write(topic, ['c', 'd'])
    reading.consumer.resume([{ topic }])
    await bench.write(topic, ['e'])
    expect(await reading.values.until(5)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('drop the rest of a batch, which comes after resuming', async () => {
    const [topic, other] = [await bench.topicWith('a', 'b', 'c'), await bench.topic()]
    const reading = await bench.reader()
    await reading.subscribe([topic, other])
    await reading.run({
      eachMessage: ({ message }) => {
        if (message.value?.toString() === 'a') reading.consumer.pause([{ topic }])
      },
    })
    await reading.values.until(1)
    await writeToBoth(reading, topic, other)
    expect(reading.values.entries).toEqual(['a', 'marker 1', 'marker 2'])
    reading.consumer.resume([{ topic }])
    expect((await reading.values.until(6)).slice(3)).toEqual(['b', 'c', 'not now'])
  })

  it('commit what was handled before', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.reader()
    await reading.subscribe(topic)
    await reading.run({ eachMessage: () => reading.consumer.pause([{ topic }]) })
    await reading.commits.until(1)
    expect(await bench.committed(reading.groupId, topic)).toEqual(['1'])
  })

  it('have a message again whose handler paused and failed', async () => {
    const topic = await bench.topicWith('a', 'b')
    let tries = 0
    const reading = await bench.read(topic, {
      eachMessage: ({ pause }) => {
        if (tries++ > 0) return
        const resume = pause()
        setTimeout(resume, 50)
        throw new Error('too much to do')
      },
    })
    expect(await reading.values.until(3)).toEqual(['a', 'a', 'b'])
  })

  it('of a handler stop its partition alone, and give what resumes it', async () => {
    const topic = await bench.topic(2)
    const reading = await bench.reader()
    await reading.subscribe(topic)
    const resumes: (() => void)[] = []
    await reading.run({
      eachMessage: ({ partition, pause }) => {
        if (partition === 0 && resumes.length === 0) resumes.push(pause())
      },
    })
    await bench.write(topic, ['a', 'b'], 0)
    await reading.values.until(1)
    await bench.write(topic, ['other'], 1)
    await reading.values.until(2)
    expect(reading.values.entries).toEqual(['a', 'other'])
    expect(reading.consumer.paused()).toEqual([{ topic, partitions: [0] }])
    for (const resume of resumes) resume()
    expect(await reading.values.until(3)).toEqual(['a', 'other', 'b'])
    expect(reading.consumer.paused()).toEqual([])
  })

  it('of eachBatch stop its partition behind the batch', async () => {
    const topic = await bench.topicWith('a', 'b')
    const resumes: (() => void)[] = []
    const reading = await bench.read(topic, {
      eachBatch: ({ pause }) => {
        resumes.push(pause())
      },
    })
    await reading.values.until(2)
    expect(reading.consumer.paused()).toEqual([{ topic, partitions: [0] }])
    await bench.write(topic, ['c'])
    for (const resume of resumes) resume()
    expect(await reading.values.until(3)).toEqual(['a', 'b', 'c'])
  })

  it('are listed by topic', async () => {
    const [a, b] = [await bench.topic(3), await bench.topic(2)]
    const reading = await bench.read([a, b])
    expect(pausedOf(reading)).toEqual([])
    reading.consumer.pause([{ topic: a, partitions: [2, 0] }, { topic: b }])
    expect(pausedOf(reading)).toEqual([
      { topic: a, partitions: [0, 2] },
      { topic: b, partitions: [0, 1] },
    ])
    reading.consumer.resume([{ topic: a, partitions: [2] }, { topic: b }])
    expect(pausedOf(reading)).toEqual([{ topic: a, partitions: [0] }])
  })

  it('of a topic and of its partitions go together', async () => {
    const topic = await bench.topic(3)
    const reading = await bench.read(topic)
    const { consumer } = reading
    consumer.pause([{ topic }])
    consumer.resume([{ topic, partitions: [1] }])
    expect(pausedOf(reading)).toEqual([{ topic, partitions: [0, 2] }])
    consumer.pause([{ topic }])
    expect(pausedOf(reading)).toEqual([{ topic, partitions: [0, 1, 2] }])
    consumer.resume([{ topic }])
    expect(pausedOf(reading)).toEqual([])
  })

  it('outlive a rebalance', async () => {
    const topic = await bench.topic(2)
    const reading = await bench.read(topic)
    reading.consumer.pause([{ topic }])
    const other = await bench.read(topic, { groupId: reading.groupId })
    await reading.joins.until(2)
    expect(pausedOf(reading)).toEqual([{ topic, partitions: [expect.any(Number)] }])
    await other.consumer.disconnect()
    await reading.joins.until(3)
    expect(pausedOf(reading)).toEqual([{ topic, partitions: [0, 1] }])
    await bench.write(topic, ['a'], 0)
    reading.consumer.resume([{ topic, partitions: [0] }])
    expect(await reading.values.until(1)).toEqual(['a'])
  })

  it('are forgotten when the consumer stops', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic)
    reading.consumer.pause([{ topic }])
    await reading.consumer.stop()
    expect(reading.consumer.paused()).toEqual([])
    await reading.run()
    expect(await reading.values.first((value) => value === 'a')).toBe('a')
  })

  it('of what the consumer was not given are not listed', async () => {
    const topic = await bench.topic()
    const reading = await bench.read(topic)
    reading.consumer.pause([{ topic: target.uniqueTopic() }, { topic, partitions: [7] }])
    expect(reading.consumer.paused()).toEqual([])
  })

  it('of nothing change nothing', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic)
    reading.consumer.pause([])
    reading.consumer.resume([])
    expect(await reading.values.until(1)).toEqual(['a'])
  })

  it.each<[string, unknown, string]>([
    ['nothing', null, 'Invalid topic '],
    ['no topic', { partitions: [0] }, 'Invalid topic '],
    [
      'partitions that are no list',
      { topic: 'a', partitions: 0 },
      'Array of valid partitions required to % specific partitions instead of 0',
    ],
    [
      'partitions that are no numbers',
      { topic: 'a', partitions: ['x'] },
      'Array of valid partitions required to % specific partitions instead of x',
    ],
  ])('refuse %s', async (_, argument, message) => {
    for (const method of ['pause', 'resume'] as const) {
      expect(await failureOf(() => callUntyped(bench.consumer(), method, [argument]))).toMatchObject({
        name: 'KafkaJSNonRetriableError',
        message: expect.stringContaining(message.replace('%', method)),
      })
    }
  })

  it('fail before run, when nothing is paused', async () => {
    const consumer = bench.consumer()
    for (const method of ['pause', 'resume'] as const) {
      expect(await failureOf(() => consumer[method]([{ topic: 'a' }]))).toMatchObject({
        name: 'KafkaJSNonRetriableError',
        message: 'Consumer group was not initialized, consumer#run must be called first',
      })
    }
    expect(consumer.paused()).toEqual([])
  })
})
