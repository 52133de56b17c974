import { Controller } from '@nestjs/common'
import {
  type ClientKafka,
  Ctx,
  EventPattern,
  type KafkaContext,
  KafkaHeaders,
  MessagePattern,
  Payload,
} from '@nestjs/microservices'
import { afterEach, beforeAll, expect, it } from '@jest/globals'
import { uniqueNamespace, waitFor } from '@rivulet/testing'
import { lastValueFrom, timeout } from 'rxjs'
import {
  type Application,
  type ApplicationSetup,
  clientOf,
  committedOffset,
  createTopics,
  describeOnBoth,
  type Options,
  readTopic,
  startApplication,
} from '../../spec-support/drop-in.js'

const prefix = uniqueNamespace('options')
const topic = (name: string): string => `${prefix}.${name}`

let received: { readonly payload: unknown; readonly message: ReturnType<KafkaContext['getMessage']> }[] = []

@Controller()
class Listening {
  @EventPattern<unknown>(topic('event'))
  event(@Payload() payload: unknown, @Ctx() context: KafkaContext): void {
    received.push({ payload, message: context.getMessage() })
  }

  @MessagePattern(topic('request'))
  request(@Payload() payload: unknown): unknown {
    return payload
  }

  @MessagePattern(topic('mapped'))
  mapped(@Payload() payload: unknown): string {
    return `mapped ${String(payload)}`
  }
}

describeOnBoth('options', prefix, (target) => {
  const open: { close(): Promise<void> }[] = []
  beforeAll(() => createTopics(target, ['event', 'request', 'mapped', 'sent', 'odd'].map(topic)))
  afterEach(async () => {
    received = []
    await Promise.all(open.splice(0).map((application) => application.close()))
  })

  async function start(setup: Partial<ApplicationSetup>): Promise<Application> {
    const application = await startApplication(target, { topics: [], controllers: [Listening], ...setup })
    open.push(application)
    return application
  }
  /** A client without a consumer, unless it is to have one. */
  function producing(options: Options = {}): ClientKafka {
    const client = clientOf(target, { producerOnlyMode: true, ...options })
    open.push(client)
    return client
  }

  it('parser.keepBinary leaves values as bytes, and reads keys and headers all the same', async () => {
    await start({ server: { parser: { keepBinary: true }, subscribe: { fromBeginning: true } } })
    const event = { key: '{"id":1}', value: { a: 1 }, headers: { h: '[1]' } }
    await lastValueFrom(producing().emit(topic('event'), event))
    await waitFor(() => received.length > 0, { what: 'the event' })
    expect(received.at(-1)).toMatchObject({
      payload: Buffer.from('{"a":1}'),
      message: { key: { id: 1 }, headers: { h: [1] } },
    })
  })

  it('subscribe.fromBeginning false reads only what comes later; run.autoCommit false commits nothing', async () => {
    await lastValueFrom(producing().emit(topic('event'), 'before'))
    const application = await start({ server: { subscribe: { fromBeginning: false }, run: { autoCommit: false } } })
    const client = producing()
    await waitFor(
      async () => {
        await lastValueFrom(client.emit(topic('event'), 'after'))
        return received.length > 0
      },
      { what: 'an event' },
    )
    expect(new Set(received.map(({ payload }) => payload))).toEqual(new Set(['after']))
    expect(await committedOffset(target, application, topic('event'))).toBe('-1')
  })

  it('consumer.groupId, and postfixId after it, name the group', async () => {
    const groupId = uniqueNamespace('named')
    const { client } = await start({ server: { consumer: { groupId }, postfixId: '-mine' } })
    const admin = target.kafka().admin()
    await admin.connect()
    const { groups } = await admin.describeGroups([`${groupId}-mine`])
    await admin.disconnect()
    expect(groups).toMatchObject([{ state: 'Stable', members: [{ clientId: 'nestjs-consumer-mine' }] }])
    expect(client.unwrap()).toHaveProperty('producer')
  })

  it('producer.createPartitioner chooses partitions', async () => {
    const name = topic('partitioned')
    await createTopics(target, [name], 3)
    const client = producing({ producer: { createPartitioner: () => () => 2 } })
    await lastValueFrom(client.emit(name, 'x'))
    expect(await readTopic(target, name, 1)).toMatchObject([{ partition: 2, value: 'x' }])
  })

  it('send goes with every message: acks 0 tells nobody where it was stored', async () => {
    const client = producing({ send: { acks: 0 } })
    expect(await lastValueFrom(client.emit<unknown>(topic('sent'), 'x'))).toEqual([])
    expect(await readTopic(target, topic('sent'), 1)).toMatchObject([{ value: 'x' }])
  })

  it('serializer and deserializer may take their time, and know the channel', async () => {
    const channels: unknown[] = []
    const { client } = await start({
      server: {
        deserializer: {
          deserialize: async (message: { value: unknown }, options) => {
            channels.push(options)
            return { pattern: topic('mapped'), data: `read from ${String(message.value)}` }
          },
        },
        serializer: { serialize: async (value) => ({ value: `replied ${value}`, headers: {} }) },
      },
      asks: [topic('request')],
      client: {
        serializer: { serialize: async (value) => ({ value: `sent ${value}`, headers: {} }) },
        deserializer: {
          deserialize: async (message: { value: unknown; headers: Record<string, unknown> }) => ({
            id: String(message.headers[KafkaHeaders.CORRELATION_ID]),
            response: `received ${String(message.value)}`,
            isDisposed: true,
          }),
        },
      },
    })
    const request = client.send<unknown>(topic('request'), 'x').pipe(timeout(8000))
    expect(await lastValueFrom(request)).toBe('received replied mapped read from sent x')
    expect(channels).toContainEqual({ channel: topic('request') })
  })

  it('producerOnlyMode makes no consumer', async () => {
    const client = producing()
    await client.connect()
    expect(() => client.consumer).toThrow('No consumer initialized')
    expect(client.producer).toHaveProperty('send')
  })

  it('answers a request that finds no handler with an error', async () => {
    const { client } = await start({
      server: { deserializer: { deserialize: () => ({ pattern: 'unheard of', data: '' }) } },
      asks: [topic('request')],
    })
    const request = client.send(topic('request'), 'x').pipe(timeout(8000))
    await expect(lastValueFrom(request)).rejects.toContain('There is no matching message handler')
  })

  it('a pattern that is no name of a topic keeps the server from starting', async () => {
    @Controller()
    class Odd {
      @MessagePattern({ cmd: 'odd', at: topic('odd') })
      odd(): void {}
    }
    await expect(startApplication(target, { topics: [], controllers: [Odd] })).rejects.toThrow(/topic/)
  })
})
