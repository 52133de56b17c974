import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { sendCommand, startSingle, TcpProxy, waitFor } from '@rivulet/testing'
import { connectRedis } from './connect.js'
import type { StorageLogger } from './redis-target.js'
import { DEFAULT_RETRY } from './retry.js'
import { Subscriber } from './subscriber.js'

let server: RedisServerProcess
let proxy: TcpProxy
let subscriber: Subscriber
const warnings: string[] = []
const logger: StorageLogger = {
  error: () => undefined,
  warn: (message) => void warnings.push(message),
  info: () => undefined,
  debug: () => undefined,
}

beforeEach(async () => {
  server = await startSingle()
  await sendCommand(server, 'ACL', 'SETUSER', 'some', 'on', '>secret', '~*', '+@all', 'resetchannels', '&allowed')
  proxy = await TcpProxy.start({ host: server.host, port: server.port })
  subscriber = await open()
  warnings.length = 0
})
afterEach(async () => {
  await subscriber.close()
  await proxy.close()
  await server.stop()
})

async function open(login: { username?: string; password?: string } = {}): Promise<Subscriber> {
  const redis = await connectRedis({
    target: { addresses: [proxy.url], ...login },
    clientId: 'spec',
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: DEFAULT_RETRY,
    logger,
  })
  return new Subscriber(await redis.open('subscriber'), logger)
}

const list = (): (string | null)[] => []
const publish = (channel: string, message: string): Promise<unknown> => sendCommand(server, 'PUBLISH', channel, message)
const channels = (): Promise<unknown> => sendCommand(server, 'PUBSUB', 'CHANNELS')

describe('a subscriber', () => {
  it('tells each listener of a channel its messages, from when it has subscribed until it is taken away', async () => {
    const [one, two, other] = [list(), list(), list()]
    const end = await subscriber.subscribe('a', (message) => one.push(message))
    await subscriber.subscribe('a', (message) => two.push(message))
    await subscriber.subscribe('b', (message) => other.push(message))
    await publish('a', 'first')
    await publish('b', 'ünïcode')
    await waitFor(() => other.length === 1, { what: 'the messages' })
    await end()
    await end()
    await publish('a', 'second')
    await waitFor(() => two.length === 2, { what: 'the second message' })
    expect([one, two, other]).toEqual([['first'], ['first', 'second'], ['ünïcode']])
  })

  it('listens to a channel as long as anybody does', async () => {
    const ends = await Promise.all([
      subscriber.subscribe('a', () => undefined),
      subscriber.subscribe('a', () => undefined),
    ])
    await ends[0]?.()
    expect(await channels()).toEqual(['a'])
    await ends[1]?.()
    expect(await channels()).toEqual([])
    const heard: unknown[] = []
    await subscriber.subscribe('a', (message) => heard.push(message))
    await publish('a', 'again')
    await waitFor(() => heard.length === 1, { what: 'the message' })
  })

  it('tells all listeners that messages may have been missed when the connection is back, and goes on', async () => {
    const [one, other] = [list(), list()]
    await subscriber.subscribe('a', (message) => one.push(message))
    await subscriber.subscribe('b', (message) => other.push(message))
    const end = await subscriber.subscribe('c', () => undefined)
    await proxy.refuse()
    proxy.cut()
    await publish('a', 'missed')
    await end()
    await proxy.accept()
    await waitFor(() => one.length === 1 && other.length === 1, { what: 'the reconnect' })
    await publish('a', 'heard')
    await waitFor(() => one.length === 2, { what: 'the message' })
    expect([one, other]).toEqual([[null, 'heard'], [null]])
    expect(
      String(await channels())
        .split(',')
        .toSorted(),
    ).toEqual(['a', 'b'])
  })

  it('does without a channel that is not permitted, says so, and keeps the others through a reconnect', async () => {
    const limited = await open({ username: 'some', password: 'secret' })
    try {
      const heard: unknown[] = []
      const end = await limited.subscribe('forbidden', () => heard.push('forbidden'))
      expect(warnings).toEqual([expect.stringMatching(/SUBSCRIBE is not permitted: .*forbidden/)])
      await limited.subscribe('allowed', (message) => heard.push(message))
      proxy.cut()
      await waitFor(() => heard.length === 1, { what: 'the reconnect' })
      await publish('allowed', 'heard')
      await waitFor(() => heard.length === 2, { what: 'the message' })
      expect(heard).toEqual([null, 'heard'])
      await end()
    } finally {
      await limited.close()
    }
  })

  it('refuses to subscribe once it is closed', async () => {
    await subscriber.close()
    const refusal = await subscriber.subscribe('a', () => undefined).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(KafkaError)
    expect(refusal).toMatchObject({ type: 'CLIENT_CLOSED' })
  })
})
