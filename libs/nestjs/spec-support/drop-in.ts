import { afterAll, describe } from '@jest/globals'
import type { INestMicroservice, ModuleMetadata } from '@nestjs/common'
import {
  ClientKafka,
  type ClientProvider,
  ClientProxyFactory,
  ClientsModule,
  type KafkaOptions,
  type MicroserviceOptions,
  ServerKafka,
  Transport,
} from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import * as rivulet from '@rivulet/client'
import { testRedisUrl, uniqueNamespace, waitFor } from '@rivulet/testing'
import kafkajs from 'kafkajs'
import { RivuletClient, RivuletServer } from '../src/index.js'

export type Options = NonNullable<KafkaOptions['options']>

/** The same application, on Nest's own transport with kafkajs and Kafka, or on Rivulet's with Redis. */
export interface Target {
  readonly name: 'Rivulet' | 'Kafka'
  /** Swift options, with a group that nobody else uses; what is given goes before them. */
  options(options?: Options): Options
  server(options: Options): MicroserviceOptions
  client(options: Options): ClientProvider
  /** The library that lies below, as a program uses it. */
  kafka(): kafkajs.Kafka
}

/** Everything happens soon: without these, specs would wait for kafkajs's own pace. */
function swift(brokers: string[], options: Options = {}): Options {
  return {
    ...options,
    client: { brokers, logLevel: 0, retry: { retries: 3, initialRetryTime: 100 }, ...options.client },
    consumer: {
      groupId: uniqueNamespace('group'),
      maxWaitTimeInMs: 50,
      heartbeatInterval: 500,
      sessionTimeout: 10_000,
      retry: { retries: 3, initialRetryTime: 20 },
      ...options.consumer,
    },
    subscribe: { fromBeginning: true, ...options.subscribe },
  }
}

/**
 * Describes what a Nest application sees of the transport, on Rivulet and, where KAFKA_BROKERS names a Kafka, on Nest's own
 * transport: the specification is one, so that it cannot be ours alone.
 *
 * @param prefix of the names of all topics that the specification uses: they are deleted afterwards
 */
export function describeOnBoth(title: string, prefix: string, specify: (target: Target) => void): void {
  const namespace = uniqueNamespace('drop-in')
  const onRedis = { brokers: [testRedisUrl()], namespace }
  const targets: Target[] = [
    {
      name: 'Rivulet',
      options: (options) => swift(onRedis.brokers, options),
      server: (options) => ({
        strategy: new RivuletServer({ ...options, client: { ...onRedis, ...options.client } }),
      }),
      client: (options) => ({
        customClass: RivuletClient,
        options: { ...options, client: { ...onRedis, ...options.client } },
      }),
      kafka: () => new rivulet.Kafka({ ...onRedis, logLevel: 0 }),
    },
  ]
  const brokers = process.env['KAFKA_BROKERS']?.split(',')
  if (brokers !== undefined) {
    process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
    targets.push({
      name: 'Kafka',
      options: (options) => swift(brokers, options),
      server: (options) => ({ transport: Transport.KAFKA, options }),
      client: (options) => ({ transport: Transport.KAFKA, options }),
      kafka: () => new kafkajs.Kafka({ brokers, logLevel: 0 }),
    })
  }
  describe.each(targets)(`${title} (on $name)`, (target) => {
    afterAll(() => deleteTopics(target, prefix))
    specify(target)
  })
}

export interface ApplicationSetup extends Pick<ModuleMetadata, 'controllers' | 'providers'> {
  /** Made before anything starts, of one partition each unless more are asked for. */
  topics: readonly string[]
  partitions?: number
  /** The patterns that the client asks; their reply topics are made, too. */
  asks?: readonly string[]
  server?: Options
  client?: Options
  configure?: (app: INestMicroservice) => void
}

