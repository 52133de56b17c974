import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { Storage } from '@rivulet/storage'
import { TcpProxy, testRedisUrls, testTopology, waitFor } from '@rivulet/testing'
import { TestGroups } from '../../spec-support/test-groups.js'
import { offset, partition, SESSION, TestMember } from '../../spec-support/test-member.js'
import type { GroupMessage } from '../types.js'
import { RedisGroupStore } from './group-store.js'

let groups: TestGroups
beforeAll(async () => {
  groups = await TestGroups.open()
})
afterAll(() => groups.close())

let groupId = ''
let count = 0
beforeEach(() => {
  groupId = `groups-${count++}`
})

const RETENTION = 10_080 * 60_000
const entries = () => groups.test.redis.hgetall(`${groups.test.storage.namespace}:{meta}:groups`)

async function joined(id = 'one', store = groups.store): Promise<TestMember> {
  const member = new TestMember(store, groupId, id)
  await member.join()
  return member
}

describe('deleting', () => {
  it('takes a group without members away, key by key, and its entry', async () => {
    const one = await joined()
    await expect(groups.store.delete(groupId)).rejects.toMatchObject({ type: 'NON_EMPTY_GROUP' })
    const keys = await Promise.all(
      ['group', 'members', 'sessions', 'targets', 'held', 'owners', 'offsets'].map((name) => groups.key(groupId, name)),
    )
    await one.leave()
    expect(await Promise.all(keys.map((key) => groups.test.redis.exists(key)))).toEqual(keys.map(() => 1))
    await groups.store.delete(groupId)
    expect(await Promise.all(keys.map((key) => groups.test.redis.exists(key)))).toEqual(keys.map(() => 0))
    expect(await entries()).not.toHaveProperty([groupId])
    expect(await groups.store.snapshot(groupId)).toBeNull()
    await expect(groups.store.delete(groupId)).rejects.toMatchObject({ type: 'GROUP_ID_NOT_FOUND' })
    await expect(one.heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
  })

  it('works as soon as the sessions of all members have ended', async () => {
    await joined()
    groups.now += SESSION
    await groups.store.delete(groupId)
    expect(await groups.store.list()).not.toContain(groupId)
  })

  it('leaves a group that is made again another id, by whoever made it before', async () => {
    const one = await joined()
    const before = (await entries())[groupId]
    await one.leave()
    await new RedisGroupStore(groups.test.storage).delete(groupId)
    await joined('two')
    const after = (await entries())[groupId]
    expect(after).toMatch(/^\{"id":"[\w-]{22}","shard":\d+\}$/)
    expect(after).not.toBe(before)
  })

  it('clears an entry away whose group is gone', async () => {
    const one = await joined()
    const key = await groups.key(groupId, 'group')
    await one.leave()
    await groups.test.redis.unlink(key)
    expect(await groups.store.list()).not.toContain(groupId)
    await expect(groups.store.delete(groupId)).rejects.toMatchObject({ type: 'GROUP_ID_NOT_FOUND' })
    expect(await entries()).not.toHaveProperty([groupId])
  })

  it('of offsets takes those away, in a group without members', async () => {
    const one = await joined()
    const offsets = [offset('orders-0', 1), offset('orders-1', 2), offset('orders-2', 3)]
    await groups.store.commit(groupId, 'one', offsets)
    const asked = ['orders-0', 'orders-2', 'orders-7'].map(partition)
    await expect(groups.store.deleteOffsets(groupId, asked)).rejects.toMatchObject({ type: 'NON_EMPTY_GROUP' })
    await one.leave()
    await groups.store.deleteOffsets(groupId, asked)
    expect([...(await groups.store.allCommitted(groupId)).values()].map((found) => found.offset)).toEqual([2])
    await groups.store.deleteOffsets(groupId, [])
    await expect(groups.store.deleteOffsets('nowhere', asked)).rejects.toMatchObject({ type: 'GROUP_ID_NOT_FOUND' })
  })
})

describe('the list of groups', () => {
  it('has those with members and those with offsets, sorted, until all their offsets have expired', async () => {
    groupId = 'list-b'
    const member = await joined()
    await groups.store.commit('list-a', null, [offset('orders-0', 1)])
    const listed = async () => (await groups.store.list()).filter((id) => id.startsWith('list-'))
    expect(await listed()).toEqual(['list-a', 'list-b'])
    groups.now += RETENTION - 1
    await member.heartbeat()
    expect(await listed()).toEqual(['list-a', 'list-b'])
    groups.now += 1
    expect(await listed()).toEqual(['list-b'])
    await member.leave()
    await groups.store.commit('list-a', null, [offset('orders-0', 1)])
    expect(await listed()).toEqual(['list-a', 'list-b'])
    groups.now += RETENTION
    expect(await listed()).toEqual([])
  })

  it('gets an entry back that was lost', async () => {
    const one = await joined()
    await groups.test.redis.hdel(`${groups.test.storage.namespace}:{meta}:groups`, groupId)
    const other = new RedisGroupStore(groups.test.storage)
    expect(await other.list()).not.toContain(groupId)
    await other.sync(groupId, {
      ...{ memberId: 'one', epoch: one.epoch, assignmentEpoch: 0, sessionTimeout: SESSION, stallAfter: SESSION },
      ...{ record: null, raiseEpoch: false, topics: [], owned: [], release: [] },
    })
    expect(await other.list()).toContain(groupId)
  })

  it('leaves out an entry that this release cannot read, which alone that group fails with', async () => {
    const key = `${groups.test.storage.namespace}:{meta}:groups`
    await groups.test.redis.hset(key, 'broken', 'no JSON', 'far away', '{"id":"x","shard":99}')
    const listed = await groups.store.list()
    expect(listed).not.toContain('broken')
    expect(listed).not.toContain('far away')
    await expect(groups.store.snapshot('broken')).rejects.toMatchObject({ type: 'UNSUPPORTED_VERSION' })
    await groups.test.redis.hdel(key, 'broken', 'far away')
  })
})

describe('a group id', () => {
  it.each([
    ['with braces and colons', '{x}:y'],
    ['with spaces, stars and line ends', ' * ?[a]\r\n'],
    ['in any script', 'ünïcode ☃ 🌊'],
    ['that looks like an encoded one', '%7Bx%7D'],
    ['of 255 characters', '☃'.repeat(255)],
  ])('can be any text: %s', async (_, id) => {
    groupId = id
    const one = await joined()
    await one.install({ one: ['orders-0'] })
    await one.sync()
    expect(await one.commit('orders-0', 3)).toBeNull()
    expect(await groups.store.list()).toContain(id)
    expect(await groups.store.snapshot(id)).toMatchObject({ groupId: id, epoch: 1 })
    expect(await groups.key(id, 'group')).toMatch(/^[\w-]+:\{\w+\}:g:[\w.%-]+:group$/)
    await one.leave()
    await groups.store.delete(id)
    expect(await groups.store.list()).not.toContain(id)
  })

  it('that is empty, too long or half a character is refused', async () => {
    for (const id of ['', 'x'.repeat(256), '\ud83c']) {
      await expect(groups.store.snapshot(id)).rejects.toMatchObject({ type: 'INVALID_GROUP_ID' })
    }
  })
})

describe('a group in a newer format', () => {
  it('is refused by every step, and listed', async () => {
    const one = await joined()
    await groups.test.redis.hset(await groups.key(groupId, 'group'), 'format', '2')
    const steps: (() => Promise<unknown>)[] = [
      () => one.heartbeat(),
      () => one.sync(),
      () => one.join(),
      () => one.install({}),
      () => one.leave(),
      () => groups.store.snapshot(groupId),
      () => groups.store.commit(groupId, 'one', [offset('orders-0', 1)]),
      () => groups.store.commit(groupId, null, [offset('orders-0', 1)]),
      () => groups.store.committed(groupId, [partition('orders-0')]),
      () => groups.store.allCommitted(groupId),
      () => groups.store.deleteOffsets(groupId, [partition('orders-0')]),
      () => groups.store.delete(groupId),
    ]
    for (const step of steps) {
      const error: unknown = await step().then(
        () => 'it was not refused',
        (refusal: unknown) => refusal,
      )
      expect(error).toBeInstanceOf(KafkaError)
      expect(error).toMatchObject({ type: 'UNSUPPORTED_VERSION', message: expect.stringContaining(groupId) })
    }
    expect(await groups.store.list()).toContain(groupId)
  })
})

describe('watching a group', () => {
  it('tells its messages, and no other group’s, until the listener is taken away', async () => {
    const heard: GroupMessage[] = []
    const alsoHeard: GroupMessage[] = []
    const unwatch = await groups.store.watch(groupId, (message) => heard.push(message))
    const unwatchAlso = await groups.store.watch(groupId, (message) => alsoHeard.push(message))
    const one = await joined()
    const other = new TestMember(groups.store, `${groupId}-other`, 'one')
    await other.join()
    await other.install({ one: ['orders-1'] })
    await one.install({ one: ['orders-0'] })
    await waitFor(() => heard.length > 0 && alsoHeard.length > 0, { what: 'the message' })
    expect(heard).toEqual([{ kind: 'target', epoch: 1, memberIds: ['one'] }])
    await unwatch()
    await one.leave()
    // nobody is left to be told who assigns, and nothing was owned: another group's message shows that nothing came
    await groups.test.redis.publish(await groups.key(groupId, 'messages'), '{"kind":"free","partitions":["a:0"]}')
    await groups.test.redis.publish(await groups.key(groupId, 'messages'), '{"kind":"of a newer release"}')
    await groups.test.redis.publish(await groups.key(groupId, 'messages'), 'no JSON')
    await groups.test.redis.publish(await groups.key(groupId, 'messages'), '{"kind":"assign","memberId":"last"}')
    await waitFor(() => alsoHeard.length === 3, { what: 'the other messages' })
    expect(alsoHeard.slice(1)).toEqual([
      { kind: 'free', partitions: ['a:0'] },
      { kind: 'assign', memberId: 'last' },
    ])
    expect(heard).toHaveLength(1)
    await unwatchAlso()
  })

  it('tells that messages may have been missed when the connection was lost', async () => {
    if (testTopology() !== 'single') return
    const url = new URL(testRedisUrls()[0] ?? '')
    const proxy = await TcpProxy.start({ host: url.hostname, port: Number(url.port) })
    const { namespace } = groups.test.storage
    const behind = await Storage.connect({ redis: { addresses: [proxy.url] }, namespace })
    try {
      const heard: GroupMessage[] = []
      await new RedisGroupStore(behind).watch(groupId, (message) => heard.push(message))
      proxy.cut()
      await waitFor(() => heard.length > 0, { what: 'the reconnect' })
      const one = await joined()
      await one.install({ one: ['orders-0'] })
      await waitFor(() => heard.length > 1, { what: 'the subscription to be back' })
      expect(heard).toEqual([{ kind: 'missed' }, { kind: 'target', epoch: 1, memberIds: ['one'] }])
    } finally {
      await behind.close()
      await proxy.close()
    }
  })
})
