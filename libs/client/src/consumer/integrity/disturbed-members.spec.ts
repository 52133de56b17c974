import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { type SeededRandom, seededRandom, startSingle } from '@rivulet/testing'
import { DisturbedGroup } from '../../../spec-support/disturbed-group.js'
import type { DisturbedMember } from '../../../spec-support/disturbed-member.js'

/** RIVULET_INTEGRITY_ROUNDS multiplies the normal suite's rounds. */
const FACTOR = Number(process.env['RIVULET_INTEGRITY_ROUNDS'] ?? 1)
const ROUNDS = Math.ceil(10 * FACTOR)
const TIMEOUT = 30_000 + 15_000 * ROUNDS

const SESSION = 1500
const MEMBER = {
  sessionTimeout: SESSION,
  heartbeatInterval: 300,
  rebalanceTimeout: 500,
  maxPollIntervalMs: 1000,
  retry: { retries: 3, initialRetryTime: 10, maxRetryTime: 100 },
}
const TOPICS = ['orders', 'sought', 'fleeting', /^extra-\d+$/] as const
const DISTURBANCES = [
  'join',
  'join',
  'static join',
  'leave',
  'disconnect',
  'replace a static member',
  'cut',
  'cut',
  'lose an answer',
  'lose an answer',
  'lose an answer',
  'lose a request',
  'freeze for a moment',
  'freeze beyond the session',
  'throw',
  'throw',
  'hang',
  'hang',
  'add a partition',
  'make a topic',
  'make a topic again',
  'seek',
  'pause',
  'stop and run',
  'restart the server',
] as const

type Server = Awaited<ReturnType<typeof startSingle>>

class Disturbances {
  private instances = 0
  private made = 0

  constructor(
    private readonly group: DisturbedGroup,
    private readonly server: Server,
    private readonly random: SeededRandom,
  ) {}

  async disturb(): Promise<void> {
    const { group, random } = this
    const kind = random.pick(DISTURBANCES)
    const member = random.pick(group.members)
    if (kind.endsWith('join')) {
      if (group.members.length < 6)
        await group.join(TOPICS, kind === 'join' ? {} : { groupInstanceId: `i${this.instances++}` })
      return
    }
    if (kind === 'leave' || kind === 'disconnect' || kind === 'replace a static member')
      return this.remove(kind, member)
    group.happens(`${member.name}: ${kind}`)
    if (kind === 'add a partition') {
      if (group.partitionsOf('orders') < 10) await group.addPartition('orders')
    } else if (kind === 'make a topic') {
      if (this.made < 4) await group.makeTopic(`extra-${this.made++}`, random.int(1, 3))
    } else if (kind === 'make a topic again') await this.makeAgain()
    else if (kind === 'restart the server') {
      for (const { name } of group.members) group.ledger.fault(name)
      await this.server.kill()
      await sleep(random.int(0, 300))
      await this.server.restart()
    } else await this.disturbMember(kind, member)
  }

  async recover(): Promise<void> {
    const { members } = this.group
    for (const member of [...members]) {
      await member.heal()
      if (member.isOver) await this.group.leave(member)
    }
    if (members.length === 0) await this.group.join(TOPICS)
  }

  private async disturbMember(kind: (typeof DISTURBANCES)[number], member: DisturbedMember): Promise<void> {
    const { group, random } = this
    const { proxy, consumer } = member
    const isOfGroup = ({ bytes }: { bytes: Buffer }): boolean => bytes.includes(':g:g:')
    if (kind === 'throw') member.throwSoon(random.int(1, 6))
    else if (kind === 'seek') member.seekBackSoon('sought')
    else if (kind === 'pause' && !member.isOver) consumer.pause([{ topic: 'orders', partitions: [random.int(0, 3)] }])
    else if (kind === 'stop and run') {
      await consumer.stop()
      if (!member.isOver) await member.run()
    } else if (kind === 'hang') {
      group.ledger.handlerIsLate(member.name)
      member.hangSoon(random.int(MEMBER.rebalanceTimeout / 2, MEMBER.maxPollIntervalMs * 1.2))
      // Partitions are let go of while it hangs.
      if (group.members.length < 6) await group.join(TOPICS)
    } else {
      group.ledger.fault(member.name)
      if (kind === 'cut') proxy.cut()
      else if (kind === 'lose an answer') void proxy.dropReply(isOfGroup)
      else if (kind === 'lose a request') void proxy.dropRequest(isOfGroup)
      else {
        proxy.freeze()
        await sleep(random.int(0, 100))
        if (kind === 'freeze beyond the session') await sleep(random.int(SESSION, SESSION * 1.5))
        if (random.bool()) proxy.cut()
        proxy.thaw()
      }
    }
  }

  private async remove(
    kind: 'leave' | 'disconnect' | 'replace a static member',
    member: DisturbedMember,
  ): Promise<void> {
    const { group, random } = this
    if (kind === 'replace a static member') {
      const groupInstanceId = group.members.find(({ instance }) => instance !== null)?.instance ?? null
      if (groupInstanceId === null) return
      // The one before may still be there: it is fenced then.
      for (const replaced of group.members.filter(({ instance }) => instance === groupInstanceId)) {
        group.ledger.isReplaced(replaced.name)
        group.happens(`${replaced.name} is replaced`)
        if (random.bool()) await group.leave(replaced)
      }
      await group.join(TOPICS, { groupInstanceId })
      return
    }
    if (group.members.length < 2) return
    if (kind === 'leave') return group.leave(member)
    group.ledger.fault(member.name)
    group.happens(`${member.name} disconnects`)
    group.members.splice(group.members.indexOf(member), 1)
    await member.close()
  }

  private async makeAgain(): Promise<void> {
    const { group, random } = this
    await group.deleteTopic('fleeting')
    await sleep(random.int(0, 100))
    await group.makeTopic('fleeting', random.int(1, 3))
  }
}

describe('while connections break, handlers fail, sessions end and the server restarts', () => {
  it(
    'no record is left out or handled again without a cause, no commit of an earlier owner counts, and the group settles',
    async () => {
      const random = seededRandom()
      const server = await startSingle({ appendonly: true, config: ['--appendfsync', 'always'] })
      const group = await DisturbedGroup.open({ url: server.url, random, member: MEMBER, mayGoBack: ['sought'] })
      try {
        await group.makeTopic('orders', 4)
        await group.makeTopic('sought', 2)
        await group.makeTopic('fleeting', 2)
        const disturbances = new Disturbances(group, server, random)
        await group.join(TOPICS)
        await group.settle()
        for (let round = 0; round < ROUNDS; round++) {
          await group.writeDuring(async () => {
            for (let i = random.int(1, 5); i > 0; i--) {
              await sleep(random.int(0, 50))
              await disturbances.disturb()
            }
            await disturbances.recover()
          })
          await group.settle()
        }
        expect(group.ledger.problems).toEqual([])
      } finally {
        await group.close()
        await server.stop()
      }
    },
    TIMEOUT,
  )
})
