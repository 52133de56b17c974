import { Controller, type INestApplication, Injectable } from '@nestjs/common'
import {
  type ClientKafka,
  Ctx,
  EventPattern,
  KafkaContext,
  MessagePattern,
  Payload,
  type ReadPacket,
} from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
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
  pendingRequests,
  readTopic,
  startApplication,
} from '../../spec-support/drop-in.js'

const prefix = uniqueNamespace('life-cycle')
const topic = (name: string): string => `${prefix}.${name}`

let noted: string[] = []

@Controller()
class Listening {
  @EventPattern<unknown>(topic('event'))
  event(@Payload() payload: unknown): void {
    noted.push(`event ${String(payload)}`)
  }

  @EventPattern<unknown>(topic('slow'))
  async slow(@Ctx() context: KafkaContext): Promise<void> {
    noted.push('slow begins')
    await new Promise((resolve) => setTimeout(resolve, 200))
    noted.push(`slow ends at ${context.getMessage().offset}`)
  }

  @MessagePattern(topic('request'))
  request(@Payload() payload: unknown): unknown {
    return payload
  }
}

@Injectable()
class Hooks {
  onModuleDestroy(): void {
    noted.push('onModuleDestroy')
  }

  beforeApplicationShutdown(): void {
    noted.push('beforeApplicationShutdown')
  }

  onApplicationShutdown(): void {
    noted.push('onApplicationShutdown')
  }
}

