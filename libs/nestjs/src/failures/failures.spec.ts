import { Controller, type INestMicroservice, UsePipes, ValidationPipe } from '@nestjs/common'
import {
  Ctx,
  EventPattern,
  type KafkaContext,
  KafkaRetriableException,
  MessagePattern,
  Payload,
  RpcException,
} from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Kafka } from '@rivulet/client'
import { testRedisUrl, uniqueNamespace, waitFor } from '@rivulet/testing'
import { IsInt } from 'class-validator'
import { lastValueFrom, timeout } from 'rxjs'
import { ack, RivuletClient, RivuletExceptionFilter, RivuletServer, type RivuletServerOptions } from '../index.js'

let calls: string[] = []

class Order {
  @IsInt() declare pieces: number
}

@Controller()
class Failing {
  @EventPattern<unknown>('poisoned')
  poisoned(@Payload() data: string): void {
    calls.push(data)
    if (data === 'error') throw new Error('always')
    if (data === 'final') throw new RpcException({ message: 'not again', retriable: false })
  }

  @EventPattern<unknown>('validated')
  @UsePipes(new ValidationPipe())
  validated(@Payload() order: Order): void {
    calls.push(`${order.pieces} pieces`)
  }

  @MessagePattern('asked')
  asked(@Payload() data: string): string {
    calls.push(data)
    throw new KafkaRetriableException('busy')
  }

  @EventPattern<unknown>('acknowledged')
  async acknowledged(@Payload() data: string, @Ctx() context: KafkaContext): Promise<void> {
    calls.push(data)
    if (data === 'error') throw new Error('always')
    if (data === 'done') await ack(context)
  }
}

