import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { Storage, type StorageLogger } from '@rivulet/storage'
import { sendCommand, startSingle, waitFor } from '@rivulet/testing'
import { partition, TestMember } from '../../spec-support/test-member.js'
import type { GroupMessage } from '../types.js'
import { RedisGroupStore } from './group-store.js'

const OPERATIONS = new URL('../../../../docs/operations.md', import.meta.url)

let server: RedisServerProcess
const lines: string[] = []
const line = (message: string): void => void lines.push(message)
const logger: StorageLogger = { error: line, warn: line, info: () => undefined, debug: () => undefined }
const open: Storage[] = []

/** For one group, as the documentation has it. */
const granted: string[] = []

beforeAll(async () => {
  server = await startSingle()
  const text = readFileSync(OPERATIONS, 'utf8')
  const rights = /^ACL SETUSER rivulet (.*)$/m.exec(text)?.[1]?.split(' ') ?? []
  for (const [, words = ''] of text.matchAll(/`([^`]*g:billing:\*)`/g)) granted.push(...words.split(' '))
  await sendCommand(server, 'ACL', 'SETUSER', 'rivulet', ...rights)
  await sendCommand(server, 'ACL', 'SETUSER', 'billing', ...rights)
  const only = ['resetkeys', 'resetchannels', '~rivulet:{meta}:*', '~rivulet:{*}:shard', ...granted]
  await sendCommand(server, 'ACL', 'SETUSER', 'billing', ...only)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((storage) => storage.close()))
})
afterAll(() => server.stop())

async function storeAs(username: string): Promise<RedisGroupStore> {
  lines.length = 0
  const storage = await Storage.connect({ redis: { addresses: [server.url], username, password: 'secret' }, logger })
  open.push(storage)
  return new RedisGroupStore(storage)
}

/** Everything that a group's store does. */
async function useAll(store: RedisGroupStore, groupId: string): Promise<GroupMessage[]> {
  const messages: GroupMessage[] = []
  const unwatch = await store.watch(groupId, (message) => messages.push(message))
  const one = new TestMember(store, groupId, 'one', { instanceId: 'web' })
  const two = new TestMember(store, groupId, 'two', { instanceId: 'web' })
  await one.join()
  await one.install({ one: ['orders-0', 'orders-1'] })
  await one.sync()
  await one.commit('orders-0', 5)
  await two.join()
  await two.release('orders-1')
  await two.heartbeat()
  await store.snapshot(groupId)
  await store.committed(groupId, [partition('orders-0')])
  await store.allCommitted(groupId)
  await two.leave()
  await store.commit(groupId, null, [
    { ...partition('orders-0'), offset: 9, leaderEpoch: null, metadata: null, grant: 0 },
  ])
  await store.deleteOffsets(groupId, [partition('orders-0')])
  expect(await store.list()).toEqual([groupId])
  await store.delete(groupId)
  await waitFor(() => messages.some(({ kind }) => kind === 'free'), { what: 'the messages' })
  await unwatch()
  return messages
}

it('a group works with just the rights that the documentation lists, and without a warning', async () => {
  expect(await useAll(await storeAs('rivulet'), 'any group: {at all}')).toMatchObject([
    { kind: 'target' },
    { kind: 'free' },
  ])
  expect(lines).toEqual([])
})

it('a user may be given single groups, and is refused others as a group', async () => {
  expect(granted).toEqual(['~rivulet:{*}:g:billing:*', '&rivulet:{meta}:*', '&rivulet:{*}:g:billing:*'])
  const all = await storeAs('rivulet')
  await new TestMember(all, 'secret', 'one').join()
  const store = await storeAs('billing')
  expect(await useAll(store, 'billing')).toMatchObject([{ kind: 'target' }, { kind: 'free' }])
  expect(lines).toEqual([])

  const refused = { type: 'GROUP_AUTHORIZATION_FAILED', message: expect.stringContaining('group secret') }
  const member = new TestMember(store, 'secret', 'one')
  await expect(member.join()).rejects.toMatchObject(refused)
  await expect(member.heartbeat()).rejects.toMatchObject(refused)
  await expect(store.snapshot('secret')).rejects.toMatchObject(refused)
  await expect(store.commit('secret', null, [])).rejects.toMatchObject(refused)
  await expect(store.delete('secret')).rejects.toMatchObject(refused)
  expect(await store.list()).toEqual([])
  // nothing ever comes, which is logged
  await (
    await store.watch('secret', () => undefined)
  )()
  expect(lines).toEqual([expect.stringContaining('SUBSCRIBE is not permitted')])
  expect(await all.list()).toEqual(['secret'])
})
