import { afterEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import * as fc from 'fast-check'

import { modelTopic, type Verdict } from '../../spec-support/model-log.js'
import { type TestSession, testSession } from '../../spec-support/producer-sessions.js'
import type { ProducerConfig, RecordMetadata } from '../types.js'
import { closedError } from './producer-session.js'

const open: TestSession[] = []
function begin(config: ProducerConfig = {}): TestSession {
  const begun = testSession(config)
  open.push(begun)
  begun.topics.put(modelTopic('t'))
  return begun
}
afterEach(() => {
  for (const { session } of open.splice(0)) session.close(closedError())
})

const lost = (): KafkaError => new KafkaError('NETWORK_EXCEPTION')
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Decides by the number of the attempt, counted from 1; keeps the others. */
const script =
  (verdicts: Record<number, Verdict>) =>
  (_request: unknown, attempt: number): Verdict =>
    verdicts[attempt] ?? 'keep'

describe('retries', () => {
  it('stores a batch once whose answer was lost, and answers with the first append', async () => {
    const { log, send } = begin()
    log.decide = script({ 1: 'lose-answer', 2: 'lose-answer' })
    expect(await send('t', ['a', 'b'])).toMatchObject([{ baseOffset: '0' }])
    expect(await send('t', ['c'])).toMatchObject([{ baseOffset: '2' }])
    expect(log.values('t')).toEqual(['a', 'b', 'c'])
  })

  it('holds back what comes after a batch that is tried again', async () => {
    const { log, send } = begin()
    log.decide = script({ 1: lost(), 2: lost() })
    const first = send('t', ['a'])
    await turn()
    await Promise.all([first, send('t', ['b'])])
    expect(log.values('t')).toEqual(['a', 'b'])
    expect(log.calls.length).toBe(4)
  })

  it('does not hold up other partitions', async () => {
    const { log, topics, send } = begin({ retry: { initialRetryTime: 60_000, maxRetryTime: 60_000 } })
    topics.put(modelTopic('u', 2))
    log.decide = ({ partition }) => (partition.partition === 0 ? lost() : 'keep')
    void send('u', ['stuck'], { partition: 0 }).catch(() => {})
    await turn()
    await send('u', ['free'], { partition: 1 })
    await send('u', ['free'], { partition: 1 })
    expect(log.values('u', 1)).toEqual(['free', 'free'])
  })

  it('fails with KafkaJSNumberOfRetriesExceeded after the last one', async () => {
    const { log, send } = begin({ retry: { retries: 2 } })
    log.decide = lost
    await expect(send('t', ['a'])).rejects.toMatchObject({
      name: 'KafkaJSNumberOfRetriesExceeded',
      retriable: false,
      retryCount: 2,
      retryTime: 1,
      cause: { name: 'KafkaJSConnectionError' },
    })
    expect(log.calls.length).toBe(3)
  })

  it('goes on under a new epoch after a batch of which it is not known whether it was stored', async () => {
    const { log, send } = begin({ retry: { retries: 0 } })
    await send('t', ['a'])
    log.decide = script({ 2: lost(), 4: 'lose-answer' })
    await expect(send('t', ['not stored'])).rejects.toThrow('connection was lost')
    await send('t', ['b'])
    await expect(send('t', ['stored'])).rejects.toThrow('connection was lost')
    await send('t', ['c'])
    expect(log.values('t')).toEqual(['a', 'b', 'stored', 'c'])
    expect(log.partition('t').batches.map(({ epoch, sequence }) => [epoch, sequence])).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
      [2, 0],
    ])
  })

  it('uses the sequence numbers again of a batch that was certainly not stored', async () => {
    const { log, send } = begin()
    log.decide = script({ 1: new KafkaError('TOPIC_AUTHORIZATION_FAILED') })
    await expect(send('t', ['refused'])).rejects.toMatchObject({ type: 'TOPIC_AUTHORIZATION_FAILED' })
    await send('t', ['a'])
    expect(log.partition('t').batches).toMatchObject([{ epoch: 0, sequence: 0 }])
  })

  it('waits for room, however long it takes, and says so at the deadline', async () => {
    const { log, send } = begin({ retry: { retries: 0 } })
    log.decide = (_request, attempt) => (attempt <= 20 ? new KafkaError('OUT_OF_MEMORY') : 'keep')
    expect(await send('t', ['a'])).toMatchObject([{ baseOffset: '0' }])
    const impatient = begin({ deliveryTimeoutMs: 30 })
    impatient.log.decide = () => new KafkaError('NAMESPACE_FULL')
    await expect(impatient.send('t', ['a'])).rejects.toMatchObject({
      type: 'NAMESPACE_FULL',
      retriable: true,
      message: expect.stringContaining('deliveryTimeoutMs'),
    })
  })
})

describe('a log that has lost its tail', () => {
  it('gets the batch under a new epoch, from sequence 0, and a warning is logged', async () => {
    const { log, send, logged } = begin()
    await send('t', ['a'])
    await send('t', ['b'])
    log.partition('t').truncate(1)
    expect(await send('t', ['c'])).toMatchObject([{ baseOffset: '1' }])
    await send('t', ['d'])
    expect(log.values('t')).toEqual(['a', 'c', 'd'])
    expect(log.partition('t').batches.slice(2)).toMatchObject([
      { epoch: 1, sequence: 0 },
      { epoch: 1, sequence: 1 },
    ])
    const warning = logged.find(({ label }) => label === 'WARN')
    expect(warning?.log).toMatchObject({ topic: 't', partition: 0, message: expect.stringContaining('lost') })
  })

  it('gets a batch once that was lost with its answer', async () => {
    const { log, send } = begin()
    await send('t', ['a'])
    let attempts = 0
    log.decide = () => {
      if (attempts++ === 0) return 'lose-answer'
      if (attempts === 2) log.partition('t').truncate(0)
      return 'keep'
    }
    await send('t', ['b'])
    expect(log.values('t')).toEqual(['b'])
  })
})

