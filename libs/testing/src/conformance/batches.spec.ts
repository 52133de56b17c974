import { expect, it } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { Workbench } from './support/workbench.js'

const factsOf = ({ batch }: kafkajs.EachBatchPayload): unknown => ({
  values: batch.messages.map(({ value }) => String(value)),
  highWatermark: batch.highWatermark,
  firstOffset: batch.firstOffset(),
  lastOffset: batch.lastOffset(),
  offsetLag: batch.offsetLag(),
  offsetLagLow: batch.offsetLagLow(),
  isEmpty: batch.isEmpty(),
})

const ignore = (): void => undefined

describeOnBoth('a batch', (target) => {
  const bench = new Workbench(target)

  it('names its topic and partition', async () => {
    const topic = await bench.topic(2)
    await bench.write(topic, ['a'], 1)
    const [payload] = await (await bench.read(topic, { eachBatch: ignore })).batches.until(1)
    expect(payload?.batch).toMatchObject({ topic, partition: 1 })
  })

  it('has the messages as eachMessage has them', async () => {
    const topic = await bench.topic()
    await bench.producer.send({ topic, messages: [{ key: 'k', value: 'v', headers: { h: 'x' }, timestamp: '1700' }] })
    const [payload] = await (await bench.read(topic, { eachBatch: ignore })).batches.until(1)
    expect(payload?.batch.messages).toMatchObject([
      {
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: { h: Buffer.from('x') },
        timestamp: '1700',
        offset: '0',
        attributes: 0,
      },
    ])
  })

  it('has all that several sends have left', async () => {
    const topic = await bench.topicWith('a', 'b')
    await bench.write(topic, ['c'])
    await bench.write(topic, ['d'])
    const [payload] = await (await bench.read(topic, { eachBatch: ignore })).batches.until(1)
    expect(payload?.batch.messages.map(({ value }) => String(value))).toEqual(['a', 'b', 'c', 'd'])
  })

  it('tells where it begins and ends, and how much is behind it', async () => {
    const topic = await bench.topicWith('a', 'b')
    await bench.write(topic, ['c'])
    await bench.write(topic, ['d', 'e', 'f'])
    const reading = await bench.read(topic, { config: { maxBytesPerPartition: 1 }, eachBatch: ignore })
    const batches = await reading.batches.until(3)
    const common = { highWatermark: '6', isEmpty: false }
    expect(batches.map(factsOf)).toEqual([
      { ...common, values: ['a', 'b'], firstOffset: '0', lastOffset: '1', offsetLag: '4', offsetLagLow: '5' },
      { ...common, values: ['c'], firstOffset: '2', lastOffset: '2', offsetLag: '3', offsetLagLow: '3' },
      { ...common, values: ['d', 'e', 'f'], firstOffset: '3', lastOffset: '5', offsetLag: '0', offsetLagLow: '2' },
    ])
  })

  it('begins where the group is, in the midst of what was sent together', async () => {
    const topic = await bench.topic()
    const messages = ['a', 'b', 'c', 'd'].map((value) => ({ value }))
    await bench.producer.send({ topic, messages, compression: 1 })
    const groupId = await bench.groupAt(topic, '2')
    const [payload] = await (await bench.read(topic, { groupId, eachBatch: ignore })).batches.until(1)
    expect(payload && factsOf(payload)).toMatchObject({ values: ['c', 'd'], firstOffset: '2', offsetLagLow: '1' })
  })

  it('is no larger than maxBytesPerPartition allows', async () => {
    const topic = await bench.topic()
    const value = Buffer.alloc(1000)
    for (let i = 0; i < 10; i++) await bench.producer.send({ topic, messages: [{ value }] })
    const reading = await bench.read(topic, { config: { maxBytesPerPartition: 3500 }, eachBatch: ignore })
    await reading.values.until(10)
    const sizes = reading.batches.entries.map(({ batch }) => batch.messages.length)
    expect(Math.max(...sizes)).toBe(3)
  })

  it('comes with one message at least, however large that is', async () => {
    const topic = await bench.topic()
    for (const size of [100_000, 10]) await bench.producer.send({ topic, messages: [{ value: Buffer.alloc(size) }] })
    const reading = await bench.read(topic, { config: { maxBytesPerPartition: 1000 }, eachBatch: ignore })
    const [payload] = await reading.batches.until(1)
    expect(payload?.batch.messages.map((message) => message.value?.length)).toEqual([100_000])
  })

  it('comes with functions for what a handler may want to do', async () => {
    const [payload] = await (await bench.read(await bench.topicWith('a'), { eachBatch: ignore })).batches.until(1)
    expect(payload).toMatchObject({
      resolveOffset: expect.any(Function),
      heartbeat: expect.any(Function),
      pause: expect.any(Function),
      commitOffsetsIfNecessary: expect.any(Function),
      uncommittedOffsets: expect.any(Function),
      isRunning: expect.any(Function),
      isStale: expect.any(Function),
    })
  })

  it('is running and not stale as long as nothing happens', async () => {
    const seen: unknown[] = []
    const reading = await bench.read(await bench.topicWith('a'), {
      eachBatch: async ({ isRunning, isStale, heartbeat }) => void seen.push(isRunning(), isStale(), await heartbeat()),
    })
    await reading.commits.until(1)
    expect(seen).toEqual([true, false, undefined])
  })
})
