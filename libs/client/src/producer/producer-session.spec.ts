import { afterEach, describe, expect, it } from '@jest/globals'
import { DEFAULT_MAX_DECOMPRESSED_BYTES, KafkaError } from '@rivulet/protocol'

import { modelTopic } from '../../spec-support/model-log.js'
import { type TestSession, testSession } from '../../spec-support/producer-sessions.js'
import type { Message, ProducerConfig } from '../types.js'
import { closedError } from './producer-session.js'

const open: TestSession[] = []
function begin(config: ProducerConfig = {}): TestSession {
  const begun = testSession(config)
  open.push(begun)
  return begun
}
afterEach(() => {
  for (const { session } of open.splice(0)) session.close(closedError())
})

const numbers = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => String(from + i))
/** A message as a program in JavaScript may have it. */
const untyped = (message: object): Message => Object.assign({ value: '' }, message)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('batching', () => {
  it('puts the sends of one turn into one batch and gives each its own base offset', async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('t'))
    const results = await Promise.all([send('t', ['a', 'b']), send('t', ['c']), send('t', ['d', 'e', 'f'])])
    expect(log.partition('t').batches).toMatchObject([{ count: 6 }])
    expect(log.values('t')).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(results.map(([r]) => r?.baseOffset)).toEqual(['0', '2', '3'])
    expect(results[1]).toEqual([
      { topicName: 't', partition: 0, errorCode: 0, baseOffset: '2', logAppendTime: '-1', logStartOffset: '0' },
    ])
  })

  it('sends at once when nothing is under way, and gathers while something is', async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('t'))
    log.hold()
    const first = send('t', ['a'])
    await turn()
    expect(log.calls.length).toBe(1)
    const others = [send('t', ['b'])]
    await turn()
    others.push(send('t', ['c']))
    await turn()
    expect(log.calls.length).toBe(1)
    log.release()
    await Promise.all([first, ...others])
    expect(log.partition('t').batches).toMatchObject([{ count: 1 }, { count: 2 }])
  })

  it('lets sends that answers have set off share the next batch', async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('t'))
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        await send('t', [`first ${i}`])
        await send('t', [`second ${i}`])
      }),
    )
    expect(log.partition('t').batches).toMatchObject([{ count: 50 }, { count: 50 }])
  })

  it('appends the batches of many partitions in one call, one batch each', async () => {
    const { log, topics, session } = begin()
    topics.put(modelTopic('t', 4))
    const messages = numbers(0, 40).map((value) => ({ value, partition: Number(value) % 4 }))
    const results = await session.send([{ topic: 't', messages }], -1, 0)
    expect(log.calls.map((call) => call.length)).toEqual([4])
    expect(results.map((r) => r.partition)).toEqual([0, 1, 2, 3])
    expect(log.values('t', 3)).toEqual(numbers(0, 40).filter((n) => Number(n) % 4 === 3))
  })

  it('keeps a call to 128 batches and about 1 MiB', async () => {
    const { log, topics, session } = begin()
    topics.put(modelTopic('small', 300))
    await session.send(
      [{ topic: 'small', messages: numbers(0, 300).map((value) => ({ value, partition: Number(value) })) }],
      -1,
      0,
    )
    expect(log.calls.map((call) => call.length)).toEqual([128, 128, 44])
    log.calls.length = 0
    topics.put(modelTopic('large', 8))
    const value = Buffer.alloc(500_000)
    await session.send(
      [{ topic: 'large', messages: numbers(0, 8).map((n) => ({ value, partition: Number(n) })) }],
      -1,
      0,
    )
    expect(log.calls.map((call) => call.length)).toEqual([3, 3, 2])
  })

  it('has at most maxInFlightRequests calls of one lane under way', async () => {
    const { log, topics, send } = begin({ maxInFlightRequests: 2 })
    topics.put(modelTopic('t', 6))
    log.hold()
    const sends = []
    for (let partition = 0; partition < 6; partition++) {
      sends.push(send('t', ['x'], { partition }))
      await turn()
    }
    expect(log.inFlight).toBe(2)
    log.release()
    await Promise.all(sends)
    expect(log.calls.map((call) => call.length)).toEqual([1, 1, 4])
  })

  it('makes calls of their own for the lanes of a Cluster', async () => {
    const { log, topics, session } = begin()
    log.lanes = true
    topics.put(modelTopic('t', 3))
    await session.send(
      [{ topic: 't', messages: numbers(0, 3).map((value) => ({ value, partition: Number(value) })) }],
      -1,
      0,
    )
    expect(log.calls.map((call) => call.map(({ partition }) => partition.partition))).toEqual([[0], [1], [2]])
  })

  it('closes a batch at batchSize and keeps the messages of a send together', async () => {
    const { log, topics, send } = begin({ batchSize: 1000 })
    topics.put(modelTopic('t'))
    const value = 'x'.repeat(400)
    await Promise.all([send('t', [value, value]), send('t', [value, value, value]), send('t', [value])])
    expect(log.partition('t').batches).toMatchObject([{ count: 5 }, { count: 1 }])
  })

  it('splits the messages of a send only where they exceed the limit of a batch, in order', async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('t', 1, { 'max.message.bytes': '1100' }))
    const values = numbers(1000, 10).map((n) => n + 'x'.repeat(250))
    const [before, split, after] = await Promise.all([send('t', ['first']), send('t', values), send('t', ['last'])])
    expect(log.values('t')).toEqual(['first', ...values, 'last'])
    expect(log.partition('t').batches.map(({ count }) => count)).toEqual([1, 3, 3, 3, 2])
    expect([before, split, after].map((r) => r?.map((m) => m.baseOffset))).toEqual([['0'], ['1'], ['11']])
  })

  it('does not mix compressions or acks in a batch, and keeps the order', async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('t'))
    const results = await Promise.all([
      send('t', ['a']),
      send('t', ['b'], { compression: 1 }),
      send('t', ['c'], { compression: 1 }),
      send('t', ['d'], { acks: 0 }),
      send('t', ['e'], { acks: 1 }),
    ])
    expect(log.values('t')).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(log.partition('t').batches.map(({ compression, count }) => [compression, count])).toEqual([
      [0, 1],
      [1, 2],
      [0, 1],
      [0, 1],
    ])
    expect(results[3]).toEqual([])
    expect(results[4]?.[0]?.baseOffset).toBe('4')
  })

  it("compresses as the topic's compression.type says, whatever the send asks for", async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('gzip', 1, { 'compression.type': 'gzip' }))
    topics.put(modelTopic('plain', 1, { 'compression.type': 'uncompressed' }))
    await send('gzip', ['a'], { compression: 4 })
    await send('plain', ['a'], { compression: 1 })
    expect(log.partition('gzip').batches).toMatchObject([{ compression: 1 }])
    expect(log.partition('plain').batches).toMatchObject([{ compression: 0 }])
    expect(log.values('gzip')).toEqual(['a'])
  })

  it('waits for lingerMs unless the batch is full', async () => {
    const { log, topics, send } = begin({ lingerMs: 30, batchSize: 1000 })
    topics.put(modelTopic('t'))
    const begun = performance.now()
    const first = send('t', ['a'])
    await turn()
    await Promise.all([first, send('t', ['b'])])
    expect(performance.now() - begun).toBeGreaterThan(25)
    expect(log.partition('t').batches).toMatchObject([{ count: 2 }])
    log.calls.length = 0
    const full = send('t', ['x'.repeat(1000)])
    await turn()
    expect(log.calls.length).toBe(1)
    await full
  })

  it('closes a batch that fills what Redis allocates for it, where the next piece would need more', async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('t'))
    const counts = (): number[] =>
      log
        .partition('t')
        .batches.splice(0)
        .map(({ count }) => count)
    const filling = Buffer.alloc(20_300)
    const loose = Buffer.alloc(18_000)
    const inOneTurn = (value: Buffer, sends: number, compression = 0): Promise<unknown> =>
      Promise.all(Array.from({ length: sends }, () => send('t', [value], { compression })))
    // two of them fill 40 KiB; two of the others leave an eighth of it empty, three of them fill 56 KiB
    await inOneTurn(filling, 4)
    expect(counts()).toEqual([2, 2])
    await inOneTurn(loose, 4)
    expect(counts()).toEqual([3, 1])
    // how large they get by compression is not known when they are put in
    await inOneTurn(filling, 4, 1)
    expect(counts()).toEqual([4])
  })

  it('does not cut what gathers in a round trip into many batches', async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('t'))
    const value = Buffer.alloc(1000)
    const inOneTurn = (): Promise<unknown> => Promise.all(Array.from({ length: 200 }, () => send('t', [value])))
    await inOneTurn()
    log.partition('t').batches.length = 0
    await inOneTurn()
    expect(log.partition('t').batches.length).toBeLessThanOrEqual(2)
  })

  it('takes a snapshot: what the caller does with its buffers afterwards does not matter', async () => {
    const { log, topics, send } = begin()
    topics.put(modelTopic('t'))
    const value = Buffer.from('before')
    const sent = send('t', [value])
    value.write('after!')
    await sent
    expect(log.values('t')).toEqual(['before'])
  })
})

