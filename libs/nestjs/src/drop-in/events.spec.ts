import { Controller } from '@nestjs/common'
import {
  Ctx,
  EventPattern,
  type KafkaContext,
  KafkaRetriableException,
  MessagePattern,
  Payload,
} from '@nestjs/microservices'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { uniqueNamespace, waitFor } from '@rivulet/testing'
import { EMPTY, lastValueFrom, type Observable, of, throwError } from 'rxjs'
import {
  type Application,
  committedOffset,
  describeOnBoth,
  readTopic,
  startApplication,
} from '../../spec-support/drop-in.js'

const prefix = uniqueNamespace('events')
const topic = (name: string): string => `${prefix}.${name}`

interface Received {
  readonly handler: string
  readonly payload: unknown
  readonly message: ReturnType<KafkaContext['getMessage']>
}

let received: Received[] = []
/** How many more times the handlers that can fail will do so. */
let failuresLeft = 0

function note(handler: string, payload: unknown, context: KafkaContext): void {
  received.push({ handler, payload, message: context.getMessage() })
}

function failWhileWanted(error: Error): void {
  if (failuresLeft-- > 0) throw error
}

@Controller()
class Listening {
  @EventPattern<unknown>(topic('noted'))
  noted(@Payload() payload: unknown, @Ctx() context: KafkaContext): void {
    note('noted', payload, context)
  }

  @EventPattern<unknown>(topic('several'))
  first(@Payload() payload: unknown, @Ctx() context: KafkaContext): void {
    note('first', payload, context)
  }

  @EventPattern<unknown>(topic('several'))
  async second(@Payload() payload: unknown, @Ctx() context: KafkaContext): Promise<void> {
    note('second', payload, context)
  }

  @EventPattern<unknown>(topic('several'))
  third(@Payload() payload: unknown, @Ctx() context: KafkaContext): Observable<number> {
    note('third', payload, context)
    return of(1, 2)
  }

  @EventPattern<unknown>(topic('error'))
  error(@Payload() payload: unknown, @Ctx() context: KafkaContext): void {
    note('error', payload, context)
    failWhileWanted(new Error('wanted'))
  }

  @EventPattern<unknown>(topic('retriable'))
  async retriable(@Payload() payload: unknown, @Ctx() context: KafkaContext): Promise<void> {
    note('retriable', payload, context)
    failWhileWanted(new KafkaRetriableException('wanted'))
  }

  @EventPattern<unknown>(topic('failing-stream'))
  failingStream(@Payload() payload: unknown, @Ctx() context: KafkaContext): Observable<unknown> {
    note('failing-stream', payload, context)
    return failuresLeft-- > 0 ? throwError(() => new Error('wanted')) : of('done')
  }

  @EventPattern<unknown>(topic('empty-stream'))
  emptyStream(@Payload() payload: unknown, @Ctx() context: KafkaContext): Observable<unknown> {
    note('empty-stream', payload, context)
    return failuresLeft-- > 0 ? EMPTY : of('done')
  }

  @MessagePattern(topic('message'))
  message(@Payload() payload: unknown, @Ctx() context: KafkaContext): string {
    note('message', payload, context)
    return 'nobody waits for this'
  }

  @MessagePattern(topic('retried-request'))
  retriedRequest(@Payload() payload: unknown, @Ctx() context: KafkaContext): string {
    note('retried-request', payload, context)
    failWhileWanted(new KafkaRetriableException('wanted'))
    return 'answered'
  }

  @EventPattern(new RegExp(`^${prefix}\\.regexp\\.`))
  regexp(@Payload() payload: unknown, @Ctx() context: KafkaContext): void {
    note('regexp', payload, context)
  }
}

const TOPICS = [
  ...['noted', 'several', 'error', 'retriable', 'failing-stream', 'empty-stream', 'message', 'retried-request'],
  ...['regexp.some', 'unheard', 'other'],
].map(topic)

