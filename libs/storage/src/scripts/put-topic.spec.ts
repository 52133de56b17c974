import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { testRedisUrls, uniqueNamespace, waitFor } from '@rivulet/testing'
import { connectRedis } from '../connection/connect.js'
import type { Connection } from '../connection/connection.js'
import { silentLogger } from '../connection/redis-target.js'
import { DEFAULT_RETRY } from '../connection/retry.js'
import { metaKeys } from '../keys.js'
import { putTopic } from './put-topic.js'

const namespace = uniqueNamespace('put')
const keys = metaKeys(namespace)
const messages: string[] = []
let connection: Connection
let subscriber: Connection

beforeAll(async () => {
  const server = await connectRedis({
    target: { addresses: testRedisUrls() },
    clientId: 'spec',
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: DEFAULT_RETRY,
    logger: silentLogger,
  })
  connection = await server.open('command')
  subscriber = await server.open('subscriber')
  subscriber.client.on('message', (_: string, topic: string) => messages.push(topic))
  await subscriber.command((client) => client.subscribe(keys.changes))
})

afterAll(async () => {
  await connection.client.del(keys.topics, keys.cluster)
  await Promise.all([connection.close(), subscriber.close()])
})

const state = async () => ({
  topics: await connection.client.hgetall(keys.topics),
  version: await connection.client.hget(keys.cluster, 'version'),
})

it('changes an entry that is as expected, counts it and tells; else it answers with what is there', async () => {
  const put = (expected: string | null, entry: string | null) =>
    putTopic(connection, namespace, { topic: 'é', expected, entry })

  expect(await put('old', 'new')).toEqual({ changed: false, found: null })
  expect(await state()).toEqual({ topics: {}, version: null })

  expect(await put(null, 'one')).toEqual({ changed: true })
  expect(await put(null, 'two')).toEqual({ changed: false, found: 'one' })
  expect(await state()).toEqual({ topics: { é: 'one' }, version: '1' })

  expect(await put('one', 'two')).toEqual({ changed: true })
  expect(await state()).toEqual({ topics: { é: 'two' }, version: '2' })

  expect(await put('one', null)).toEqual({ changed: false, found: 'two' })
  expect(await put('two', null)).toEqual({ changed: true })
  expect(await state()).toEqual({ topics: {}, version: '3' })

  await waitFor(() => messages.length === 3, { what: 'the announcements' })
  expect(messages).toEqual(['é', 'é', 'é'])
})