describe('messages', () => {
  it('takes what kafkajs takes: numbers and the like as their text, no timestamp as now', async () => {
    const { log, topics, session } = begin()
    topics.put(modelTopic('t'))
    const messages = [
      untyped({ key: 42, value: true, timestamp: '1700000000000' }),
      { key: null, value: 'null key', headers: { a: ['1', '2'], b: Buffer.from('3') } },
    ]
    const before = Date.now()
    await session.send([{ topic: 't', messages }], -1, 0)
    expect(log.partition('t').records).toEqual([
      { key: '42', value: 'true', headers: {}, timestamp: 1_700_000_000_000 },
      {
        key: null,
        value: 'null key',
        headers: { a: [Buffer.from('1'), Buffer.from('2')], b: Buffer.from('3') },
        timestamp: expect.any(Number),
      },
    ])
    expect(log.partition('t').records[1]?.timestamp).toBeGreaterThanOrEqual(before)
  })

  it.each([
    [{ value: { an: 'object' } }, 'INVALID_RECORD', 'value'],
    [{ value: 'x', headers: { a: 5 } }, 'INVALID_RECORD', "header 'a'"],
    [{ value: 'x', timestamp: 'yesterday' }, 'INVALID_TIMESTAMP', 'yesterday'],
    [{ value: Buffer.alloc(2_000_000) }, 'MESSAGE_TOO_LARGE', '2000'],
    [{ value: 'x', partition: 3 }, 'UNKNOWN_TOPIC_OR_PARTITION', "'t' has no partition 3: it has 2"],
    [{ value: 'x', partition: -1 }, 'UNKNOWN_TOPIC_OR_PARTITION', 'no partition -1'],
    [{ value: 'x', partition: 0.5 }, 'UNKNOWN_TOPIC_OR_PARTITION', 'no partition 0.5'],
  ])('refuses %j as %s and stores nothing of that send', async (bad, type, text) => {
    const { log, topics, session, send } = begin()
    topics.put(modelTopic('t', 2))
    const messages = [{ value: 'good', partition: 0 }, untyped(bad)]
    const refused = session.send([{ topic: 't', messages }], -1, 0)
    const neighbour = send('t', ['neighbour'], { partition: 0 })
    await expect(refused).rejects.toMatchObject({
      name: 'KafkaJSProtocolError',
      type,
      message: expect.stringContaining(text),
    })
    await neighbour
    expect(log.values('t', 0)).toEqual(['neighbour'])
    expect(log.values('t', 1)).toEqual([])
  })

  it('takes a record that is too large only before compression', async () => {
    const { log, topics, send } = begin({ maxRequestSize: 10_000_000 })
    topics.put(modelTopic('t'))
    const large = Buffer.alloc(3_000_000, 'compressible ')
    await expect(send('t', [large])).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' })
    await Promise.all([send('t', ['before'], { compression: 1 }), send('t', [large], { compression: 1 })])
    expect(log.partition('t').batches.map(({ count }) => count)).toEqual([1, 1])
  })

  it('refuses a compressible record that no consumer would decompress', async () => {
    const { topics, send } = begin({ maxRequestSize: 100_000_000 })
    topics.put(modelTopic('t'))
    const large = Buffer.alloc(DEFAULT_MAX_DECOMPRESSED_BYTES)
    await expect(send('t', [large], { compression: 1 })).rejects.toMatchObject({
      type: 'MESSAGE_TOO_LARGE',
      message: expect.stringContaining(String(DEFAULT_MAX_DECOMPRESSED_BYTES)),
    })
  })

  it('fails a batch that is too large even compressed, and nothing else', async () => {
    const { topics, send } = begin({ maxRequestSize: 10_000_000 })
    topics.put(modelTopic('t', 1, { 'max.message.bytes': '1000' }))
    const random = Buffer.from(Array.from({ length: 5000 }, () => Math.floor(Math.random() * 256)))
    const failed = send('t', [random], { compression: 1 })
    const stored = send('t', ['small'], { compression: 1 })
    await expect(failed).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE', message: expect.stringContaining('1000') })
    expect(await stored).toMatchObject([{ baseOffset: '0' }])
  })

  it('finds a partition that was added after the topic was cached', async () => {
    const { topics, log, send } = begin()
    const old = topics.put(modelTopic('t', 1))
    const added = modelTopic('t', 2).partitions.map((p) => ({ ...p, topicId: old.id }))
    topics.put({ ...old, partitions: added }, { cached: false })
    await send('t', ['x'], { partition: 1 })
    expect(log.values('t', 1)).toEqual(['x'])
  })
})

