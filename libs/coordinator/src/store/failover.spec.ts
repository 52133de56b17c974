/** What a group goes through when a replica takes over that has missed its last steps. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Storage } from '@rivulet/storage'
import { type Replicated, startReplicated, waitFor } from '@rivulet/testing'
import { names, TestMember } from '../../spec-support/test-member.js'
import { RedisGroupStore } from './group-store.js'

let servers: Replicated
let storage: Storage
beforeAll(async () => {
  servers = await startReplicated({ replicas: 1 })
  storage = await Storage.connect({ redis: { addresses: [servers.url] } })
}, 30_000)
afterAll(async () => {
  await storage.close()
  await servers.stop()
})

/** The replica takes over without what comes after this. */
async function cutOff(): Promise<() => Promise<void>> {
  await servers.inSync()
  const [replica] = servers.replicas
  if (replica === undefined) throw new Error('there is no replica')
  await replica.link.refuse()
  replica.link.cut()
  return () => servers.promote(replica)
}

it('everybody syncs, keeps what it owns by grants that are lost, and no lost epoch is met again', async () => {
  const store = new RedisGroupStore(storage)
  const one = new TestMember(store, 'group', 'one')
  const two = new TestMember(store, 'group', 'two')
  await one.join()
  await one.install({ one: ['orders-0', 'orders-1'] })
  await one.sync()
  await two.join()
  const promote = await cutOff()
  await two.install({ one: ['orders-0'], two: ['orders-1', 'orders-2'] })
  const old = one.own('orders-1')
  await one.release('orders-1')
  await two.sync()
  expect(await two.commit('orders-1', 10)).toBeNull()
  const lostGrants = two.owned
  const lost = new TestMember(store, 'group', 'lost')
  await lost.join()
  await two.heartbeat()
  expect(two.epoch).toBe(3)
  await promote()

  // the new primary has never heard of the third member, of the target, nor of the grants
  const first = await waitFor(() => two.heartbeat(), { what: 'the new primary' })
  expect(first.epoch).toBeGreaterThan(3)
  expect(await two.commit('orders-1', 11)).toBe('ILLEGAL_GENERATION')
  expect((await two.sync()).owned).toEqual(lostGrants)
  expect(await two.commit('orders-1', 12)).toBeNull()
  expect(await one.commit('orders-1', 13, old.grant)).toBe('ILLEGAL_GENERATION')
  expect(names((await one.sync()).owned)).toEqual(['orders-0'])
  await expect(lost.heartbeat()).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
  expect(one.epoch).toBe(two.epoch)

  expect(await two.install({ one: ['orders-0'], two: ['orders-1', 'orders-2'] })).toBe(true)
  await two.sync()
  expect(names(two.owned)).toEqual(['orders-1', 'orders-2'])
  const found = await store.snapshot('group')
  expect([...(found?.owned ?? [])].map(([id, owned]) => [id, names(owned)])).toEqual([
    ['one', ['orders-0']],
    ['two', ['orders-1', 'orders-2']],
  ])
}, 30_000)
