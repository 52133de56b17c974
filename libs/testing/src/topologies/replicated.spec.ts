import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Replica, type Replicated, startReplicated } from './replicated.js'
import { sendCommand, serverInfo } from './servers.js'
import { waitFor } from './wait-for.js'

describe('startReplicated', () => {
  let redis: Replicated

  beforeAll(async () => {
    redis = await startReplicated({ replicas: 2, config: ['--repl-timeout', '3'] })
  }, 60_000)

  afterAll(() => redis.stop())

  function replica(index: number): Replica {
    const found = redis.replicas[index]
    if (found === undefined) throw new Error(`There is no replica ${index}`)
    return found
  }

  // one history, in order
  it('starts replicas in sync, that have what the primary has', async () => {
    expect((await serverInfo(redis.primary, 'replication'))['connected_slaves']).toBe('2')
    await sendCommand(redis.endpoint, 'SET', 'key', 'first')
    await redis.inSync()
    for (const { server } of redis.replicas) expect(await sendCommand(server, 'GET', 'key')).toBe('first')
  })

  it('lets one replica fall behind when its link is frozen, and catch up when it thaws', async () => {
    replica(0).link.freeze()
    await sendCommand(redis.primary, 'SET', 'key', 'second')
    await waitFor(async () => (await sendCommand(replica(1).server, 'GET', 'key')) === 'second', {
      what: 'the other replica to have it',
    })
    expect(await sendCommand(replica(0).server, 'GET', 'key')).toBe('first')
    replica(0).link.thaw()
    await redis.inSync()
    expect(await sendCommand(replica(0).server, 'GET', 'key')).toBe('second')
  })

  it('promotes a replica that is behind: the endpoint and the other replica follow, the tail is lost', async () => {
    const behind = replica(0)
    await behind.link.refuse()
    behind.link.cut()
    await sendCommand(redis.endpoint, 'SET', 'key', 'third')
    const former = redis.primary
    await redis.promote(behind)
    expect(redis.primary).toBe(behind.server)
    expect(await sendCommand(redis.endpoint, 'GET', 'key')).toBe('second')
    await sendCommand(redis.endpoint, 'SET', 'key', 'another third')
    await redis.inSync()
    expect(await sendCommand(replica(0).server, 'GET', 'key')).toBe('another third')
    // the former primary knows nothing of it
    expect(await sendCommand(former, 'GET', 'key')).toBe('third')
    await redis.follow(former)
    expect(await sendCommand(former, 'GET', 'key')).toBe('another third')
    expect(redis.replicas).toHaveLength(2)
  })
})
