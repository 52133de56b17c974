import { Controller, Inject, Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  type AsyncMicroserviceOptions,
  Client,
  type ClientKafka,
  ClientProxyFactory,
  ClientsModule,
  MessagePattern,
  Payload,
} from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import { afterEach, expect, it } from '@jest/globals'
import { testRedisUrl, uniqueNamespace } from '@rivulet/testing'
import { firstValueFrom } from 'rxjs'
import { RivuletClient, type RivuletOptions, RivuletServer } from './index.js'

const client = { brokers: [testRedisUrl()], namespace: uniqueNamespace('ways-in'), logLevel: 0 as const }
const asClient = { customClass: RivuletClient, options: { client } }

@Controller()
class Sums {
  @MessagePattern('sum')
  sum(@Payload() numbers: number[]): number {
    return numbers.reduce((a, b) => a + b)
  }
}

const OPTIONS = Symbol('options')

@Module({ controllers: [Sums], providers: [{ provide: OPTIONS, useValue: { client } }] })
class SumsModule {}

@Injectable()
class Asking {
  @Client(asClient) declare readonly client: ClientKafka

  constructor(
    @Inject('REGISTERED') readonly registered: ClientKafka,
    @Inject('REGISTERED_ASYNC') readonly registeredAsync: ClientKafka,
  ) {}
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const application of open.splice(0)) await application.close()
})

async function answerOf(proxy: ClientKafka): Promise<unknown> {
  proxy.subscribeToResponseOf('sum')
  return firstValueFrom(proxy.send('sum', [1, 2, 3]))
}

it('serves as the strategy of a microservice that is made with its options at hand', async () => {
  const server = await NestFactory.createMicroservice(SumsModule, {
    strategy: new RivuletServer({ client }),
    logger: false,
  })
  open.push(server)
  await server.listen()
  const proxy = new RivuletClient({ client })
  open.push(proxy)
  expect(await answerOf(proxy)).toBe('6')
})

it('serves as the strategy of a microservice whose options are injected', async () => {
  const server = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(SumsModule, {
    inject: [OPTIONS],
    useFactory: (options: RivuletOptions) => ({ strategy: new RivuletServer(options) }),
    logger: false,
  })
  open.push(server)
  await server.listen()
  const proxy = new RivuletClient({ client })
  open.push(proxy)
  expect(await answerOf(proxy)).toBe('6')
})

it('is the client of ClientsModule, of @Client and of ClientProxyFactory', async () => {
  const server = (await Test.createTestingModule({ imports: [SumsModule] }).compile()).createNestMicroservice({
    strategy: new RivuletServer({ client }),
    logger: false,
  })
  open.push(server)
  await server.listen()
  const module = await Test.createTestingModule({
    imports: [
      ClientsModule.register([{ name: 'REGISTERED', ...asClient }]),
      ClientsModule.registerAsync([{ name: 'REGISTERED_ASYNC', useFactory: () => asClient }]),
    ],
    providers: [Asking],
  }).compile()
  const application = module.createNestApplication({ logger: false })
  await application.init()
  open.push(application)
  const asking = application.get(Asking)
  const made = ClientProxyFactory.create(asClient)
  if (!(made instanceof RivuletClient)) throw new Error('ClientProxyFactory made something else')
  open.push(made)
  for (const proxy of [asking.client, asking.registered, asking.registeredAsync, made]) {
    expect(proxy).toBeInstanceOf(RivuletClient)
    expect(await answerOf(proxy)).toBe('6')
  }
})
