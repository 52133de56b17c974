import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { TestStorage, uniqueNamespace, waitFor } from '@rivulet/testing'
import { names, testMember, type TestMember } from '../../spec-support/group-members.js'
import { groupAssigners } from '../assignors/group-assigners.js'
import { RedisGroupStore } from '../store/group-store.js'

let test: TestStorage
const left: TestMember[] = []

beforeAll(async () => {
  test = await TestStorage.open()
})

afterAll(async () => {
  await Promise.all(left.map(({ member }) => member.leave(1000)))
  await test.close()
})

describe('on Redis', () => {
  it('settles 100 members', async () => {
    const topic = await test.createTopic({}, 1200)
    const store = new RedisGroupStore(test.storage)
    const groupId = uniqueNamespace('group')
    const t0 = performance.now()
    const c0 = process.cpuUsage()
    const counts: Record<string, number> = {}
    let nMsg = 0,
      loopCount = 0
    for (const name of ['sync', 'heartbeat', 'snapshot', 'install', 'commit', 'watch'] as const) {
      const f = (store[name] as any).bind(store)
      ;(store as any)[name] = (...a: any[]) => {
        counts[name] = (counts[name] ?? 0) + 1
        if (name === 'watch') {
          const l = a[1]
          a[1] = (m: any) => {
            nMsg++
            l(m)
          }
        }
        return f(...a)
      }
    }
    await (test.redis as any).config('RESETSTAT')
    let worst = 0
    for (let i = 0; i < 100; i++) {
      const m = testMember(store, test.storage.topics, {
        groupId,
        subscription: { topics: [topic.name], patterns: [] },
        assigners: [groupAssigners.uniform],
      })
      left.push(m)
      const t = performance.now()
      await m.member.join()
      worst = Math.max(worst, performance.now() - t)
    }
    const t1 = performance.now()
    const cpu = process.cpuUsage(c0)
    const stats = await (test.redis as any).info('commandstats')
    console.log(
      stats
        .split('\n')
        .filter((l: string) => /fcall|eval|publish|hgetall|hset|zrange|info/.test(l))
        .join('\n'),
      cpu,
      counts,
      nMsg,
      loopCount,
    )
    await waitFor(() => left.every(({ member }) => member.owned.length === 12), { what: 'settled', deadline: 20000 })
    const t2 = performance.now()
    await Promise.all(left.slice(0, 50).map(({ member }) => member.leave(1000)))
    const t3 = performance.now()
    await waitFor(() => left.slice(50).every(({ member }) => member.owned.length === 24), { what: 'settled' })
    const t4 = performance.now()
    console.log({ join: t1 - t0, worst, settle: t2 - t1, leave: t3 - t2, settle2: t4 - t3 })
    expect(left.flatMap((m) => m.logs)).toEqual([])
  }, 60000)
})
