import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { quantile } from '../statistics.js'
import { GroupObserver } from './group-observer.js'
import { type RoundOptions, type Work, type WorkContext, WrongResult } from './work.js'

const PARTITIONS = 12
/** ms */
const SESSION_TIMEOUT = 2000
const DEATHS = 3
/** How long a process may take to join, ms. */
const PATIENCE = 30_000

export const killedMember: Work = {
  number: 11,
  title: 'a member of a group of 3 is killed',
  peers: ['rivulet'],
  figures: [
    {
      name: 'after',
      title: `a member is killed: until others own its partitions, beyond the session timeout of ${SESSION_TIMEOUT} ms`,
      unit: 'ms',
      targets: [{ atMost: 300 }],
    },
  ],
  open: async (peer, context) => ({
    round: async ({ checking }: RoundOptions) => {
      const { groups } = peer
      if (groups === undefined) throw new Error('The peer has no groups')
      const topic = await context.createTopic(PARTITIONS)
      const times = { sessionTimeout: SESSION_TIMEOUT, heartbeatInterval: SESSION_TIMEOUT / 5 }
      const observer = new GroupObserver(groups, groups.newGroup(), topic, times).withoutLoad()
      try {
        await observer.join()
        await observer.join()
        const after: number[] = []
        for (let i = 0; i < (checking ? 1 : DEATHS); i++) {
          const victim = await startMember(context, observer.group, topic.name)
          const change = observer.change()
          victim.kill('SIGKILL')
          after.push((await change).settled - SESSION_TIMEOUT)
        }
        return { after: quantile(after, 1) }
      } finally {
        await observer.end()
        await context.deleteTopic(topic)
      }
    },
    close: async () => {},
  }),
}

/** A third member; resolves when it owns its share. */
async function startMember({ settings }: WorkContext, group: string, topic: string): Promise<ChildProcess> {
  const args = [settings.redisUrl, settings.prefix, group, topic, String(SESSION_TIMEOUT)]
  const child = fork(fileURLToPath(new URL('../member-main.js', import.meta.url)), args)
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('message', (owned) => {
        if (owned === PARTITIONS / 3) resolve()
      })
      child.once('exit', () => reject(new WrongResult(`The third member did not get its partitions in ${PATIENCE} ms`)))
    })
  } finally {
    clearTimeout(timer)
  }
  return child
}
