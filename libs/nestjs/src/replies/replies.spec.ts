import { Controller } from '@nestjs/common'
import { Ctx, EventPattern, type KafkaContext, MessagePattern, Payload } from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import type { INestMicroservice } from '@nestjs/common'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { ConfigResourceTypes, Kafka } from '@rivulet/client'
import { startSingle, testRedisUrl, uniqueNamespace, waitFor } from '@rivulet/testing'
import { lastValueFrom, timeout } from 'rxjs'
import { pendingRequests } from '../../spec-support/drop-in.js'
import { RivuletClient, type RivuletConnectionOptions, type RivuletOptions, RivuletServer } from '../index.js'

let answered: unknown[] = []

@Controller()
class Answering {
  @MessagePattern('double')
  double(@Payload() number: string): number {
    answered.push(number)
    return Number(number) * 2
  }

  @MessagePattern('partition')
  partition(@Ctx() context: KafkaContext): unknown {
    return context.getMessage().headers?.['kafka_replyPartition']
  }

  @MessagePattern('large')
  large(@Payload() bytes: string): string {
    return 'x'.repeat(Number(bytes))
  }

  @EventPattern<unknown>('event')
  event(): void {}
}

describe('replies', () => {
  const client: RivuletConnectionOptions = {
    brokers: [testRedisUrl()],
    namespace: uniqueNamespace('replies'),
    logLevel: 0,
  }
  const kafka = new Kafka({ brokers: [testRedisUrl()], namespace: String(client.namespace), logLevel: 0 })
  const admin = kafka.admin()
  const open: RivuletClient[] = []
  let server: INestMicroservice

  beforeAll(async () => {
    await admin.connect()
    const module = await Test.createTestingModule({ controllers: [Answering] }).compile()
    const strategy = new RivuletServer({ client, subscribe: { fromBeginning: true } })
    server = module.createNestMicroservice({ strategy, logger: false })
    await server.listen()
  })
  afterEach(() => Promise.all(open.splice(0).map((proxy) => proxy.close())))
  afterAll(() => Promise.all([server.close(), admin.disconnect()]))

  function asking(options: RivuletOptions = {}, ...patterns: string[]): RivuletClient {
    const proxy = new RivuletClient({ client, ...options })
    for (const pattern of patterns) proxy.subscribeToResponseOf(pattern)
    open.push(proxy)
    return proxy
  }
  const ask = (proxy: RivuletClient, pattern: string, data: unknown): Promise<unknown> =>
    lastValueFrom(proxy.send<unknown>(pattern, data).pipe(timeout(8000)))

  it('come to any number of clients, more than the reply topic has partitions', async () => {
    await admin.createTopics({ topics: [{ topic: 'double.reply', numPartitions: 1 }] })
    const clients = Array.from({ length: 12 }, () => asking({}, 'double'))
    const answers = await Promise.all(clients.map((proxy, number) => ask(proxy, 'double', number)))
    expect(answers).toEqual(clients.map((_, number) => String(number * 2)))
  })

  it('come while other clients come and go', async () => {
    const steady = asking({}, 'double')
    const answers: Promise<unknown>[] = []
    for (let number = 0; number < 60; number++) {
      answers.push(ask(steady, 'double', number))
      if (number % 10 === 0) {
        const guest = asking({}, 'double')
        await ask(guest, 'double', number)
        await guest.close()
      }
    }
    expect(await Promise.all(answers)).toEqual(answers.map((_, number) => String(number * 2)))
  })

  it('need no group', async () => {
    await ask(asking({ consumer: { groupId: 'asking' } }, 'double'), 'double', 1)
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toEqual(['nestjs-group-server'])
  })

  it('are spread over the partitions of a topic that the client makes, and kept for minutes only', async () => {
    const proxy = asking({}, 'partition')
    await proxy.connect()
    const [topic] = (await admin.fetchTopicMetadata({ topics: ['partition.reply'] })).topics
    expect(topic?.partitions).toHaveLength(8)
    expect(await ask(proxy, 'partition', '')).toBe(String(proxy.getConsumerAssignments()['partition.reply']))
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: 'partition.reply', configNames: ['retention.ms'] }]
    const described = await admin.describeConfigs({ resources, includeSynonyms: false })
    expect(described.resources[0]?.configEntries).toMatchObject([{ configValue: '300000' }])
  })

  it('can be subscribed to after connecting', async () => {
    const proxy = asking()
    await proxy.connect()
    proxy.subscribeToResponseOf('double')
    expect(await ask(proxy, 'double', 21)).toBe('42')
    proxy.subscribeToResponseOf('partition')
    expect(await ask(proxy, 'partition', '')).toMatch(/^\d$/)
    expect(await ask(proxy, 'double', 4)).toBe('8')
  })

  it('cost nothing before one is needed', async () => {
    const proxy = asking()
    await lastValueFrom(proxy.emit('event', 'x'))
    const connected: unknown[] = []
    proxy.consumer.on('consumer.connect', (event) => connected.push(event))
    await lastValueFrom(proxy.emit('event', 'x'))
    expect(connected).toEqual([])
    proxy.subscribeToResponseOf('double')
    expect(await ask(proxy, 'double', 1)).toBe('2')
    expect(connected).toHaveLength(1)
  })

  it('are read again after closing and connecting again', async () => {
    const proxy = asking({}, 'double')
    expect(await ask(proxy, 'double', 1)).toBe('2')
    await proxy.close()
    expect(await ask(proxy, 'double', 2)).toBe('4')
  })

  it('that nobody waits for any longer leave nothing behind, and no request that was given up is sent', async () => {
    answered = []
    const proxy = asking()
    await proxy.connect()
    proxy.subscribeToResponseOf('double')
    proxy.send('double', 'given up').subscribe().unsubscribe()
    const request = proxy.send('double', 'given up while it waits for the reply topic').subscribe()
    // As far as connect() has come: the request is published, and the reply topic is not read yet.
    await proxy.connect()
    await new Promise((resolve) => setImmediate(resolve))
    request.unsubscribe()
    expect(await ask(proxy, 'double', 3)).toBe('6')
    expect(answered).toEqual(['3'])
    expect(pendingRequests(proxy)).toBe(0)
  })

  it('that are too large become an error', async () => {
    const proxy = asking({}, 'large')
    await expect(ask(proxy, 'large', 2_000_000)).rejects.toMatchObject({
      status: 'error',
      message: expect.stringContaining('reply'),
    })
    expect(await ask(proxy, 'large', 3)).toBe('xxx')
  })

  it('that cannot be deserialized fail their own request, and no other', async () => {
    let isBroken = true
    const deserialize = ({ value, headers }: { value: unknown; headers: Record<string, unknown> }) => {
      if (isBroken) throw new Error('broken')
      return { id: String(headers['kafka_correlationId']), response: value, isDisposed: true }
    }
    const proxy = asking({ deserializer: { deserialize } }, 'double')
    await expect(ask(proxy, 'double', 1)).rejects.toThrow('broken')
    isBroken = false
    expect(await ask(proxy, 'double', 1)).toBe('2')
  })

  it('are not waited for in a reply topic that is missing and may not be made', async () => {
    const options = { client: { ...client, retry: { retries: 0 } }, consumer: { allowAutoTopicCreation: false } }
    const proxy = asking(options)
    await proxy.connect()
    proxy.subscribeToResponseOf('unmade')
    await expect(ask(proxy, 'unmade', 1)).rejects.toThrow('unmade.reply')
    expect(await admin.listTopics()).not.toContain('unmade.reply')
  })
})

describe('a client whose replies cannot be read any longer', () => {
  it('fails the requests under way', async () => {
    const redis = await startSingle()
    const retry = { retries: 0, restartOnFailure: async () => false }
    const client: RivuletConnectionOptions = { brokers: [redis.url], logLevel: 0, retry }
    const proxy = new RivuletClient({ client, consumer: { retry } })
    proxy.subscribeToResponseOf('unserved')
    const request = Promise.allSettled([lastValueFrom(proxy.send('unserved', 'x'))])
    await waitFor(() => pendingRequests(proxy) === 1, { what: 'the request' })
    await redis.stop()
    expect(await request).toMatchObject([{ status: 'rejected' }])
    expect(pendingRequests(proxy)).toBe(0)
    await proxy.close()
  })
})