export interface Application {
  readonly app: INestMicroservice
  /** Of that application: injected, and connected. */
  readonly client: ClientKafka
  readonly serverOptions: Options
  readonly server: ServerKafka
  close(): Promise<void>
}

const CLIENT = Symbol('client')

/** Starts a microservice, and a client of it in the same application. */
export async function startApplication(target: Target, setup: ApplicationSetup): Promise<Application> {
  const { topics, partitions = 1, asks = [], controllers = [], providers = [], configure } = setup
  await createTopics(target, [...topics, ...asks.map((pattern) => `${pattern}.reply`)], partitions)
  const serverOptions = target.options(setup.server)
  const module = await Test.createTestingModule({
    imports: [ClientsModule.register([{ name: CLIENT, ...target.client(target.options(setup.client)) }])],
    controllers,
    providers,
  }).compile()
  const app = module.createNestMicroservice({ ...target.server(serverOptions), logger: false })
  configure?.(app)
  const client = app.get<ClientKafka>(CLIENT)
  if (!(client instanceof ClientKafka)) throw new Error('The client is no ClientKafka')
  for (const pattern of asks) client.subscribeToResponseOf(pattern)
  const [listening, connecting] = await Promise.allSettled([app.listen(), client.connect()])
  for (const attempt of [listening, connecting]) {
    if (attempt.status === 'fulfilled') continue
    await app.close()
    throw attempt.reason
  }
  return { app, client, server: serverOf(app), serverOptions, close: () => app.close() }
}

export async function createTopics(target: Target, topics: readonly string[], numPartitions = 1): Promise<void> {
  const admin = target.kafka().admin()
  await admin.connect()
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions })) })
  await admin.disconnect()
}

async function deleteTopics(target: Target, prefix: string): Promise<void> {
  const admin = target.kafka().admin()
  await admin.connect()
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter((topic) => topic.startsWith(prefix)) })
  await admin.disconnect()
}

/** A record as it is stored: what other programs see of it. */
export interface Stored {
  readonly partition: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** The first records of a topic, by a consumer of no Nest. */
export async function readTopic(target: Target, topic: string, count: number): Promise<Stored[]> {
  const consumer = target.kafka().consumer({ groupId: uniqueNamespace('wire'), maxWaitTimeInMs: 50 })
  const stored: Stored[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ partition, message: { key, value, headers = {} } }) => {
      const texts = Object.entries(headers).map(([name, header]) => [name, String(header)] as const)
      stored.push({
        partition,
        key: key === null ? null : String(key),
        value: value === null ? null : String(value),
        headers: Object.fromEntries(texts),
      })
    },
  })
  await waitFor(() => stored.length >= count, { what: `${count} records of ${topic}` })
  await consumer.disconnect()
  return stored.slice(0, count)
}

/** What the application's group has committed of a topic's first partition; '-1' for nothing. */
export async function committedOffset(target: Target, { serverOptions }: Application, topic: string): Promise<string> {
  const admin = target.kafka().admin()
  await admin.connect()
  const groupId = `${serverOptions.consumer?.groupId}-server`
  const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  return offsets?.partitions.find(({ partition }) => partition === 0)?.offset ?? '-1'
}

/** A client that no module knows. Not connected. */
export function clientOf(target: Target, options?: Options): ClientKafka {
  const client = ClientProxyFactory.create(target.client(target.options(options)))
  if (!(client instanceof ClientKafka)) throw new Error('The client is no ClientKafka')
  return client
}

function serverOf(app: INestMicroservice): ServerKafka {
  const server: unknown = Reflect.get(app, 'serverInstance')
  if (!(server instanceof ServerKafka)) throw new Error('The server is no ServerKafka')
  return server
}

/** How many requests a client waits for. */
export function pendingRequests(client: ClientKafka): number {
  const pending: unknown = Reflect.get(client, 'routingMap')
  if (!(pending instanceof Map)) throw new Error('The client keeps its requests elsewhere')
  return pending.size
}
