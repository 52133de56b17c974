import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { seededRandom, testRedisUrl } from '@rivulet/testing'
import { TestNamespace } from '../../../spec-support/consumers.js'
import { MemberProcess } from '../../../spec-support/member-process.js'
import { RecordedGroup } from '../../../spec-support/recorded-group.js'

/** RIVULET_INTEGRITY_ROUNDS multiplies the normal suite's rounds. */
const ROUNDS = Math.ceil(2 * Number(process.env['RIVULET_INTEGRITY_ROUNDS'] ?? 1))
const TIMEOUT = 30_000 + 15_000 * ROUNDS
const SESSION = 1500

describe('when the processes of members are killed, or frozen for longer than their session', () => {
  it(
    'others go on from what was committed, who wakes up cannot commit what is no longer its own, and takes part again',
    async () => {
      const [random, url] = [seededRandom(), testRedisUrl()]
      const namespace = await TestNamespace.open({ urls: [url] })
      const group = new RecordedGroup<MemberProcess>(namespace, { url, random })
      let named = 0
      const join = async (): Promise<void> => {
        const name = `m${named++}`
        group.happens(`${name} joins`)
        const { ledger } = group
        const options = { name, url, namespace: namespace.name, topic: 'orders', sessionTimeout: SESSION, ledger }
        const member = new MemberProcess(options)
        group.members.push(member)
        await member.joined
      }
      try {
        await group.makeTopic('orders', 6)
        await Promise.all([join(), join(), join()])
        await group.settle()
        for (let round = 0; round < ROUNDS; round++) {
          const [victim = null, ...others] = random.shuffle(group.members)
          if (victim === null) throw new Error('there is no member')
          await group.writeDuring(async () => {
            await sleep(random.int(0, 200))
            if (random.bool(0.3)) {
              group.happens(`${victim.name} is killed`)
              await victim.kill()
              group.members.splice(0, group.members.length, ...others)
              await join()
            } else {
              group.happens(`${victim.name} is frozen`)
              victim.freeze()
              await sleep(random.int(SESSION / 2, 2.5 * SESSION))
              group.happens(`${victim.name} is thawed`)
              victim.thaw()
            }
          })
          await group.settle()
        }
        expect(group.ledger.problems).toEqual([])
      } finally {
        await group.close()
      }
    },
    TIMEOUT,
  )
})
