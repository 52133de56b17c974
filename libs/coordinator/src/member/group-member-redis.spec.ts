import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { TestStorage, uniqueNamespace, waitFor } from '@rivulet/testing'
import { names, testMember, type TestMember } from '../../spec-support/group-members.js'
import { groupAssigners } from '../assignors/group-assigners.js'
import { RedisGroupStore } from '../store/group-store.js'
import type { GroupStore, MemberOptions } from '../types.js'

let test: TestStorage
let store: RedisGroupStore
let groupId: string
let topic: string
const members: TestMember[] = []

beforeEach(async () => {
  test = await TestStorage.open()
  store = new RedisGroupStore(test.storage)
  groupId = uniqueNamespace('group')
})

afterEach(async () => {
  await Promise.all(members.splice(0).map(({ member }) => member.leave(1000)))
  await test.close()
})

async function createTopic(partitions: number): Promise<void> {
  topic = uniqueNamespace('topic')
  await test.storage.topics.create({ name: topic, numPartitions: partitions })
}

function add(options: Partial<MemberOptions> = {}, ownStore: GroupStore = store): TestMember {
  const added = testMember(ownStore, test.storage.topics, {
    groupId,
    assigners: [groupAssigners.uniform],
    subscription: { topics: [topic], patterns: [] },
    ...options,
  })
  members.push(added)
  return added
}

async function join(options: Partial<MemberOptions> = {}, ownStore: GroupStore = store): Promise<TestMember> {
  const added = add(options, ownStore)
  await added.member.join()
  return added
}

/** Waits until these members own so many partitions each, and together so many different ones. */
async function expectShares(of: readonly TestMember[], shares: readonly number[], deadline = 10_000): Promise<void> {
  const expected = JSON.stringify([shares, shares.reduce((sum, share) => sum + share, 0)])
  await waitFor(
    () => {
      const owned = of.map(({ member }) => names(member.owned))
      const found = JSON.stringify([owned.map(({ length }) => length), new Set(owned.flat()).size])
      return found === expected || Promise.reject(new Error(found))
    },
    { what: 'the shares', deadline },
  )
}

describe('members on Redis', () => {
  it('share out a topic as they come and go', async () => {
    await createTopic(6)
    const [a, b] = [await join(), await join()]
    await expectShares([a, b], [3, 3])
    const c = await join()
    await expectShares([a, b, c], [2, 2, 2])
    await a.member.leave(1000)
    await expectShares([b, c], [3, 3])
    expect([...b.listener.errors, ...c.listener.errors]).toEqual([])
  })

  it('hand over partitions with what was committed by whoever had them', async () => {
    await createTopic(2)
    const a = await join()
    a.listener.behaviour.onRevoked = async () => {
      const commits = a.member.owned.map((one) => ({
        ...one,
        offset: 10 + one.partition,
        leaderEpoch: null,
        metadata: null,
      }))
      expect(await a.member.commit(commits)).toEqual([null, null])
    }
    const b = await join()
    await expectShares([a, b], [1, 1])
    expect(b.listener.assigned.map(({ partition, committed }) => (committed?.offset ?? 0) - partition)).toEqual([10])
  })

  it('take over from one that has died', async () => {
    await createTopic(4)
    const a = await join({ sessionTimeout: 600, heartbeatInterval: 100 })
    const silent = new RedisGroupStore(test.storage)
    silent.heartbeat = () => Promise.reject(new KafkaError('NETWORK_EXCEPTION', 'it is dead'))
    const dead = await join({ sessionTimeout: 600, heartbeatInterval: 100 }, silent)
    await expectShares([a], [4])
    expect(dead.member.isLive).toBe(false)
  })

  it('lose everything and begin anew when the group is gone', async () => {
    await createTopic(2)
    const a = await join()
    const b = await join()
    await expectShares([a, b], [1, 1])
    await Promise.all([a, b].map(({ member }) => store.leave(groupId, member.memberId)))
    await store.delete(groupId)
    await Promise.all([a, b].map(({ member }) => member.heartbeat().catch(() => undefined)))
    await expectShares([a, b], [1, 1])
    expect([a, b].map(({ listener }) => listener.calls.filter((call) => call.startsWith('lost')).length)).toEqual([
      1, 1,
    ])
  })

  it('are fenced and replaced by their group instance id', async () => {
    await createTopic(2)
    const former = await join({ instanceId: 'one' })
    const other = await join()
    await expectShares([former, other], [1, 1])
    const had = names(former.member.owned)
    const again = await join({ instanceId: 'one' })
    expect(names(again.member.owned)).toEqual(had)
    await former.member.heartbeat().catch(() => undefined)
    await waitFor(() => former.listener.errors.length > 0, { what: 'the failure' })
    expect(former.listener.errors).toEqual([expect.objectContaining({ type: 'FENCED_INSTANCE_ID' })])
  })

  it('follow topics that appear, grow and go', async () => {
    topic = uniqueNamespace('topic')
    const subscription = { topics: [], patterns: [new RegExp(`^${topic}`, 'g')] }
    const [a, b] = [await join({ subscription }), await join({ subscription })]
    await test.storage.topics.create({ name: `${topic}-1`, numPartitions: 2 })
    await expectShares([a, b], [1, 1])
    await test.storage.topics.addPartitions(`${topic}-1`, 4)
    await expectShares([a, b], [2, 2])
    await test.storage.topics.delete(`${topic}-1`)
    await expectShares([a, b], [0, 0])
  })

  it('let go of a topic that they name when it is deleted', async () => {
    await createTopic(4)
    const [a, b] = [await join(), await join()]
    await expectShares([a, b], [2, 2])
    await test.storage.topics.delete(topic)
    await expectShares([a, b], [0, 0])
  })

  it('settle when a hundred come at once, and when half of them leave', async () => {
    await createTopic(1200)
    const all = Array.from({ length: 100 }, () => add())
    await Promise.all(all.map(({ member }) => member.join()))
    await expectShares(
      all,
      Array.from({ length: 100 }, () => 12),
    )
    await Promise.all(all.slice(0, 50).map(({ member }) => member.leave(1000)))
    await expectShares(
      all.slice(50),
      Array.from({ length: 50 }, () => 24),
    )
    expect(all.flatMap(({ logs }) => logs)).toEqual([])
  })
})
