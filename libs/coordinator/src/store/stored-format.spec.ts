/**
 * The stored format of groups can't be changed once there are some. The golden file holds, key by key and byte by byte, what a
 * fixed series of steps stores: what is written today must equal it, and what it holds must stay readable.
 *
 * A change that this spec refuses needs a new format number and code that reads both. The golden file is made anew with
 * RIVULET_UPDATE_GOLDEN=1, which only an addition that older releases can ignore justifies.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from '@jest/globals'
import { TestGroups } from '../../spec-support/test-groups.js'
import { offset, TestMember, type TestMemberOptions, topicId } from '../../spec-support/test-member.js'

const GOLDEN = new URL('./stored-format.golden.json', import.meta.url)
const GROUP = 'billing: {all} ☃'

/** Keys, without the namespace; a hash's fields, a sorted set's members with their scores. */
type Stored = Readonly<Record<string, Readonly<Record<string, string>>>>

const opened: TestGroups[] = []
afterAll(() => Promise.all(opened.map((groups) => groups.close())))

async function open(): Promise<TestGroups> {
  const groups = await TestGroups.open()
  opened.push(groups)
  return groups
}

async function dump(groups: TestGroups): Promise<Stored> {
  const { redis, storage } = groups.test
  const names = ['group', 'members', 'sessions', 'targets', 'held', 'owners', 'offsets']
  const keys = await Promise.all(names.map((name) => groups.key(GROUP, name)))
  const result: Record<string, Record<string, string>> = {}
  for (const key of [`${storage.namespace}:{meta}:groups`, ...keys]) {
    const fields = key.endsWith(':sessions')
      ? pairs(await redis.zrange(key, 0, -1, 'WITHSCORES'))
      : Object.entries(await redis.hgetall(key))
    result[key.replace(storage.namespace, '<ns>')] = Object.fromEntries(
      fields.toSorted(([one], [other]) => (one < other ? -1 : 1)),
    )
  }
  return result
}

async function restore(groups: TestGroups, stored: Stored): Promise<void> {
  const { redis, storage } = groups.test
  for (const [name, fields] of Object.entries(stored)) {
    const key = name.replace('<ns>', storage.namespace)
    if (!key.endsWith(':sessions')) await redis.hset(key, fields)
    else for (const [member, score] of Object.entries(fields)) await redis.zadd(key, score, member)
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  const result: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return result
}

function parse(json: string): Stored {
  const value: unknown = JSON.parse(json)
  if (isStored(value)) return value
  throw new Error('the golden file holds no dump')
}

function isStored(value: unknown): value is Stored {
  const isObject = (one: unknown): one is object => typeof one === 'object' && one !== null
  return (
    isObject(value) &&
    Object.values(value).every(
      (fields) => isObject(fields) && Object.values(fields).every((field) => typeof field === 'string'),
    )
  )
}

const topics = { orders: 3, payments: 1 }
const leaderEpoch = { number: 5, replicationId: 'cafebabe', startOffset: 100 }

/** Of two members the static one has let go of a partition, and come back under another id; a third one has just joined. */
async function steps(groups: TestGroups): Promise<void> {
  const member = (id: string, options: TestMemberOptions = {}) =>
    new TestMember(groups.store, GROUP, id, { topics, ...options })
  await groups.store.commit(GROUP, null, [offset('orders-1', 2 ** 53 - 1)])
  groups.now += 1_000
  const web = member('web-1', { instanceId: 'web', assigners: ['range', 'own one'] })
  const other = member('other-1', { sessionTimeout: 45_000 })
  await web.join()
  await other.join()
  await other.install({ 'web-1': ['orders-0', 'orders-1', 'orders-2'], 'other-1': ['payments-0'] })
  await web.sync()
  await other.sync()
  await groups.store.commit(GROUP, 'web-1', [
    offset('orders-0', 123, { ...web.own('orders-0'), leaderEpoch, metadata: 'note: ☃' }),
    offset('orders-2', 7, { ...web.own('orders-2'), metadata: '' }),
  ])
  groups.now += 1_000
  await other.sync({ record: { ...other.record, clientHost: '/ünïcode' }, raiseEpoch: true })
  await other.install({ 'web-1': ['orders-0', 'orders-1'], 'other-1': ['payments-0'] })
  await web.release('orders-2')
  await member('web-2', { instanceId: 'web' }).join()
  groups.now += 1_000
  await member('third-1').join()
}

describe('the stored format of groups, version 1', () => {
  it('is what it was, key by key and byte by byte', async () => {
    const groups = await open()
    await steps(groups)
    const id = (await groups.test.redis.hget(await groups.key(GROUP, 'group'), 'id')) ?? ''
    const text = JSON.stringify(await dump(groups), null, 2).replaceAll(id, '<group id>')
    if (process.env['RIVULET_UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, `${text}\n`)
    expect(parse(text)).toEqual(parse(readFileSync(GOLDEN, 'utf8')))
  })

  it('stays readable: what the golden file holds is a group, which goes on', async () => {
    const groups = await open()
    groups.now += 3_000
    await restore(groups, parse(readFileSync(GOLDEN, 'utf8')))
    expect(await groups.store.list()).toEqual([GROUP])
    expect(await groups.store.snapshot(GROUP)).toMatchObject({
      ...{ epoch: 5, assignmentEpoch: 3, assigner: 'range', leaderId: 'other-1', emptySince: null },
      owned: new Map<string, unknown>([
        ['other-1', [{ topic: 'payments', topicId: topicId('payments'), partition: 0, grant: 4 }]],
        ['third-1', []],
        ['web-2', [0, 1].map((number) => expect.objectContaining({ topic: 'orders', partition: number }))],
      ]),
    })
    expect(Object.fromEntries(await groups.store.allCommitted(GROUP))).toEqual({
      [`${topicId('orders')}:0`]: { offset: 123, leaderEpoch, metadata: 'note: ☃', committedAt: 1_700_000_001_000 },
      [`${topicId('orders')}:1`]: {
        ...{ offset: 2 ** 53 - 1, leaderEpoch: null, metadata: null, committedAt: 1_700_000_000_000 },
      },
      [`${topicId('orders')}:2`]: { offset: 7, leaderEpoch: null, metadata: '', committedAt: 1_700_000_001_000 },
    })
    const web = new TestMember(groups.store, GROUP, 'web-2', { topics })
    expect(await web.sync()).toMatchObject({ epoch: 5, granted: [{ grant: 7 }, { grant: 8 }] })
    const fenced = new TestMember(groups.store, GROUP, 'web-1', { topics })
    await expect(fenced.heartbeat()).rejects.toMatchObject({ type: 'FENCED_INSTANCE_ID' })
  })
})
