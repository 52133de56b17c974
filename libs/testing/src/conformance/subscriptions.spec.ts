import { expect, it } from '@jest/globals'
import { waitFor } from '../topologies/index.js'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('subscribe', (target) => {
  const bench = new Workbench(target)

  it('takes a single topic', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.reader()
    await reading.consumer.subscribe({ topic, fromBeginning: true })
    await reading.run()
    expect(await reading.values.until(1)).toEqual(['a'])
  })

  it('takes several topics', async () => {
    const topics = [await bench.topicWith('a'), await bench.topicWith('b'), await bench.topicWith('c')]
    const reading = await bench.read(topics)
    expect((await reading.values.until(3)).toSorted()).toEqual(['a', 'b', 'c'])
    expect(new Set(reading.messages.entries.map(({ topic }) => topic))).toEqual(new Set(topics))
  })

  it('adds to what was subscribed before', async () => {
    const reading = await bench.reader()
    await reading.subscribe(await bench.topicWith('a'))
    await reading.subscribe([await bench.topicWith('b')])
    await reading.run()
    expect((await reading.values.until(2)).toSorted()).toEqual(['a', 'b'])
  })

  it('takes a topic once that is named twice', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.reader()
    await reading.subscribe([topic, topic])
    await reading.subscribe(topic)
    await reading.run()
    await reading.values.until(1)
    await bench.write(topic, ['b'])
    expect(await reading.values.until(2)).toEqual(['a', 'b'])
  })

  it('takes the topics that a regular expression matches', async () => {
    const [a, b, other] = [await bench.topicWith('a'), await bench.topicWith('b'), await bench.topicWith('other')]
    const reading = await bench.read(new RegExp(`^(${a}|${b})$`))
    expect((await reading.values.until(2)).toSorted()).toEqual(['a', 'b'])
    const [join] = await reading.joins.until(1)
    expect(Object.keys(join?.memberAssignment ?? {}).toSorted()).toEqual([a, b])
    expect(join?.memberAssignment).not.toHaveProperty(other)
  })

  it('takes names and regular expressions together', async () => {
    const [a, b] = [await bench.topicWith('a'), await bench.topicWith('b')]
    const reading = await bench.read([a, new RegExp(`^${b}$`)])
    expect((await reading.values.until(2)).toSorted()).toEqual(['a', 'b'])
  })

  it('takes a regular expression with the flag i', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(new RegExp(`^${topic.toUpperCase()}$`, 'i'))
    expect(await reading.values.until(1)).toEqual(['a'])
  })

  it('takes a regular expression that matches nothing', async () => {
    const reading = await bench.read(/^no topic has spaces in its name$/)
    expect(await reading.joins.until(1)).toMatchObject([{ memberAssignment: {} }])
  })

  it('makes a topic that is not there', async () => {
    const topic = target.uniqueTopic()
    const reading = await bench.reader()
    // Kafka's answer can come before the topic is there: then kafkajs fails, and it is there the next time.
    await waitFor(() => reading.subscribe(topic).then(() => true), { what: 'the subscription' })
    await reading.run()
    expect(await bench.admin.listTopics()).toContain(topic)
    await bench.write(topic, ['a'])
    expect(await reading.values.until(1)).toEqual(['a'])
  })

  it('fails for a topic that is not there where allowAutoTopicCreation is false', async () => {
    const topic = target.uniqueTopic()
    const reading = await bench.reader({ config: { allowAutoTopicCreation: false } })
    expect(await failureOf(() => reading.subscribe(topic))).toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
      code: 3,
      retriable: true,
    })
    expect(await bench.admin.listTopics()).not.toContain(topic)
  })

  it('fails for a name that no topic can have', async () => {
    const reading = await bench.reader()
    expect(await failureOf(() => reading.subscribe('not/a/name'))).toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'INVALID_TOPIC_EXCEPTION',
      code: 17,
      retriable: false,
    })
  })

  it.each<[string, object, string]>([
    ['no topic', {}, 'Missing required argument "topics"'],
    ['an empty name', { topic: '' }, 'Missing required argument "topics"'],
    ['topics that are no list', { topics: 'orders' }, 'Argument "topics" must be an array'],
    [
      'a topic that is a number',
      { topics: ['orders', 1] },
      'Invalid topic 1 (number), the topic name has to be a String or a RegExp',
    ],
  ])('refuses %s', async (_, argument, message) => {
    const failure = await failureOf(() => callUntyped(bench.consumer(), 'subscribe', argument))
    expect(failure).toMatchObject({ name: 'KafkaJSNonRetriableError', message, retriable: false })
  })

  it('of nothing subscribes nothing', async () => {
    const reading = await bench.reader()
    await reading.consumer.subscribe({ topics: [] })
    await reading.run()
    expect(await reading.joins.until(1)).toMatchObject([{ memberAssignment: {} }])
  })

  it('fails while the consumer runs', async () => {
    const topic = await bench.topic()
    const reading = await bench.read(topic)
    expect(await failureOf(() => reading.subscribe(topic))).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: 'Cannot subscribe to topic while consumer is running',
    })
  })

  it('adds topics between two runs', async () => {
    const [a, b] = [await bench.topicWith('a'), await bench.topicWith('b')]
    const reading = await bench.read(a)
    await reading.commits.until(1)
    await reading.consumer.stop()
    await reading.subscribe(b)
    await reading.run()
    expect(await reading.values.until(2)).toEqual(['a', 'b'])
  })

  it('counts until the consumer is gone, also after a disconnect', async () => {
    const topic = await bench.topicWith('a')
    const reading = await bench.read(topic)
    await reading.commits.until(1)
    await reading.consumer.disconnect()
    await bench.write(topic, ['b'])
    await reading.consumer.connect()
    await reading.run()
    expect(await reading.values.until(2)).toEqual(['a', 'b'])
  })
})