describeOnBoth('events', prefix, (target) => {
  let application: Application
  beforeAll(async () => {
    application = await startApplication(target, {
      topics: TOPICS,
      partitions: 3,
      asks: [topic('retried-request')],
      controllers: [Listening],
    })
  })
  afterAll(() => application.close())

  /** Emits, and gives what came to the handlers, as soon as it is so much. */
  async function emit(name: string, data: unknown, count = 1): Promise<Received[]> {
    received = []
    await lastValueFrom(application.client.emit(topic(name), data))
    return comeOf(count)
  }
  async function comeOf(count: number): Promise<Received[]> {
    await waitFor(() => received.length >= count, { what: `${count} calls of handlers` })
    return received
  }

  it('gives handlers the value', async () => {
    const [event] = await emit('noted', { a: 1 })
    expect(event).toMatchObject({ handler: 'noted', payload: { a: 1 } })
  })

  it('resolves with where the event was stored', async () => {
    received = []
    const stored: unknown = await lastValueFrom(application.client.emit(topic('noted'), { key: 'k', value: 'v' }))
    const [event] = await comeOf(1)
    expect(stored).toMatchObject([
      { topicName: topic('noted'), partition: expect.any(Number), errorCode: 0, baseOffset: event?.message.offset },
    ])
  })

  it('sends key, headers, partition and timestamp along', async () => {
    const timestamp = '1700000000123'
    const event = { key: 'k', value: 'v', headers: { a: 'b', c: ['d', 'e'] }, partition: 2, timestamp }
    const [{ message } = { message: null }] = await emit('noted', event)
    expect(message).toMatchObject({ key: 'k', value: 'v', partition: 2, timestamp, topic: topic('noted') })
    expect(message?.headers).toEqual({ a: 'b', c: 'd,e' })
  })

  it('gives handlers the whole message of a tombstone', async () => {
    const [event] = await emit('noted', { key: 'gone', value: null })
    expect(event?.payload).toMatchObject({ key: 'gone', value: null, topic: topic('noted') })
  })

  it('reads a key that is JSON as that', async () => {
    const [event] = await emit('noted', { key: '{"id":7}', value: 'v' })
    expect(event?.message.key).toEqual({ id: 7 })
  })

  it('leaves a value that begins with a zero byte as it is', async () => {
    const bytes = Buffer.from([0, 0, 0, 0, 7, 123])
    const [event] = await emit('noted', { value: bytes })
    expect(event?.payload).toEqual(bytes)
  })

  it('puts events of one key into one partition, the one that others choose for it, too', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    const messages = keys.map((key) => ({ key, value: key }))
    received = []
    await lastValueFrom(application.client.emitBatch(topic('noted'), { messages }))
    const batch = new Map(
      (await comeOf(keys.length)).map(({ message }) => [message.key, Reflect.get(message, 'partition')]),
    )
    const producer = target.kafka().producer()
    await producer.connect()
    received = []
    await producer.send({ topic: topic('noted'), messages })
    await producer.disconnect()
    const others = new Map(
      (await comeOf(keys.length)).map(({ message }) => [message.key, Reflect.get(message, 'partition')]),
    )
    expect(batch).toEqual(others)
    expect(new Set(batch.values()).size).toBeGreaterThan(1)
  })

  it('sends a batch in order', async () => {
    received = []
    const messages = [1, 2, 3].map((value) => ({ partition: 1, value: { value } }))
    await lastValueFrom(application.client.emitBatch(topic('noted'), { messages }))
    expect((await comeOf(3)).map(({ payload }) => payload)).toEqual([{ value: 1 }, { value: 2 }, { value: 3 }])
  })

  it('sends nothing for a batch without messages', async () => {
    const sent = application.client.emitBatch(topic('noted'), { messages: [] })
    expect(await lastValueFrom(sent)).toBeUndefined()
  })

  it('sends an event at once, whoever subscribes', async () => {
    received = []
    application.client.emit(topic('noted'), 'unwatched')
    expect(await comeOf(1)).toMatchObject([{ payload: 'unwatched' }])
  })

  it('calls all handlers of one event', async () => {
    const events = await emit('several', 'x', 3)
    expect(events.map(({ handler, payload }) => `${handler} ${String(payload)}`)).toEqual([
      'first x',
      'second x',
      'third x',
    ])
  })

  it('calls a handler by an expression', async () => {
    expect(await emit('regexp.some', 'x')).toMatchObject([{ handler: 'regexp', payload: 'x' }])
  })

  it('calls a message handler for an event, too, and answers nobody', async () => {
    expect(await emit('message', 'x')).toMatchObject([{ handler: 'message', payload: 'x' }])
  })

  it.each([
    ['throws', 'error'],
    ['rejects with KafkaRetriableException', 'retriable'],
    ['gives a stream that fails', 'failing-stream'],
    ['gives a stream that is empty', 'empty-stream'],
  ])('hands an event out again where the handler %s, and goes on when it succeeds', async (_, name) => {
    failuresLeft = 2
    const events = await emit(name, { key: 'k', value: 'again' }, 3)
    expect(new Set(events.map(({ message }) => message.offset)).size).toBe(1)
    expect(await emit(name, { key: 'k', value: 'next' })).toMatchObject([{ payload: 'next' }])
  })

  it('hands a request out again for KafkaRetriableException, and answers once', async () => {
    failuresLeft = 2
    received = []
    const answer: unknown = await lastValueFrom(application.client.send(topic('retried-request'), 'x'))
    expect(answer).toBe('answered')
    expect(received).toHaveLength(3)
  })

  it('commits what its handlers have done', async () => {
    await emit('other', 'not handled', 0)
    await emit('noted', { partition: 0, value: 'last' })
    const offset = Number(received[0]?.message.offset)
    const isCommitted = async () => (await committedOffset(target, application, topic('noted'))) === String(offset + 1)
    expect(await waitFor(isCommitted, { what: `the commit of offset ${offset + 1}` })).toBe(true)
  })

  it('stores events as any other producer would', async () => {
    await lastValueFrom(application.client.emit(topic('unheard'), { key: 'k', value: [1], headers: { h: 'x' } }))
    expect(await readTopic(target, topic('unheard'), 1)).toMatchObject([
      { key: 'k', value: '[1]', headers: { h: 'x' } },
    ])
  })

  it.each([
    ['no pattern', undefined, 'data'],
    ['no data', topic('noted'), null],
  ])('refuses an event with %s', async (_, pattern, data) => {
    await expect(lastValueFrom(application.client.emit(pattern, data))).rejects.toThrow(
      'invalid data or message pattern',
    )
  })
})