describe('a producer id that somebody else uses', () => {
  it('is given up: the producer goes on with another one', async () => {
    const { log, send } = begin()
    await send('t', ['a'])
    log.decide = script({ 2: new KafkaError('INVALID_PRODUCER_EPOCH') })
    await send('t', ['b'])
    const [first, second] = log.partition('t').batches
    expect(second?.producerId).not.toBe(first?.producerId)
    expect(log.values('t')).toEqual(['a', 'b'])
  })
})

describe('acks', () => {
  it('0: resolves without the answer, keeps the order, carries no producer id and is not sent again', async () => {
    const { log, send, logged } = begin()
    log.hold()
    expect(await send('t', ['a'], { acks: 0 })).toEqual([])
    const next = send('t', ['b'], { acks: 1 })
    await turn()
    expect(log.calls.length).toBe(1)
    log.release()
    await next
    expect(log.partition('t').batches).toMatchObject([
      { producerId: -1, epoch: -1, sequence: -1 },
      { epoch: 0, sequence: 0 },
    ])
    log.decide = script({ 3: lost() })
    await send('t', ['never'], { acks: 0 })
    await send('t', ['c'])
    expect(log.values('t')).toEqual(['a', 'b', 'c'])
    expect(logged.some(({ label, log: entry }) => label === 'WARN' && entry.message.includes('acks=0'))).toBe(true)
  })
})

describe('the delivery deadline', () => {
  it('fails what is in flight and what waits behind it, and the order of what follows is kept', async () => {
    const { log, send } = begin({ deliveryTimeoutMs: 40 })
    log.hold()
    const inFlight = send('t', ['in flight'])
    await turn()
    const behind = send('t', ['behind'])
    for (const late of [inFlight, behind]) {
      await expect(late).rejects.toMatchObject({
        name: 'KafkaJSRequestTimeoutError',
        message: expect.stringContaining('40 ms (deliveryTimeoutMs)'),
      })
    }
    const next = send('t', ['next'])
    await turn()
    expect(log.calls.length).toBe(1)
    log.release()
    await next
    expect(log.values('t')).toEqual(['in flight', 'next'])
  })

  it('names the last error of what was tried until then', async () => {
    const { log, send } = begin({ deliveryTimeoutMs: 30, retry: { retries: 1_000_000 } })
    log.decide = () => new KafkaError('NOT_ENOUGH_REPLICAS')
    await expect(send('t', ['x'])).rejects.toMatchObject({ message: expect.stringContaining('min.insync.replicas') })
  })
})

describe('whatever goes wrong', () => {
  it('stores what was acknowledged exactly once, in the order of sending, at the offsets that were answered', async () => {
    const verdict = fc.constantFrom<'keep' | 'lose-answer' | 'lost' | 'full'>(
      'keep',
      'keep',
      'lose-answer',
      'lost',
      'full',
    )
    const rounds = fc.record({
      verdicts: fc.array(verdict, { maxLength: 60 }),
      sends: fc.array(fc.record({ partition: fc.nat(2), count: fc.integer({ min: 1, max: 5 }), turns: fc.nat(2) }), {
        minLength: 1,
        maxLength: 30,
      }),
      retries: fc.constantFrom(0, 1, 100),
      batchSize: fc.constantFrom(80, 200, 10_000),
    })
    await fc.assert(
      fc.asyncProperty(rounds, async ({ verdicts, sends, retries, batchSize }) => {
        const { log, topics, session, send } = testSession({ retry: { retries }, batchSize })
        topics.put(modelTopic('t', 3))
        let step = 0
        log.decide = () => {
          const next = verdicts[step++] ?? 'keep'
          if (next === 'lost') return lost()
          return next === 'full' ? new KafkaError('OUT_OF_MEMORY') : next
        }
        const results: Promise<{ partition: number; values: string[]; metadata: RecordMetadata | undefined | null }>[] =
          []
        let value = 0
        for (const { partition, count, turns } of sends) {
          const values = Array.from({ length: count }, () => String(value++))
          const settled = send('t', values, { partition }).then(
            ([metadata]) => ({ partition, values, metadata }),
            () => ({ partition, values, metadata: null }),
          )
          results.push(settled)
          for (let i = 0; i < turns; i++) await turn()
        }
        const answers = await Promise.all(results)
        session.close(closedError())
        for (let partition = 0; partition < 3; partition++) {
          const stored = log.values('t', partition)
          expect(new Set(stored).size).toBe(stored.length)
          expect([...stored].sort((a, b) => Number(a) - Number(b))).toEqual(stored)
        }
        for (const { partition, values, metadata } of answers) {
          if (metadata === null) continue
          const offset = Number(metadata?.baseOffset)
          expect(log.values('t', partition).slice(offset, offset + values.length)).toEqual(values)
        }
        expect(retries === 100 && answers.some(({ metadata }) => metadata === null)).toBe(false)
      }),
      { numRuns: 150 },
    )
  })
})