describe('failures', () => {
  const connection = { brokers: [testRedisUrl()], namespace: uniqueNamespace('failures') }
  const client = { ...connection, logLevel: 0 as const }
  const kafka = new Kafka(client)
  const [admin, producer] = [kafka.admin(), kafka.producer()]
  const open: { close(): Promise<void> }[] = []
  let groupId: string

  beforeAll(() => Promise.all([admin.connect(), producer.connect()]))
  afterEach(async () => {
    await Promise.all(open.splice(0).map((application) => application.close()))
    await admin.deleteTopics({ topics: await admin.listTopics() })
    calls = []
  })
  afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]))

  async function start(
    options: RivuletServerOptions,
    configure?: (app: INestMicroservice) => void,
  ): Promise<INestMicroservice> {
    const module = await Test.createTestingModule({ controllers: [Failing] }).compile()
    groupId = options.consumer?.groupId ?? uniqueNamespace('group')
    const strategy = new RivuletServer({
      client,
      subscribe: { fromBeginning: true },
      ...options,
      consumer: { groupId, retry: { initialRetryTime: 10 }, ...options.consumer },
    })
    const app = module.createNestMicroservice({ strategy, logger: false })
    configure?.(app)
    await app.listen()
    open.push(app)
    return app
  }
  const came = (count: number): Promise<unknown> =>
    waitFor(() => calls.length >= count, { what: `${count} calls of handlers` })
  const send = (topic: string, ...values: string[]): Promise<unknown> =>
    producer.send({ topic, messages: values.map((value) => ({ key: 'k', value, headers: { mine: 'header' } })) })

  /** The first dead letter of a topic, its headers as text. */
  async function deadLetter(topic: string): Promise<Record<string, unknown>> {
    await waitFor(async () => (await admin.listTopics()).includes(topic), { what: topic })
    const consumer = kafka.consumer({ autoOffsetReset: 'earliest' })
    const letters: Record<string, unknown>[] = []
    consumer.assign([{ topic, partition: 0 }])
    await consumer.run({
      eachMessage: async ({ message: { key, value, headers = {} } }) => {
        const texts = Object.entries(headers).map(([name, header]) => [name, String(header)])
        letters.push({ key: String(key), value: String(value), headers: Object.fromEntries(texts) })
      },
    })
    await waitFor(() => letters.length > 0, { what: `a record of ${topic}` })
    await consumer.disconnect()
    return letters[0] ?? {}
  }
  async function committed(topic: string): Promise<string | undefined> {
    const [offsets] = await admin.fetchOffsets({ groupId: `${groupId}-server`, topics: [topic] })
    return offsets?.partitions[0]?.offset
  }

  it('give a message up after so many attempts: it becomes a dead letter, and the next one comes', async () => {
    await start({ failures: { attempts: 3 } })
    await send('poisoned', 'error', 'next')
    await came(4)
    expect(calls).toEqual(['error', 'error', 'error', 'next'])
    expect(await deadLetter('poisoned.dlt')).toEqual({
      key: 'k',
      value: 'error',
      headers: {
        mine: 'header',
        'kafka_dlt-original-topic': 'poisoned',
        'kafka_dlt-original-partition': '0',
        'kafka_dlt-original-offset': '0',
        'kafka_dlt-original-timestamp': expect.stringMatching(/^\d+$/),
        'kafka_dlt-original-consumer-group': `${groupId}-server`,
        'kafka_dlt-exception-fqcn': 'Error',
        'kafka_dlt-exception-message': 'Internal server error',
        kafka_deliveryAttempt: '3',
      },
    })
  })

  it('give a message up at once where no attempt can help', async () => {
    await start({ failures: {} })
    await send('poisoned', 'final', 'next')
    await came(2)
    expect(calls).toEqual(['final', 'next'])
    const { headers } = await deadLetter('poisoned.dlt')
    expect(headers).toMatchObject({ 'kafka_dlt-exception-message': 'not again', kafka_deliveryAttempt: '1' })
  })

  it('tell of the error itself, and of a failed validation at once, where the filter is in place', async () => {
    await start({ failures: {} }, (app) => app.useGlobalFilters(new RivuletExceptionFilter()))
    await send('validated', '{"pieces":"many"}', '{"pieces":3}')
    await came(1)
    expect(calls).toEqual(['3 pieces'])
    const { headers } = await deadLetter('validated.dlt')
    expect(headers).toMatchObject({
      'kafka_dlt-exception-fqcn': 'BadRequestException',
      'kafka_dlt-exception-stacktrace': expect.stringContaining('ValidationPipe'),
      kafka_deliveryAttempt: '1',
    })
  })

  it('go on counting after a restart', async () => {
    const slow = { retry: { initialRetryTime: 30_000 } }
    const first = await start({ failures: { attempts: 3 }, consumer: { groupId: uniqueNamespace('group'), ...slow } })
    await send('poisoned', 'error', 'next')
    await came(1)
    await first.close()
    await start({ failures: { attempts: 3 }, consumer: { groupId } })
    await came(4)
    expect(calls).toEqual(['error', 'error', 'error', 'next'])
    expect(await deadLetter('poisoned.dlt')).toMatchObject({ headers: { kafka_deliveryAttempt: '3' } })
  })

  it('pass a message over where there are to be no dead letters', async () => {
    await start({ failures: { attempts: 2, deadLetterTopic: false } })
    await send('poisoned', 'error', 'next')
    await came(3)
    expect(calls).toEqual(['error', 'error', 'next'])
    expect(await admin.listTopics()).not.toContain('poisoned.dlt')
  })

  it('send dead letters to the topic that is named', async () => {
    await start({ failures: { attempts: 1, deadLetterTopic: (topic) => `dead-${topic}` } })
    await send('poisoned', 'error')
    expect(await deadLetter('dead-poisoned')).toMatchObject({ value: 'error' })
  })

  it('bury a message that cannot be deserialized', async () => {
    const deserialize = ({ value }: { value: unknown }) => {
      if (value === 'broken') throw new SyntaxError('unreadable')
      return { pattern: 'poisoned', data: value }
    }
    await start({ failures: { attempts: 2 }, deserializer: { deserialize } })
    await send('poisoned', 'broken', 'next')
    await came(1)
    expect(calls).toEqual(['next'])
    const { headers } = await deadLetter('poisoned.dlt')
    expect(headers).toMatchObject({ 'kafka_dlt-exception-fqcn': 'SyntaxError', kafka_deliveryAttempt: '2' })
  })

  it('answer a request that was given up with its error, and bury nothing', async () => {
    await start({ failures: { attempts: 2 } })
    const asking = new RivuletClient({ client })
    open.push(asking)
    asking.subscribeToResponseOf('asked')
    const request = lastValueFrom(asking.send('asked', 'x').pipe(timeout(8000)))
    await expect(request).rejects.toEqual({ status: 'error', message: 'busy' })
    expect(calls).toEqual(['x', 'x'])
    expect(await admin.listTopics()).not.toContain('asked.dlt')
  })

  it('commit what was given up where nothing else is committed', async () => {
    await start({ failures: { attempts: 2 }, run: { autoCommit: false } })
    await send('acknowledged', 'error', 'not yet')
    await came(3)
    await waitFor(async () => (await committed('acknowledged')) === '1', { what: 'the commit' })
    expect(calls).toEqual(['error', 'error', 'not yet'])
  })

  it('refuse an option that is wrong', () => {
    expect(() => new RivuletServer({ failures: { attempts: 0 } })).toThrow('failures.attempts')
  })

  it('are no part of ack, which commits a message and those before it', async () => {
    await start({ run: { autoCommit: false } })
    await send('acknowledged', 'not yet', 'done', 'not yet')
    await came(3)
    await waitFor(async () => (await committed('acknowledged')) === '2', { what: 'the commit' })
    expect(await committed('acknowledged')).toBe('2')
  })
})
