import { Controller } from '@nestjs/common'
import { Ctx, type KafkaContext, MessagePattern, Payload, RpcException } from '@nestjs/microservices'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { uniqueNamespace } from '@rivulet/testing'
import { concat, EMPTY, lastValueFrom, type Observable, of, throwError, timeout, toArray } from 'rxjs'
import {
  type Application,
  describeOnBoth,
  pendingRequests,
  readTopic,
  startApplication,
} from '../../spec-support/drop-in.js'

const prefix = uniqueNamespace('requests')
const topic = (name: string): string => `${prefix}.${name}`

const ANSWERS: Readonly<Record<string, unknown>> = {
  number: 12,
  zero: 0,
  boolean: true,
  text: 'text',
  'empty text': '',
  object: { a: [1, 'b'] },
  array: [{ a: 1 }],
  null: null,
  undefined,
  'text that is JSON': '{"a":1}',
  envelope: { key: 'k', value: { inner: 1 }, headers: { extra: 'header' } },
}

/** How often the handler `counted` was called. */
let asked = 0

@Controller()
class Answering {
  @MessagePattern(topic('echo'))
  echo(@Payload() payload: unknown): unknown {
    return { payload, type: payload === null ? 'null' : typeof payload }
  }

  @MessagePattern(topic('answer'))
  answer(@Payload() which: string): unknown {
    return ANSWERS[which]
  }

  @MessagePattern(topic('promise'))
  async promise(): Promise<string> {
    return 'promised'
  }

  @MessagePattern(topic('stream'))
  stream(): Observable<number> {
    return of(1, 2, 3)
  }

  @MessagePattern(topic('promised-stream'))
  async promisedStream(): Promise<Observable<string>> {
    return of('a', 'b')
  }

  @MessagePattern(topic('nothing'))
  nothing(): Observable<never> {
    return EMPTY
  }

  @MessagePattern(topic('failing'))
  failing(@Payload() how: string): unknown {
    if (how === 'text') throw new RpcException('a text')
    if (how === 'object') throw new RpcException({ code: 17, reason: 'an object' })
    if (how === 'error') throw new Error('secret')
    if (how === 'promise') return Promise.reject(new RpcException('from a promise'))
    return concat(
      of('before'),
      throwError(() => new RpcException('from a stream')),
    )
  }

  @MessagePattern(topic('counted'))
  counted(): number {
    return ++asked
  }

  @MessagePattern(topic('headers'))
  headers(@Ctx() context: KafkaContext): unknown {
    return context.getMessage().headers
  }

  @MessagePattern(new RegExp(`^${prefix}\\.(regexp|both)\\.`))
  regexp(@Ctx() context: KafkaContext): string {
    return `the first expression: ${context.getTopic().slice(prefix.length + 1)}`
  }

  @MessagePattern(new RegExp(`^${prefix}\\.both\\.`))
  second(): string {
    return 'the second expression'
  }

  @MessagePattern(topic('regexp.exact'))
  exact(): string {
    return 'the exact pattern'
  }
}

const NAMES = [
  ...['echo', 'answer', 'promise', 'stream', 'promised-stream', 'nothing', 'failing', 'headers', 'counted'],
  ...['regexp.some', 'regexp.exact', 'both.some', 'unserved'],
]

