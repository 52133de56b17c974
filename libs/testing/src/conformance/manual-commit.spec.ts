import { expect, it } from '@jest/globals'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'
import type { Reading } from './support/reading.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('commitOffsets', (target) => {
  const bench = new Workbench(target)

  /** A consumer that commits nothing of its own accord, and knows where it is: what is committed then does not move it. */
  const read = async (topics: string | string[]): Promise<Reading> => {
    const reading = await bench.read(topics, { autoCommit: false })
    await reading.positioned()
    return reading
  }

  const commit = (reading: Reading, topic: string, offset: string, metadata?: string | null) =>
    reading.consumer.commitOffsets([{ topic, partition: 0, offset, ...(metadata !== undefined && { metadata }) }])

  it('commits the next offset to read, as it is given', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await read(topic)
    await commit(reading, topic, '2')
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['2'])
    const next = await bench.read(topic, { groupId: reading.groupId })
    expect(await next.values.until(1)).toEqual(['c'])
  })

  it('commits several partitions of several topics at once', async () => {
    const [a, b] = [await bench.topic(2), await bench.topic()]
    const reading = await read([a, b])
    await reading.consumer.commitOffsets([
      { topic: a, partition: 0, offset: '1' },
      { topic: b, partition: 0, offset: '2' },
      { topic: a, partition: 1, offset: '3' },
    ])
    const { groupId } = reading
    expect([await bench.committed(groupId, a), await bench.committed(groupId, b)]).toEqual([['1', '3'], ['2']])
  })

  it('has committed when it resolves', async () => {
    const topic = await bench.topicWith('a')
    const reading = await read(topic)
    await commit(reading, topic, '1')
    expect(await bench.committed(reading.groupId, topic)).toEqual(['1'])
  })

  it('goes back as well as forth', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await read(topic)
    for (const offset of ['3', '1']) await commit(reading, topic, offset)
    expect(await bench.committed(reading.groupId, topic)).toEqual(['1'])
  })

  it('does not move where the consumer reads', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await read(topic)
    await reading.values.until(2)
    await commit(reading, topic, '0')
    await bench.write(topic, ['c'])
    expect(await reading.values.until(3)).toEqual(['a', 'b', 'c'])
  })

  it('leaves other partitions alone', async () => {
    const topic = await bench.topic(2)
    const reading = await read(topic)
    await reading.consumer.commitOffsets([{ topic, partition: 1, offset: '5' }])
    expect(await bench.committed(reading.groupId, topic)).toEqual(['-1', '5'])
  })

  it.each([['some text'], [''], [null]])('stores the metadata %j', async (metadata) => {
    const topic = await bench.topicWith('a')
    const reading = await read(topic)
    await commit(reading, topic, '1', metadata)
    const stored = await bench.admin.fetchOffsets({ groupId: reading.groupId, topics: [topic] })
    expect(stored).toEqual([{ topic, partitions: [{ partition: 0, offset: '1', metadata: metadata || null }] }])
  })

  it('replaces the metadata of an earlier commit', async () => {
    const topic = await bench.topicWith('a')
    const reading = await read(topic)
    await commit(reading, topic, '1', 'first')
    await commit(reading, topic, '1')
    const stored = await bench.admin.fetchOffsets({ groupId: reading.groupId, topics: [topic] })
    expect(stored[0]?.partitions).toEqual([{ partition: 0, offset: '1', metadata: null }])
  })

  it('tells of the commit as of any other', async () => {
    const topic = await bench.topicWith('a')
    const reading = await read(topic)
    await commit(reading, topic, '1')
    expect(reading.commits.entries).toMatchObject([[{ topic, partitions: [{ partition: 0, offset: '1' }] }]])
  })

  it('commits message by message from within the handler', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading: Reading = await bench.reader()
    await reading.subscribe(topic)
    const stored: string[] = []
    await reading.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        await commit(reading, topic, String(Number(message.offset) + 1))
        stored.push(...(await bench.committed(reading.groupId, topic)))
      },
    })
    await reading.values.until(3)
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['3'])
    expect(stored).toEqual(['1', '2', '3'])
  })

  it('of nothing commits nothing', async () => {
    const topic = await bench.topicWith('a')
    const reading = await read(topic)
    await reading.values.until(1)
    await reading.consumer.commitOffsets([])
    expect(await bench.committed(reading.groupId, topic)).toEqual(['-1'])
  })

  it('takes an offset that is a number', async () => {
    const topic = await bench.topicWith('a')
    const reading = await read(topic)
    await callUntyped(reading.consumer, 'commitOffsets', [{ topic, partition: 0, offset: 1 }])
    expect(await bench.committed(reading.groupId, topic)).toEqual(['1'])
  })

  it('commits what the consumer was not given', async () => {
    const [topic, other] = [await bench.topic(), await bench.topic()]
    const reading = await read(topic)
    await commit(reading, other, '7')
    expect(await bench.committed(reading.groupId, other)).toEqual(['7'])
  })

  it('commits past the end of the log', async () => {
    const topic = await bench.topicWith('a')
    const reading = await read(topic)
    await commit(reading, topic, '1000')
    expect(await bench.committed(reading.groupId, topic)).toEqual(['1000'])
  })

  it('hopes for a topic that is not there as long as its retries last', async () => {
    const reading = await read(await bench.topic())
    expect(await failureOf(() => commit(reading, target.uniqueTopic(), '1'))).toMatchObject({
      name: 'KafkaJSNumberOfRetriesExceeded',
      retriable: false,
      cause: { name: 'KafkaJSProtocolError', type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 },
    })
  })

  it.each<[string, object, string]>([
    ['a topic without a name', { topic: '', partition: 0, offset: '1' }, 'Invalid topic '],
    ['no topic', { partition: 0, offset: '1' }, 'Invalid topic undefined'],
    [
      'a partition that is no number',
      { topic: 'a', partition: 'x', offset: '1' },
      'Invalid partition, expected a number received x',
    ],
    [
      'an offset that is no number',
      { topic: 'a', partition: 0, offset: 'x' },
      'Invalid offset, expected a long received x',
    ],
    ['a negative offset', { topic: 'a', partition: 0, offset: '-1' }, 'Offset must not be a negative number'],
    [
      'metadata that is no text',
      { topic: 'a', partition: 0, offset: '1', metadata: 7 },
      'Invalid offset metadata, expected string or null, received 7',
    ],
  ])('refuses %s', async (_, argument, message) => {
    const failure = await failureOf(() => callUntyped(bench.consumer(), 'commitOffsets', [argument]))
    expect(failure).toMatchObject({ name: 'KafkaJSNonRetriableError', message, retriable: false })
  })

  it('fails before run and after stop', async () => {
    const topic = await bench.topic()
    const notRunning = {
      name: 'KafkaJSNonRetriableError',
      message: 'Consumer group was not initialized, consumer#run must be called first',
    }
    const reading = await bench.reader()
    expect(await failureOf(() => commit(reading, topic, '1'))).toMatchObject(notRunning)
    await reading.subscribe(topic)
    await reading.run()
    await reading.consumer.stop()
    expect(await failureOf(() => commit(reading, topic, '1'))).toMatchObject(notRunning)
  })
})