describeOnBoth('the life of an application', prefix, (target) => {
  const open: { close(): Promise<void> }[] = []
  beforeAll(() =>
    createTopics(target, ['event', 'slow', 'request', 'request.reply', 'unserved', 'unserved.reply'].map(topic)),
  )
  afterEach(async () => {
    await Promise.all(open.splice(0).map((application) => application.close()))
    noted = []
  })

  async function start(setup: Partial<ApplicationSetup> = {}): Promise<Application> {
    const application = await startApplication(target, { topics: [], controllers: [Listening], ...setup })
    open.push(application)
    return application
  }
  function producing(options: Options = {}): ClientKafka {
    const client = clientOf(target, { producerOnlyMode: true, ...options })
    open.push(client)
    return client
  }
  const emit = (name: string, data: unknown): Promise<unknown> => lastValueFrom(producing().emit(topic(name), data))
  const came = (note: string): Promise<unknown> =>
    waitFor(() => noted.includes(note), { what: `"${note}" among ${noted.join(', ')}` })

  it('a hybrid application serves HTTP and events, and all of its servers serve all handlers', async () => {
    const module = await Test.createTestingModule({ controllers: [Listening], providers: [Hooks] }).compile()
    const app: INestApplication = module.createNestApplication({ logger: false })
    open.push(app)
    app.connectMicroservice(target.server(target.options()))
    app.connectMicroservice(target.server(target.options()))
    await Promise.all([app.startAllMicroservices(), app.listen(0)])
    await emit('event', 'hybrid')
    await waitFor(() => noted.filter((note) => note === 'event hybrid').length === 2, { what: 'the event, twice' })
    expect((await fetch(await app.getUrl())).status).toBe(404)
    await app.close()
    expect(noted.slice(-3)).toEqual(['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'])
  })

  it('closing waits for a handler, and commits what it has done', async () => {
    const application = await start()
    await emit('slow', 'x')
    await came('slow begins')
    await application.close()
    expect(noted.filter((note) => note.startsWith('slow'))).toEqual(['slow begins', 'slow ends at 0'])
    expect(await committedOffset(target, application, topic('slow'))).toBe('1')
  })

  it('status tells of connecting and disconnecting, on both sides', async () => {
    const application = await start({ asks: [topic('request')] })
    const { app, client } = application
    const [server, asking]: string[][] = [[], []]
    app.status.subscribe((status) => server?.push(status))
    client.status.subscribe((status) => asking?.push(status))
    await application.close()
    expect(server).toEqual(['connected', 'stopped', 'disconnected'])
    expect(asking).toEqual(['connected', 'disconnected', 'stopped', 'disconnected'])
  })

  it('unwrap gives the library: its client, and on the server consumer and producer', async () => {
    const { app, client } = await start()
    const [kafka, consumer, producer] = app.unwrap<readonly unknown[]>()
    for (const one of [kafka, client.unwrap()]) {
      expect(one).toMatchObject({ admin: expect.any(Function), producer: expect.any(Function) })
    }
    expect(consumer).toMatchObject({ subscribe: expect.any(Function), events: { CRASH: 'consumer.crash' } })
    expect(producer).toMatchObject({ send: expect.any(Function), events: { CONNECT: 'producer.connect' } })
    expect(() => producing().unwrap()).toThrow('Not initialized')
  })

  it('hooks see what is handled and what is sent', async () => {
    const { server, client } = await start({ asks: [topic('request')] })
    const messageOf = (context: unknown): string =>
      context instanceof KafkaContext ? String(context.getMessage().value) : 'something else'
    const onStart = (_: unknown, context: unknown, done: () => Promise<unknown>): unknown => {
      noted.push(`begins ${messageOf(context)}`)
      return done()
    }
    server.setOnProcessingStartHook(onStart)
    server.setOnProcessingEndHook((_, context) => void noted.push(`ends ${messageOf(context)}`))
    client.setOnDispatchHook(({ data }: ReadPacket<unknown>) => void noted.push(`sends ${String(data)}`))
    await lastValueFrom(client.send(topic('request'), 'hooked').pipe(timeout(8000)))
    await came('ends hooked')
    expect(noted.filter((note) => note.endsWith('hooked'))).toEqual(['sends hooked', 'begins hooked', 'ends hooked'])
  })

  it('a client connects once, and gives its producer', async () => {
    const client = producing()
    const [first, second] = await Promise.all([client.connect(), client.connect()])
    expect(first).toBe(second)
    expect(first).toBe(client.producer)
  })

  it('a client that was closed connects again when it is used', async () => {
    const client = producing()
    await lastValueFrom(client.emit(topic('event'), 'before'))
    const { producer } = client
    await client.close()
    expect(() => client.producer).toThrow('No producer initialized')
    await lastValueFrom(client.emit(topic('event'), 'after'))
    expect(client.producer).not.toBe(producer)
  })

  it('closing a client fails the requests that are under way', async () => {
    const client = clientOf(target)
    client.subscribeToResponseOf(topic('unserved'))
    await client.connect()
    const request = Promise.allSettled([lastValueFrom(client.send(topic('unserved'), 'x'))])
    await readTopic(target, topic('unserved'), 1)
    expect(pendingRequests(client)).toBe(1)
    await client.close()
    expect(await request).toMatchObject([{ status: 'rejected', reason: { message: 'Connection closed' } }])
  })

  it('a client that could not connect can try again', async () => {
    const { brokers } = target.options().client ?? {}
    let isUp = false
    const client = producing({
      client: {
        brokers: () => (isUp && Array.isArray(brokers) ? brokers : ['127.0.0.1:1']),
        retry: { retries: 0 },
        logLevel: 0,
      },
    })
    await expect(lastValueFrom(client.emit(topic('event'), 'x'))).rejects.toThrow('127.0.0.1:1')
    isUp = true
    expect(await lastValueFrom(client.emit(topic('event'), 'x'))).toMatchObject([{ errorCode: 0 }])
  })

  it('an event that no handler is for is logged, and the next one comes', async () => {
    const deserialize = ({ value }: { value: unknown }) => ({
      pattern: value === 'odd' ? 'unheard of' : topic('event'),
      data: value,
    })
    const application = await start({ server: { deserializer: { deserialize } } })
    const note = (message: unknown): unknown => noted.push(String(message))
    application.app.useLogger({ log: note, warn: note, error: note })
    await emit('event', 'odd')
    await emit('event', 'even')
    await came('event even')
    expect(noted.find((note) => note.includes('unheard of'))).toContain('There is no matching event handler')
  })

  it('what neither client nor server supports says so', async () => {
    const { app, client } = await start()
    expect(() => app.on('event', () => undefined)).toThrow('not supported')
    expect(() => client.on('event', () => undefined)).toThrow('not supported')
    expect(() => producing().commitOffsets([])).toThrow('No consumer initialized')
  })
})
