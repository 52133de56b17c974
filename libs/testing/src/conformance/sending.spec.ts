import { expect, it } from '@jest/globals'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'
import { Workbench } from './support/workbench.js'

const message = { value: 'v' }
const TOO_LARGE = { name: 'KafkaJSProtocolError', type: 'MESSAGE_TOO_LARGE', code: 10, retriable: false }

describeOnBoth('sending', (target) => {
  const bench = new Workbench(target)
  const { producer, admin } = bench

  const metadata = (topicName: string, partition = 0, baseOffset = '0') => ({
    topicName,
    partition,
    errorCode: 0,
    baseOffset,
    logAppendTime: '-1',
    logStartOffset: '0',
  })

  const highs = async (topic: string): Promise<string[]> =>
    (await admin.fetchTopicOffsets(topic)).toSorted((a, b) => a.partition - b.partition).map(({ high }) => high)

  it.each([
    ['acks -1', { acks: -1 }],
    ['acks 1', { acks: 1 }],
    ['acks left out', {}],
  ])('answers with what was stored where, with %s', async (_, options) => {
    const topic = await bench.topic()
    expect(await producer.send({ topic, messages: [message], ...options })).toEqual([metadata(topic)])
  })

  it('answers nothing with acks 0, and stores it', async () => {
    const topic = await bench.topic()
    expect(await producer.send({ topic, messages: [message], acks: 0 })).toEqual([])
    const reading = await bench.read(topic)
    expect(await reading.values.until(1)).toEqual(['v'])
  })

  it('answers for each partition that got something', async () => {
    const topic = await bench.topic(3)
    const messages = [2, 0, 2].map((partition) => ({ ...message, partition }))
    const answers = await producer.send({ topic, messages })
    expect(answers).toHaveLength(2)
    expect(answers).toEqual(expect.arrayContaining([metadata(topic, 0), metadata(topic, 2)]))
  })

  it('answers with the offset of the first message of the send', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    expect(await producer.send({ topic, messages: [message, message] })).toEqual([metadata(topic, 0, '3')])
    expect(await producer.send({ topic, messages: [message] })).toEqual([metadata(topic, 0, '5')])
  })

  it('answers with the start of the log', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    await bench.deleteBelow(topic, '2')
    expect(await producer.send({ topic, messages: [message] })).toEqual([
      { ...metadata(topic, 0, '3'), logStartOffset: '2' },
    ])
  })

  it('of no messages answers nothing', async () => {
    expect(await producer.send({ topic: await bench.topic(), messages: [] })).toEqual([])
  })

  it('keeps the order of sends that wait for each other', async () => {
    const topic = await bench.topic()
    const values = Array.from({ length: 20 }, (_, i) => `${i}`)
    for (const value of values) await producer.send({ topic, messages: [{ value }] })
    const reading = await bench.read(topic)
    expect(await reading.values.until(values.length)).toEqual(values)
  })

  it('a batch sends to several topics', async () => {
    const [a, b] = [await bench.topic(2), await bench.topic()]
    const topicMessages = [
      { topic: a, messages: [0, 1].map((partition) => ({ ...message, partition })) },
      { topic: b, messages: [message, message] },
    ]
    const answers = await producer.sendBatch({ topicMessages })
    expect(answers).toHaveLength(3)
    expect(answers).toEqual(expect.arrayContaining([metadata(a, 0), metadata(a, 1), metadata(b)]))
    expect([await highs(a), await highs(b)]).toEqual([['1', '1'], ['2']])
  })

  it('a batch that names a topic twice sends both parts, in order', async () => {
    const topic = await bench.topic()
    const topicMessages = ['first', 'second'].map((value) => ({ topic, messages: [{ value }] }))
    expect(await producer.sendBatch({ topicMessages })).toEqual([metadata(topic)])
    const reading = await bench.read(topic)
    expect(await reading.values.until(2)).toEqual(['first', 'second'])
  })

  it.each([
    ['an empty batch', { topicMessages: [] }],
    ['a batch that names none', {}],
  ])('%s answers nothing', async (_, batch) => {
    expect(await producer.sendBatch(batch)).toEqual([])
  })

  it.each<[string, unknown, string]>([
    ['a topic', { messages: [message] }, 'Invalid topic'],
    ['a name of the topic', { topic: '', messages: [message] }, 'Invalid topic'],
    ['messages', { topic: 'orders' }, 'Invalid messages array [undefined] for topic "orders"'],
    [
      'a value',
      { topic: 'orders', messages: [{ key: 'k' }] },
      'Invalid message without value for topic "orders": {"key":"k"}',
    ],
  ])('refuses what is without %s', async (_, record, text) => {
    const failure = await failureOf(() => callUntyped(producer, 'send', record))
    expect(failure).toMatchObject({ name: 'KafkaJSNonRetriableError', message: text, retriable: false })
  })

  it('sends nothing of a batch of which a part is refused', async () => {
    const topic = await bench.topic()
    const topicMessages = [
      { topic, messages: [message] },
      { topic, messages: [{}] },
    ]
    await failureOf(() => callUntyped(producer, 'sendBatch', { topicMessages }))
    expect(await highs(topic)).toEqual(['0'])
  })

  it('makes a topic that is not there', async () => {
    const topic = target.uniqueTopic()
    expect(await producer.send({ topic, messages: [message] })).toEqual([metadata(topic)])
    expect(await admin.listTopics()).toContain(topic)
  })

  it('makes no topic where allowAutoTopicCreation is false', async () => {
    const topic = target.uniqueTopic()
    const other = bench.newProducer({ allowAutoTopicCreation: false })
    await other.connect()
    const failure = await failureOf(() => other.send({ topic, messages: [message] }))
    expect(failure).toMatchObject({
      name: 'KafkaJSNumberOfRetriesExceeded',
      retriable: false,
      retryCount: 3,
      cause: { name: 'KafkaJSProtocolError', type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 },
    })
    expect(await admin.listTopics()).not.toContain(topic)
  })

  it('refuses names that no topic can have', async () => {
    expect(await failureOf(() => producer.send({ topic: 'not/a/name', messages: [message] }))).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      retriable: false,
      cause: { name: 'KafkaJSProtocolError', type: 'INVALID_TOPIC_EXCEPTION', code: 17 },
    })
  })

  it('refuses messages larger than the topic allows', async () => {
    const topic = await bench.topic(1, { 'max.message.bytes': '1000' })
    expect(await failureOf(() => producer.send({ topic, messages: [{ value: Buffer.alloc(2000) }] }))).toMatchObject({})
    expect(await highs(topic)).toEqual(['0'])
  })

  it('takes messages as large as the topic allows', async () => {
    const topic = await bench.topic(1, { 'max.message.bytes': '3000000' })
    const value = Buffer.alloc(2_000_000, 'x')
    await producer.send({ topic, messages: [{ value }] })
    const [received] = await (await bench.read(topic)).messages.until(1)
    expect(received?.message.value?.length).toBe(2_000_000)
  })

  it('refuses messages larger than topics allow by default', async () => {
    const topic = await bench.topic()
    const value = Buffer.alloc(1_100_000)
    expect(await failureOf(() => producer.send({ topic, messages: [{ value }] }))).toMatchObject(TOO_LARGE)
  })

  it('refuses acks that there are not', async () => {
    const topic = await bench.topic()
    expect(await failureOf(() => producer.send({ topic, messages: [message], acks: 2 }))).toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'INVALID_REQUIRED_ACKS',
      code: 21,
    })
  })
})