describe('metadata', () => {
  it('keeps the order of sends that wait for it and those that come after', async () => {
    const { topics, log, send } = begin()
    topics.put(modelTopic('t'), { cached: false })
    const sends = [send('t', ['1']), send('t', ['2'])]
    while (topics.cached('t') === undefined) await Promise.resolve()
    sends.push(send('t', ['3']))
    await Promise.all(sends)
    expect(log.values('t')).toEqual(['1', '2', '3'])
    expect(topics.reads).toBe(1)
  })

  it('makes a missing topic once, however many sends want it', async () => {
    const { topics, log, send } = begin()
    topics.defaultPartitions = 1
    await Promise.all(numbers(0, 100).map((value) => send('new', [value])))
    expect(topics.created).toBe(1)
    expect(log.values('new')).toEqual(numbers(0, 100))
  })

  it('is content with a topic that another client has made meanwhile', async () => {
    const { topics, send } = begin()
    let reads = 0
    topics.before = async () => {
      if (reads++ === 1) topics.put(modelTopic('t'), { cached: false })
    }
    await expect(send('t', ['x'])).resolves.toMatchObject([{ topicName: 't', baseOffset: '0' }])
    expect(topics.created).toBe(0)
  })

  it.each([
    ['the producer', { allowAutoTopicCreation: false }, true, 'allowAutoTopicCreation'],
    ['the namespace', {}, false, 'auto.create.topics.enable'],
  ])('does not make a topic where %s does not allow it', async (_who, config, autoCreate, reason) => {
    const { topics, send } = begin({ ...config, retry: { retries: 3 } })
    topics.autoCreate = autoCreate
    await expect(send('nowhere', ['x'])).rejects.toMatchObject({
      name: 'KafkaJSNumberOfRetriesExceeded',
      retryCount: 3,
      cause: { type: 'UNKNOWN_TOPIC_OR_PARTITION' },
      message: expect.stringMatching(new RegExp(`'nowhere'.*${reason.replaceAll('.', '\\.')}`)),
    })
    expect(topics.reads).toBe(4)
  })

  it('ends the wait after maxBlockMs', async () => {
    const { topics, send } = begin({ maxBlockMs: 20 })
    topics.before = () => new Promise(() => {})
    await expect(send('t', ['x'])).rejects.toMatchObject({
      name: 'KafkaJSRequestTimeoutError',
      message: expect.stringContaining('maxBlockMs'),
    })
  })

  it('fails only the topic that is not there: the neighbours are stored and reported in the error', async () => {
    const { topics, log, session } = begin({ allowAutoTopicCreation: false, retry: { retries: 0 } })
    topics.put(modelTopic('b'))
    topics.put(modelTopic('a'))
    const topicMessages = ['a', 'missing', 'b'].map((topic) => ({ topic, messages: [{ value: topic }] }))
    const error: unknown = await session.send(topicMessages, -1, 0).catch((e: unknown) => e)
    expect(error).toMatchObject({
      name: 'KafkaJSSendError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining('missing'),
      failures: [{ topic: 'missing', partition: -1, error: { type: 'UNKNOWN_TOPIC_OR_PARTITION' } }],
      results: [
        { topicName: 'a', baseOffset: '0' },
        { topicName: 'b', baseOffset: '0' },
      ],
    })
    expect(log.values('a')).toEqual(['a'])
  })

  it('never sends to a new topic what was meant for the deleted one of that name', async () => {
    const { topics, log, send, logged } = begin()
    const old = topics.put(modelTopic('t'))
    await send('t', ['first'])
    log.decide = ({ partition }) => (partition.topicId === old.id ? new KafkaError('UNKNOWN_TOPIC_ID') : 'keep')
    log.hold()
    const doomed = [send('t', ['in flight'])]
    await turn()
    doomed.push(send('t', ['gathered']))
    topics.put(modelTopic('t'), { cached: false })
    log.release()
    for (const result of await Promise.allSettled(doomed)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { type: 'UNKNOWN_TOPIC_ID' } })
    }
    log.partitions.clear()
    await send('t', ['for the new one'])
    expect(log.values('t')).toEqual(['for the new one'])
    expect(logged.some(({ label, log: entry }) => label === 'WARN' && entry.message.includes('deleted'))).toBe(true)
  })
})

