import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { type SeededRandom, seededRandom, sendCommand, startSingle } from '@rivulet/testing'
import { DisturbedGroup } from '../../../spec-support/disturbed-group.js'
import type { DisturbedMember } from '../../../spec-support/disturbed-member.js'

/** RIVULET_INTEGRITY_ROUNDS multiplies the normal suite's rounds. */
const FACTOR = Number(process.env['RIVULET_INTEGRITY_ROUNDS'] ?? 1)
const ROUNDS = Math.ceil(20 * FACTOR)
const TIMEOUT = 30_000 + 5000 * ROUNDS

const TOPICS = ['orders', 'payments', /^extra-\d+$/] as const
const CHANGES = [
  'join',
  'join',
  'static join',
  'leave',
  'leave',
  'restart a static member',
  'subscribe',
  'add a partition',
  'make a topic',
  'pause',
  'stop and run',
  'flush scripts',
] as const

/** Changes of a group in which nothing fails. */
class OrderlyGroup {
  private instances = 0
  private made = 0

  constructor(
    private readonly group: DisturbedGroup,
    private readonly server: { readonly host: string; readonly port: number },
    private readonly random: SeededRandom,
  ) {}

  async change(): Promise<void> {
    const { group, random } = this
    const { members } = group
    const change = random.pick(CHANGES)
    const member = random.pick(members)
    if (change === 'join' && members.length < 6) await this.join()
    else if (change === 'static join' && members.length < 6) await this.join(`i${this.instances++}`)
    else if (change === 'leave') await this.leave(member)
    else if (change === 'restart a static member') await this.restartStatic()
    else if (change === 'subscribe') {
      const topic = random.pick(TOPICS)
      group.happens(`${member.name} subscribes ${String(topic)}`)
      await member.subscribeAlso(topic)
    } else if (change === 'add a partition') {
      const topic = random.pick(['orders', 'payments'])
      group.happens(`${topic} gets a partition`)
      if (group.partitionsOf(topic) < 12) await group.addPartition(topic)
    } else if (change === 'make a topic' && this.made < 5) {
      group.happens(`extra-${this.made} is made`)
      await group.makeTopic(`extra-${this.made++}`, random.int(1, 3))
    } else if (change === 'pause') {
      const request = { topic: random.pick(['orders', 'payments']), partitions: [random.int(0, 3)] }
      group.happens(`${member.name} pauses ${request.topic}-${request.partitions.join()}`)
      member.consumer.pause([request])
    } else if (change === 'stop and run') {
      group.happens(`${member.name} stops and runs`)
      await member.consumer.stop()
      await member.run()
    } else if (change === 'flush scripts') {
      group.happens('the scripts are flushed')
      await sendCommand(this.server, 'SCRIPT', 'FLUSH')
    }
  }

  private async join(groupInstanceId?: string): Promise<void> {
    // Somebody always wants everything.
    const topics = this.group.members.length === 0 ? TOPICS : [this.random.pick(TOPICS), this.random.pick(TOPICS)]
    const joining = this.group.join(topics, groupInstanceId === undefined ? {} : { groupInstanceId })
    if (this.random.bool() && this.group.members.length > 0) {
      await Promise.all([joining, this.leave(this.random.pick(this.group.members))])
    } else await joining
  }

  private async leave(member: DisturbedMember): Promise<void> {
    const { members } = this.group
    // What a static member had is nobody's until its session is over.
    if (members.indexOf(member) > 0 && member.instance === null) await this.group.leave(member)
  }

  private async restartStatic(): Promise<void> {
    const member = this.group.members.find(({ instance }) => instance !== null)
    if (member?.instance == null) return
    await this.group.leave(member)
    await this.group.join([...member.topics], { groupInstanceId: member.instance })
  }
}

describe('while members join and leave, subscribe and pause, and topics and partitions come', () => {
  it(
    'every record is handled once, in order, by one member, and committed',
    async () => {
      const random = seededRandom()
      const server = await startSingle()
      const group = await DisturbedGroup.open({ url: server.url, random, member: { sessionTimeout: 20_000 } })
      try {
        await group.makeTopic('orders', 4)
        await group.makeTopic('payments', 3)
        const { hostname, port } = new URL(server.url)
        const changes = new OrderlyGroup(group, { host: hostname, port: Number(port) }, random)
        await group.join(TOPICS)
        await group.settle()
        for (let round = 0; round < ROUNDS; round++) {
          await group.writeDuring(async () => {
            for (let i = random.int(1, 5); i > 0; i--) {
              await sleep(random.int(0, 30))
              await changes.change()
            }
            await Promise.all(group.members.map((member) => member.heal()))
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
