import { expect, it } from '@jest/globals'
import { waitFor } from '../topologies/index.js'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'
import type { Reading } from './support/reading.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('seek', (target) => {
  const bench = new Workbench(target)

  const seek = ({ consumer }: Reading, topic: string, offset: string, partition = 0) =>
    consumer.seek({ topic, partition, offset })

  it('right after run says where reading starts', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    seek(reading, topic, '2')
    expect(await reading.values.until(1)).toEqual(['c'])
  })

  it('goes back to what was read before', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    await reading.values.until(3)
    seek(reading, topic, '1')
    expect(await reading.values.until(5)).toEqual(['a', 'b', 'c', 'b', 'c'])
  })

  it('goes to what is written later', async () => {
    const topic = await bench.topic()
    const reading = await bench.read(topic)
    await reading.positioned()
    await bench.write(topic, ['a'])
    await reading.values.until(1)
    seek(reading, topic, '1')
    await bench.write(topic, ['b'])
    expect(await reading.values.until(2)).toEqual(['a', 'b'])
  })

  it('is overruled by a later seek', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    await reading.values.until(3)
    seek(reading, topic, '0')
    seek(reading, topic, '2')
    expect(await reading.values.until(4)).toEqual(['a', 'b', 'c', 'c'])
  })

  it('from within the handler drops the rest of the batch', async () => {
    const topic = await bench.topicWith('a', 'b', 'c', 'd')
    const reading = await bench.reader()
    await reading.subscribe(topic)
    await reading.run({
      eachMessage: ({ message }) => {
        if (message.offset === '0') seek(reading, topic, '3')
      },
    })
    expect(await reading.values.until(2)).toEqual(['a', 'd'])
  })

  it('from within the handler to its own message has it handed out again', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.reader()
    await reading.subscribe(topic)
    let tries = 0
    await reading.run({
      eachMessage: ({ message }) => {
        if (message.offset === '0' && tries++ < 2) seek(reading, topic, '0')
      },
    })
    expect(await reading.values.until(4)).toEqual(['a', 'a', 'a', 'b'])
  })

  it('makes the batch in hand stale', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.reader()
    await reading.subscribe(topic)
    const stale: boolean[] = []
    await reading.run({
      eachBatch: ({ isStale }) => {
        stale.push(isStale())
        if (stale.length > 1) return
        seek(reading, topic, '1')
        stale.push(isStale())
      },
    })
    expect(await reading.values.until(5)).toEqual(['a', 'b', 'c', 'b', 'c'])
    expect(stale).toEqual([false, true, false])
  })

  it('leaves batches of other partitions alone', async () => {
    const topic = await bench.topic(2)
    const reading = await bench.reader()
    await reading.subscribe(topic)
    const stale: boolean[] = []
    await reading.run({
      eachBatch: ({ batch, isStale }) => {
        seek(reading, topic, '0', 1 - batch.partition)
        stale.push(isStale())
      },
    })
    await bench.write(topic, ['a', 'b'], 1)
    await reading.values.until(2)
    await bench.write(topic, ['c'], 1)
    expect(await reading.values.until(3)).toEqual(['a', 'b', 'c'])
    expect(new Set(stale)).toEqual(new Set([false]))
  })

  it('commits the offset where autoCommit is true', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    await reading.values.until(3)
    seek(reading, topic, '3')
    seek(reading, topic, '1')
    seek(reading, topic, '3')
    await bench.write(topic, ['d'])
    await reading.values.until(4)
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['4'])
  })

  it('commits an offset from which nothing is read yet', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    seek(reading, topic, '3')
    await waitFor(async () => (await bench.committed(reading.groupId, topic))[0] === '3', { what: 'the commit' })
    expect(reading.values.entries).toEqual([])
  })

  it('commits nothing where autoCommit is false', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic, { autoCommit: false })
    seek(reading, topic, '2')
    await reading.values.until(1)
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['-1'])
  })

  it.each([true, false])('to -2 goes to the start of the log where autoCommit is %s', async (autoCommit) => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic, { autoCommit })
    await reading.values.until(3)
    seek(reading, topic, '-2')
    expect(await reading.values.until(6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  it('to -1 goes to the end of the log', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const groupId = await bench.groupAt(topic, '0')
    const reading = await bench.read(topic, { groupId, fromBeginning: false })
    seek(reading, topic, '-1')
    await reading.positioned()
    await bench.write(topic, ['d'])
    expect(await reading.values.until(1)).toEqual(['d'])
  })

  it('past the end of the log starts at its first record where fromBeginning is true', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic)
    await reading.values.until(2)
    seek(reading, topic, '100')
    expect(await reading.values.until(4)).toEqual(['a', 'b', 'a', 'b'])
  })

  it('before the start of the log starts at its first record where fromBeginning is true', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    await bench.deleteBelow(topic, '1')
    const reading = await bench.read(topic)
    await reading.values.until(2)
    seek(reading, topic, '0')
    expect(await reading.values.until(4)).toEqual(['b', 'c', 'b', 'c'])
  })

  it('of a paused partition counts once it is resumed', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    await reading.values.until(3)
    reading.consumer.pause([{ topic }])
    seek(reading, topic, '2')
    reading.consumer.resume([{ topic }])
    expect(await reading.values.until(4)).toEqual(['a', 'b', 'c', 'c'])
  })

  it('of what the consumer was not given changes nothing', async () => {
    const [topic, other] = [await bench.topicWith('a'), await bench.topicWith('b')]
    const reading = await bench.read(topic)
    seek(reading, other, '1')
    seek(reading, topic, '5', 7)
    await reading.values.until(1)
    await bench.write(topic, ['c'])
    expect(await reading.values.until(2)).toEqual(['a', 'c'])
    expect(await bench.committedAtEnd(reading, other)).toEqual(['-1'])
  })

  it('takes an offset that is a number', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    callUntyped(reading.consumer, 'seek', { topic, partition: 0, offset: 1 })
    expect(await reading.values.until(2)).toEqual(['b', 'c'])
  })

  it.each<[string, object, string]>([
    ['a topic without a name', { topic: '', partition: 0, offset: '1' }, 'Invalid topic '],
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
    ['an offset below -2', { topic: 'a', partition: 0, offset: '-3' }, 'Offset must not be a negative number'],
  ])('refuses %s', async (_, argument, message) => {
    const failure = await failureOf(() => callUntyped(bench.consumer(), 'seek', argument))
    expect(failure).toMatchObject({ name: 'KafkaJSNonRetriableError', message })
  })

  it('fails before run and after stop', async () => {
    const topic = await bench.topic()
    const notRunning = {
      name: 'KafkaJSNonRetriableError',
      message: 'Consumer group was not initialized, consumer#run must be called first',
    }
    const reading = await bench.reader()
    expect(await failureOf(() => seek(reading, topic, '0'))).toMatchObject(notRunning)
    await reading.subscribe(topic)
    await reading.run()
    await reading.consumer.stop()
    expect(await failureOf(() => seek(reading, topic, '0'))).toMatchObject(notRunning)
  })
})