describeOnBoth('requests and replies', prefix, (target) => {
  let application: Application
  beforeAll(async () => {
    const topics = NAMES.map(topic)
    application = await startApplication(target, { topics, asks: topics, controllers: [Answering] })
  })
  afterAll(() => application.close())

  /** All that comes as an answer. */
  const ask = (name: string, data: unknown = ''): Promise<unknown[]> =>
    lastValueFrom(application.client.send<unknown>(topic(name), data).pipe(timeout(8000), toArray()))
  /** What the answer fails with. */
  const failureOf = async (request: Promise<unknown>): Promise<unknown> => {
    try {
      await request
    } catch (error) {
      return error
    }
    throw new Error('It did not fail')
  }

  it.each([
    ['a number as text', 12, { payload: '12', type: 'string' }],
    ['a text', 'text', { payload: 'text', type: 'string' }],
    ['an object', { a: { b: [1] } }, { payload: { a: { b: [1] } }, type: 'object' }],
    ['an array', [1, 'two'], { payload: [1, 'two'], type: 'object' }],
    ['a text that is an object in JSON as that object', '{"a":1}', { payload: { a: 1 }, type: 'object' }],
    ['a text that only begins like JSON as it is', '{a', { payload: '{a', type: 'string' }],
    ['the value of an object with key and value', { key: 'k', value: { a: 1 } }, { payload: { a: 1 }, type: 'object' }],
    ['a Buffer as text', Buffer.from('bytes'), { payload: 'bytes', type: 'string' }],
  ])('hands the handler %s', async (_, sent, received) => {
    expect(await ask('echo', sent)).toEqual([received])
  })

  it.each([
    ['number', '12'],
    ['zero', '0'],
    ['boolean', 'true'],
    ['text', 'text'],
    ['empty text', ''],
    ['object', { a: [1, 'b'] }],
    ['array', [{ a: 1 }]],
    ['null', null],
    ['undefined', null],
    ['text that is JSON', { a: 1 }],
    ['envelope', { inner: 1 }],
  ])('answers with what the handler returned: %s', async (which, received) => {
    expect(await ask('answer', which)).toEqual([received])
  })

  it('answers with what a promise gives', async () => {
    expect(await ask('promise')).toEqual(['promised'])
  })

  it('answers with each value of a stream, in order, and completes', async () => {
    expect(await ask('stream')).toEqual(['1', '2', '3'])
    expect(await ask('promised-stream')).toEqual(['a', 'b'])
  })

  it('answers with null where the stream is empty', async () => {
    expect(await ask('nothing')).toEqual([null])
  })

  it.each([
    ['a text of RpcException', 'text', 'a text'],
    ['an object of RpcException', 'object', { code: 17, reason: 'an object' }],
    ['an error of another kind, which stays secret', 'error', 'Internal server error'],
    ['a rejected promise', 'promise', 'from a promise'],
  ])('fails with %s', async (_, how, failure) => {
    expect(await failureOf(ask('failing', how))).toEqual(
      typeof failure === 'string' ? { status: 'error', message: failure } : failure,
    )
  })

  it('gives what a stream gave before it failed', async () => {
    const values: unknown[] = []
    const answers = application.client.send<unknown>(topic('failing'), 'stream')
    const failure = await failureOf(
      new Promise((resolve, reject) =>
        answers.subscribe({ next: (value) => values.push(value), error: reject, complete: () => resolve(null) }),
      ),
    )
    expect(values).toEqual(['before'])
    expect(failure).toEqual({ status: 'error', message: 'from a stream' })
  })

  it('sends headers of the request along, and those that the reply needs', async () => {
    const [headers] = await ask('headers', { value: 'x', headers: { mine: 'header' } })
    expect(headers).toEqual({
      mine: 'header',
      kafka_correlationId: expect.any(String),
      kafka_replyTopic: `${topic('headers')}.reply`,
      kafka_replyPartition: expect.stringMatching(/^\d+$/),
    })
  })

  it('writes replies as others read them: to the partition asked for, with the correlation id, the end and the error', async () => {
    await ask('stream')
    await failureOf(ask('failing', 'text'))
    const requests = await readTopic(target, topic('stream'), 1)
    const id = requests[0]?.headers['kafka_correlationId']
    const partition = Number(requests[0]?.headers['kafka_replyPartition'])
    const replies = await readTopic(target, `${topic('stream')}.reply`, 3)
    expect(replies.map(({ value, headers, partition: at }) => ({ value, headers, at }))).toEqual([
      { value: '1', headers: { kafka_correlationId: id }, at: partition },
      { value: '2', headers: { kafka_correlationId: id }, at: partition },
      { value: '3', headers: { kafka_correlationId: id, 'kafka_nest-is-disposed': '\0' }, at: partition },
    ])
    const [failed] = await readTopic(target, `${topic('failing')}.reply`, 1)
    expect(failed).toMatchObject({
      value: null,
      headers: {
        kafka_correlationId: expect.any(String),
        'kafka_nest-err': '{"status":"error","message":"a text"}',
        'kafka_nest-is-disposed': '\0',
      },
    })
  })

  it('finds a handler by the exact pattern first, then by the first expression that fits', async () => {
    expect(await ask('regexp.exact')).toEqual(['the exact pattern'])
    expect(await ask('regexp.some')).toEqual(['the first expression: regexp.some'])
    expect(await ask('both.some')).toEqual(['the first expression: both.some'])
  })

  it('asks only when somebody subscribes, and once for each who does', async () => {
    asked = 0
    const answers = application.client.send<unknown>(topic('counted'), '').pipe(toArray())
    expect(asked).toBe(0)
    await Promise.all([lastValueFrom(answers), lastValueFrom(answers)])
    expect(asked).toBe(2)
  })

  it('forgets a request that was given up', async () => {
    const answers = application.client.send<unknown>(topic('unserved'), '').pipe(timeout(300))
    await expect(lastValueFrom(answers)).rejects.toThrow('Timeout')
    expect(pendingRequests(application.client)).toBe(0)
  })

  it.each([
    ['no pattern', null, 'data'],
    ['no data', topic('echo'), undefined],
  ])('refuses a request with %s', async (_, pattern, data) => {
    await expect(lastValueFrom(application.client.send(pattern, data))).rejects.toThrow(
      'invalid data or message pattern',
    )
  })

  it('refuses a request whose reply topic was not subscribed to', async () => {
    const request = application.client.send(topic('never-subscribed'), 'data')
    await expect(lastValueFrom(request)).rejects.toThrow('did not subscribe to the corresponding reply topic')
  })
})
