import { Controller, Inject, Injectable, Module } from '@nestjs/common'
import { type ClientKafka, EventPattern, Payload } from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type Admin, Kafka, type Producer } from '@rivulet/client'
import { startSingle, testRedisUrl, uniqueNamespace, waitFor } from '@rivulet/testing'
import { lastValueFrom } from 'rxjs'
import {
  getRivuletProducerToken,
  InjectRivulet,
  InjectRivuletAdmin,
  InjectRivuletClient,
  InjectRivuletProducer,
  RivuletModule,
  type RivuletModuleOptions,
  type RivuletOptionsFactory,
  RivuletServer,
} from '../index.js'

const connection = (): RivuletModuleOptions & { namespace: string } => ({
  brokers: [testRedisUrl()],
  namespace: uniqueNamespace('module'),
  logLevel: 0,
})

@Injectable()
class Orders {
  constructor(
    readonly byType: Kafka,
    @InjectRivulet() readonly kafka: Kafka,
    @InjectRivuletProducer() readonly producer: Producer,
    @InjectRivuletAdmin() readonly admin: Admin,
  ) {}

  async place(): Promise<string[]> {
    await this.producer.send({ topic: 'orders', messages: [{ value: 'tea' }] })
    return this.admin.listTopics()
  }
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const application of open.splice(0)) await application.close()
})

describe('RivuletModule.forRoot', () => {
  it('gives a client, and a producer and an admin that are connected, to every module', async () => {
    @Module({ providers: [Orders], exports: [Orders] })
    class OrdersModule {}
    const module = await Test.createTestingModule({
      imports: [RivuletModule.forRoot(connection()), OrdersModule],
    }).compile()
    open.push(module)
    const orders = module.get(Orders)
    expect(orders.byType).toBe(module.get(Kafka))
    expect(orders.kafka).toBe(orders.byType)
    expect(await orders.place()).toEqual(['orders'])
  })

  it('keeps connections of several names apart', async () => {
    const module = await Test.createTestingModule({
      imports: [RivuletModule.forRoot(connection()), RivuletModule.forRoot({ name: 'other', ...connection() })],
      providers: [Orders],
    }).compile()
    open.push(module)
    await module.get(Orders).place()
    const other = module.get<Kafka>('rivulet:other:kafka').admin()
    await other.connect()
    expect(await other.listTopics()).toEqual([])
    await other.disconnect()
  })

  it('disconnects when the application has ended, after the hooks of all others', async () => {
    @Injectable()
    class Farewell {
      sent: unknown

      constructor(@InjectRivuletProducer() private readonly producer: Producer) {}

      async beforeApplicationShutdown(): Promise<void> {
        this.sent = await this.producer.send({ topic: 'farewells', messages: [{ value: 'bye' }] })
      }
    }
    const module = await Test.createTestingModule({
      imports: [RivuletModule.forRoot(connection())],
      providers: [Farewell],
    }).compile()
    const [farewell, producer] = [module.get(Farewell), module.get<Producer>(getRivuletProducerToken())]
    await module.init()
    await module.close()
    expect(farewell.sent).toMatchObject([{ topicName: 'farewells', errorCode: 0 }])
    await expect(producer.send({ topic: 'farewells', messages: [{ value: 'late' }] })).rejects.toThrow('disconnected')
  })

  it('keeps the application from starting where Redis cannot be reached', async () => {
    const redis = await startSingle()
    await redis.stop()
    const options = { ...connection(), brokers: [redis.url], retry: { retries: 0 } }
    const building = Test.createTestingModule({ imports: [RivuletModule.forRoot(options)] }).compile()
    await expect(building).rejects.toThrow('ECONNREFUSED')
  })
})

describe('RivuletModule.forRootAsync', () => {
  @Injectable()
  class Settings implements RivuletOptionsFactory {
    async createRivuletOptions(): Promise<RivuletModuleOptions> {
      return connection()
    }
  }
  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  it.each([
    ['a factory', { useFactory: async () => connection() }],
    [
      'a factory with what it injects',
      {
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: (settings: Settings) => settings.createRivuletOptions(),
      },
    ],
    ['a class', { useClass: Settings }],
    ['a provider that exists', { imports: [SettingsModule], useExisting: Settings }],
  ])('takes the options from %s', async (_, options) => {
    const module = await Test.createTestingModule({
      imports: [RivuletModule.forRootAsync(options)],
      providers: [Orders],
    }).compile()
    open.push(module)
    expect(await module.get(Orders).place()).toEqual(['orders'])
  })

  it('says so where nothing gives the options', () => {
    expect(() => RivuletModule.forRootAsync({})).toThrow('useFactory, useClass or useExisting')
  })
})

describe('RivuletModule.forFeature', () => {
  it('gives clients by name, on the connection of forRoot, and closes them with the application', async () => {
    const received: unknown[] = []
    @Controller()
    class Receiver {
      @EventPattern('orders.placed')
      placed(@Payload() order: unknown): void {
        received.push(order)
      }
    }
    @Injectable()
    class Placing {
      constructor(
        @InjectRivuletClient('ORDERS') readonly client: ClientKafka,
        @Inject('ORDERS') readonly same: ClientKafka,
      ) {}
    }
    const root = connection()
    const module = await Test.createTestingModule({
      controllers: [Receiver],
      imports: [RivuletModule.forRoot(root), RivuletModule.forFeature([{ name: 'ORDERS', producerOnlyMode: true }])],
      providers: [Placing],
    }).compile()
    const application = module.createNestApplication({ logger: false })
    application.connectMicroservice({
      strategy: new RivuletServer({ client: root, subscribe: { fromBeginning: true } }),
    })
    await application.startAllMicroservices()
    await application.init()
    open.push(application)

    const { client, same } = application.get(Placing)
    expect(client).toBe(same)
    await lastValueFrom(client.emit('orders.placed', { item: 'tea' }))
    await waitFor(() => received.length > 0, { what: 'the event' })
    expect(received).toEqual([{ item: 'tea' }])
    const { producer } = client
    await application.close()
    await expect(producer.send({ topic: 'orders.placed', messages: [{ value: 'late' }] })).rejects.toThrow(
      'disconnected',
    )
  })
})
