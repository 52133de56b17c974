import { setTimeout as sleep } from 'node:timers/promises'
import { CommandCounter } from '../redis.js'
import { GroupObserver } from './group-observer.js'
import type { Work } from './work.js'

const MEMBERS = 10
const PARTITIONS = 12
/** How long commands are counted, s: several heartbeats, waits and checks. */
const DURATION = 20

export const idleGroup: Work = {
  number: 14,
  title: 'an idle group of 10',
  peers: ['rivulet'],
  deterministic: true,
  figures: [
    {
      name: 'rate',
      title: 'an idle group of 10: commands that a member sends',
      unit: 'commands/s',
      targets: [{ atMost: 1 }],
    },
  ],
  open: async ({ groups }, context) => ({
    round: async () => {
      if (groups === undefined) throw new Error('The peer has no groups')
      const topic = await context.createTopic(PARTITIONS)
      const observer = new GroupObserver(groups, groups.newGroup(), topic).withoutLoad()
      const counter = await CommandCounter.open(context.settings.redisUrl)
      try {
        for (let i = 0; i < MEMBERS; i++) await observer.join()
        await sleep(1000)
        const before = counter.count
        await sleep(DURATION * 1000)
        return { rate: (counter.count - before) / DURATION / MEMBERS }
      } finally {
        counter.close()
        await observer.end()
        await context.deleteTopic(topic)
      }
    },
    close: async () => {},
  }),
}
