import { Controller } from '@nestjs/common'
import {
  type ClientKafka,
  Ctx,
  EventPattern,
  KafkaContext,
  KafkaHeaders,
  MessagePattern,
  Payload,
} from '@nestjs/microservices'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { uniqueNamespace, waitFor } from '@rivulet/testing'
import { lastValueFrom } from 'rxjs'
import {
  type Application,
  committedOffset,
  describeOnBoth,
  readTopic,
  startApplication,
} from '../../spec-support/drop-in.js'

const prefix = uniqueNamespace('context')
const topic = (name: string): string => `${prefix}.${name}`

let contexts: KafkaContext[] = []

@Controller()
class WithContext {
  @EventPattern<unknown>(topic('event'))
  event(@Ctx() context: KafkaContext): void {
    contexts.push(context)
  }

  @MessagePattern(topic('request'))
  async request(@Payload() data: string, @Ctx() context: KafkaContext): Promise<string> {
    contexts.push(context)
    await context.getHeartbeat()()
    await context.getProducer().send({ topic: topic('forwarded'), messages: [{ value: `forwarded ${data}` }] })
    return 'answer'
  }

  @EventPattern<unknown>(topic('by-hand'))
  async byHand(@Ctx() context: KafkaContext): Promise<void> {
    const { offset } = context.getMessage()
    const next = String(Number(offset) + 1)
    const done = { topic: context.getTopic(), partition: context.getPartition(), offset: next }
    await context.getConsumer().commitOffsets([done])
    contexts.push(context)
  }

  @EventPattern<unknown>(topic('paused'))
  paused(@Ctx() context: KafkaContext): void {
    contexts.push(context)
    context.getConsumer().pause([{ topic: topic('paused') }])
  }
}

describeOnBoth('KafkaContext', prefix, (target) => {
  let application: Application
  let client: ClientKafka
  beforeAll(async () => {
    application = await startApplication(target, {
      topics: ['event', 'request', 'forwarded', 'by-hand', 'paused'].map(topic),
      asks: [topic('request')],
      controllers: [WithContext],
      server: { run: { autoCommit: false } },
    })
    client = application.client
  })
  afterAll(() => application.close())

  async function emit(name: string, data: unknown): Promise<KafkaContext> {
    contexts = []
    await lastValueFrom(client.emit(topic(name), data))
    await waitFor(() => contexts.length > 0, { what: 'the event' })
    const [context] = contexts
    if (context === undefined) throw new Error('There is no context')
    return context
  }

  it('has the message, topic and partition', async () => {
    const before = Date.now()
    const context = await emit('event', { key: 'k', value: { a: 1 }, headers: { h: 'x' } })
    expect(context).toBeInstanceOf(KafkaContext)
    expect(context.getTopic()).toBe(topic('event'))
    expect(context.getPartition()).toBe(0)
    const message = context.getMessage()
    expect(message).toMatchObject({
      key: 'k',
      value: { a: 1 },
      headers: { h: 'x' },
      offset: expect.stringMatching(/^\d+$/),
      timestamp: expect.stringMatching(/^\d+$/),
      attributes: 0,
      topic: topic('event'),
      partition: 0,
    })
    expect(Math.abs(Number(message.timestamp) - before)).toBeLessThan(60_000)
  })

  it('has its arguments in their order', async () => {
    const context = await emit('event', 'x')
    expect(context.getArgs()).toEqual([
      context.getMessage(),
      context.getPartition(),
      context.getTopic(),
      context.getConsumer(),
      context.getHeartbeat(),
      context.getProducer(),
    ])
    expect(context.getArgByIndex(2)).toBe(topic('event'))
  })

  it('has dense offsets', async () => {
    const first = await emit('event', 'x')
    const second = await emit('event', 'y')
    expect(Number(second.getMessage().offset)).toBe(Number(first.getMessage().offset) + 1)
  })

  it('has null for a key and no headers where there are none', async () => {
    const message = (await emit('event', 'x')).getMessage()
    expect(message.key).toBeNull()
    expect(message.headers).toEqual({})
  })

  it('has a heartbeat to call and a producer to send with', async () => {
    client.subscribeToResponseOf(topic('request'))
    expect(await lastValueFrom(client.send<unknown>(topic('request'), 'data'))).toBe('answer')
    expect(await readTopic(target, topic('forwarded'), 1)).toMatchObject([{ value: 'forwarded data' }])
  })

  it('has the headers of a request', async () => {
    contexts = []
    await lastValueFrom(client.send<unknown>(topic('request'), 'data'))
    expect(contexts[0]?.getMessage().headers).toHaveProperty(KafkaHeaders.CORRELATION_ID)
  })

  it('has a consumer that commits', async () => {
    const context = await emit('by-hand', 'x')
    const committed = await committedOffset(target, application, topic('by-hand'))
    expect(committed).toBe(String(Number(context.getMessage().offset) + 1))
  })

  it('has a consumer that pauses and resumes', async () => {
    const context = await emit('paused', 'first')
    await lastValueFrom(client.emit(topic('paused'), 'second'))
    await emit('event', 'another topic goes on')
    expect(context.getConsumer().paused()).toEqual([{ topic: topic('paused'), partitions: [0] }])
    contexts = []
    context.getConsumer().resume([{ topic: topic('paused') }])
    await waitFor(() => contexts.length > 0, { what: 'the second event' })
  })
})