describe('memory', () => {
  it('lets sends wait in order where the buffer is full, and go on when there is room', async () => {
    const { topics, log, send } = begin({ bufferMemory: 1000 })
    topics.put(modelTopic('t'))
    log.hold()
    const sends = numbers(0, 10).map((n) => send('t', [n + 'x'.repeat(400)]))
    await turn()
    expect(log.calls.map((call) => call.length)).toEqual([1])
    log.release()
    await Promise.all(sends)
    expect(log.values('t').map((value) => value[0])).toEqual(numbers(0, 10))
    expect(Math.max(...log.partition('t').batches.map(({ count }) => count))).toBeLessThanOrEqual(3)
  })

  it('ends the wait after maxBlockMs with BUFFER_EXHAUSTED, which names both options', async () => {
    const { topics, log, send } = begin({ bufferMemory: 100, maxBlockMs: 20 })
    topics.put(modelTopic('t'))
    log.hold()
    const first = send('t', ['x'.repeat(100)])
    await expect(send('t', ['y'])).rejects.toMatchObject({
      type: 'BUFFER_EXHAUSTED',
      message: expect.stringMatching(/100 bytes \(bufferMemory\).*20 ms \(maxBlockMs\)/),
    })
    log.release()
    await first
    await send('t', ['z'])
    expect(log.values('t').at(-1)).toBe('z')
  })
})

describe('the end', () => {
  it('flushes what lingers, waits for metadata or waits for memory', async () => {
    const { topics, log, session, send } = begin({ lingerMs: 60_000, bufferMemory: 300 })
    topics.put(modelTopic('t'))
    topics.put(modelTopic('uncached'), { cached: false })
    const sends = [send('t', ['x'.repeat(300)]), send('t', ['waits']), send('uncached', ['too'])]
    await turn()
    expect(log.calls).toEqual([])
    await session.flush()
    await Promise.all(sends)
    expect(log.values('t').at(-1)).toBe('waits')
    expect(log.values('uncached')).toEqual(['too'])
  })

  it('fails what is left, wherever it is', async () => {
    const { topics, log, session, send } = begin({ bufferMemory: 300 })
    topics.put(modelTopic('t'))
    log.hold()
    const sends = [send('t', ['x'.repeat(300)])]
    await turn()
    sends.push(send('t', ['waits for memory']))
    topics.before = () => new Promise(() => {})
    sends.push(send('unknown', ['waits for metadata']))
    session.close(closedError())
    for (const result of await Promise.allSettled(sends)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'KafkaJSNonRetriableError' } })
    }
    log.release()
    await turn()
  })
})
