import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { Storage } from '@rivulet/storage'
import { sendCommand, startSingle } from '@rivulet/testing'
import { partition, TestMember } from '../../spec-support/test-member.js'
import { RedisGroupStore } from './group-store.js'

let server: RedisServerProcess
let storage: Storage
beforeAll(async () => {
  server = await startSingle()
  storage = await Storage.connect({ redis: { addresses: [server.url] } })
})
afterAll(async () => {
  await storage.close()
  await server.stop()
})

it('full memory neither expels members nor keeps them from moving partitions, committing and leaving', async () => {
  const store = new RedisGroupStore(storage)
  const one = new TestMember(store, 'group', 'one')
  const two = new TestMember(store, 'group', 'two')
  await one.join()
  await one.install({ one: ['orders-0', 'orders-1'] })
  await one.sync()
  await sendCommand(server, 'CONFIG', 'SET', 'maxmemory', '1')
  await expect(sendCommand(server, 'SET', 'more', 'x')).rejects.toThrow(/^OOM/)

  await one.heartbeat()
  await two.join()
  expect(await two.install({ one: ['orders-0'], two: ['orders-1'] })).toBe(true)
  expect(await one.commit('orders-1', 5)).toBeNull()
  await one.release('orders-1')
  expect((await two.sync()).granted).toMatchObject([{ partition: 1, committed: { offset: 5 } }])
  expect(await store.snapshot('group')).toMatchObject({ epoch: 2, assignmentEpoch: 2 })
  await one.leave()
  await two.leave()
  await store.commit('group', null, [
    { ...partition('orders-0'), offset: 9, leaderEpoch: null, metadata: null, grant: 0 },
  ])
  expect([...(await store.allCommitted('group')).values()].map(({ offset }) => offset)).toEqual([5, 9])
  await store.deleteOffsets('group', [partition('orders-0')])
  expect(await store.list()).toEqual(['group'])
  await store.delete('group')
  expect(await store.list()).toEqual([])
})
