import { expect, it } from '@jest/globals'
import { waitFor } from '../topologies/index.js'
import { describeOnBoth } from './describe-on-both.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('a consumer starts', (target) => {
  const bench = new Workbench(target)

  /** What a group gets of a topic, when 'new' is written once it is there. */
  const received = async (topic: string, groupId: string, fromBeginning: boolean, count: number): Promise<string[]> => {
    const reading = await bench.read(topic, { groupId, fromBeginning })
    await reading.positioned()
    await bench.write(topic, ['new'])
    return reading.values.until(count)
  }

  it('at the first record where nothing is committed and fromBeginning is true', async () => {
    const topic = await bench.topicWith('a', 'b')
    expect(await received(topic, bench.groupId(), true, 3)).toEqual(['a', 'b', 'new'])
  })

  it('at the end where nothing is committed and fromBeginning is false', async () => {
    const topic = await bench.topicWith('a', 'b')
    expect(await received(topic, bench.groupId(), false, 1)).toEqual(['new'])
  })

  it('at the end where fromBeginning is left out', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.reader()
    await reading.consumer.subscribe({ topics: [topic] })
    await reading.run()
    await reading.positioned()
    await bench.write(topic, ['new'])
    expect(await reading.values.until(1)).toEqual(['new'])
  })

  it('at the start of the log where its first records are deleted', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    await bench.deleteBelow(topic, '2')
    expect(await received(topic, bench.groupId(), true, 2)).toEqual(['c', 'new'])
  })

  it.each([true, false])('at the committed offset where fromBeginning is %s', async (fromBeginning) => {
    const topic = await bench.topicWith('a', 'b', 'c')
    expect(await received(topic, await bench.groupAt(topic, '1'), fromBeginning, 3)).toEqual(['b', 'c', 'new'])
  })

  it.each([true, false])('after all records where all are committed and fromBeginning is %s', async (fromBeginning) => {
    const topic = await bench.topicWith('a', 'b', 'c')
    expect(await received(topic, await bench.groupAt(topic, '3'), fromBeginning, 1)).toEqual(['new'])
  })

  it('at the first record where the committed offset is past the end and fromBeginning is true', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, { groupId: await bench.groupAt(topic, '100') })
    expect(await reading.values.until(2)).toEqual(['a', 'b'])
  })

  it('at the end where the committed offset is past it and fromBeginning is false', async () => {
    const topic = await bench.topicWith('a', 'b')
    const groupId = await bench.groupAt(topic, '100')
    const reading = await bench.read(topic, { groupId, fromBeginning: false })
    // kafkajs's first fetch only finds out.
    await reading.events.untilTrue(
      (events) => events.filter(({ type }) => type === 'consumer.fetch').length >= 3,
      'three fetches',
    )
    await bench.write(topic, ['new'])
    expect(await reading.values.until(1)).toEqual(['new'])
  })

  it('at the start of the log where the committed record is deleted and fromBeginning is true', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const groupId = await bench.groupAt(topic, '1')
    await bench.deleteBelow(topic, '2')
    const reading = await bench.read(topic, { groupId })
    expect(await reading.values.until(1)).toEqual(['c'])
  })

  it('at a committed offset in the midst of a batch', async () => {
    const topic = await bench.topic()
    const values = Array.from({ length: 100 }, (_, i) => `${i}`)
    await bench.producer.send({ topic, compression: 1, messages: values.map((value) => ({ value })) })
    const reading = await bench.read(topic, { groupId: await bench.groupAt(topic, '73') })
    expect(await reading.values.until(27)).toEqual(values.slice(73))
    expect(reading.messages.entries[0]?.message.offset).toBe('73')
  })

  it('each partition for itself', async () => {
    const topic = await bench.topic(3)
    await bench.write(topic, ['a0', 'b0'], 0)
    await bench.write(topic, ['a1', 'b1'], 1)
    await bench.write(topic, ['a2', 'b2'], 2)
    const reading = await bench.read(topic, { groupId: await bench.groupAt(topic, '1', '2') })
    expect((await reading.values.until(3)).toSorted()).toEqual(['a2', 'b0', 'b2'])
  })

  it('each topic as it was subscribed', async () => {
    const [old, fresh] = [await bench.topicWith('old'), await bench.topicWith('not wanted')]
    const reading = await bench.reader()
    await reading.subscribe(old, true)
    await reading.subscribe(fresh, false)
    await reading.run()
    // Where the end of a topic is, is found out for each of them: what is written before that does not come.
    const writeAndLook = async () => {
      await bench.write(fresh, ['new'])
      return reading.values.entries.includes('new')
    }
    await waitFor(writeAndLook, { what: 'something new' })
    await reading.values.first((value) => value === 'old')
    expect(new Set(reading.values.entries)).toEqual(new Set(['old', 'new']))
  })

  it('as the last subscription of the topic says', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.reader()
    await reading.subscribe(topic, false)
    await reading.subscribe(topic, true)
    await reading.run()
    expect(await reading.values.until(1)).toEqual(['a'])
  })

  it('where the last member of its group has ended', async () => {
    const topic = await bench.topicWith('a', 'b')
    const first = await bench.read(topic)
    await first.values.until(2)
    await first.consumer.disconnect()
    expect(await received(topic, first.groupId, true, 1)).toEqual(['new'])
  })

  it('wherever other groups are', async () => {
    const topic = await bench.topicWith('a', 'b')
    const readings = await Promise.all([bench.read(topic), bench.read(topic)])
    for (const reading of readings) expect(await reading.values.until(2)).toEqual(['a', 'b'])
  })
})
