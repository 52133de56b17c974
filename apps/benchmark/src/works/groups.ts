import { setTimeout as sleep } from 'node:timers/promises'
import { makeSends } from '../payloads.js'
import type { BenchRecord, GroupMaker, Peer, Topic } from '../peers/peer.js'
import { median, quantile } from '../statistics.js'
import { type Change, GroupObserver } from './group-observer.js'
import type { RoundOptions, Work, WorkContext } from './work.js'

const PARTITIONS = 12
/** A send of this many records has some for each of the 12 partitions. */
const SEND = 100
/** Between two sends, ms. */
const PACE = 2
/** Changes in a round, joins and leaves alternating. */
const CHANGES = 10
/** How long a group is left alone between two changes, ms. */
const REST = 300

export const rebalance: Work = {
  number: 10,
  title: 'a member joins or leaves a group of 2, 12 partitions, under load',
  peers: ['rivulet', 'kafkajs'],
  figures: [
    { name: 'p50', title: 'a member joins or leaves a group of 2, until stable, p50', unit: 'ms', targets: [] },
    { name: 'p95', title: '  p95', unit: 'ms', targets: [{ atMost: 150 }] },
    { name: 'pause', title: "  others' longest pause, p95", unit: 'ms', targets: [{ atMost: 50 }] },
  ],
  open: async (peer, context) => ({
    round: async ({ checking }: RoundOptions) => {
      const changes = await comeAndGo(peer, context, checking ? 2 : CHANGES)
      const settled = changes.map((change) => change.settled)
      const pauses = changes.map((change) => change.pause)
      return { p50: median(settled), p95: quantile(settled, 0.95), pause: quantile(pauses, 0.95) }
    },
    close: async () => {},
  }),
}

async function comeAndGo<A>(peer: Peer<A>, context: WorkContext, count: number): Promise<Change[]> {
  const topic = await context.createTopic(PARTITIONS)
  const groups = groupsOf(peer)
  const observer = new GroupObserver(groups, groups.newGroup(), topic)
  const load = new Load(peer, topic)
  const changes: Change[] = []
  try {
    await observer.join()
    await observer.join()
    while (changes.length < count) {
      await sleep(REST)
      changes.push(await observer.join())
      await sleep(REST)
      changes.push(await observer.leave())
    }
    return changes
  } finally {
    await load.stop()
    await observer.end()
    await context.deleteTopic(topic)
  }
}

/** Records for every partition, all the time. */
class Load<A> {
  readonly #sends: BenchRecord[][]
  readonly #running: Promise<void>
  #stopped = false

  constructor(
    private readonly peer: Peer<A>,
    private readonly topic: Topic,
  ) {
    this.#sends = makeSends(topic, SEND)
    this.#running = this.#run()
    this.#running.catch(() => undefined)
  }

  /** @throws what the sends threw */
  stop(): Promise<void> {
    this.#stopped = true
    return this.#running
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      await this.peer.send(this.topic, this.#sends[i % this.#sends.length] ?? [])
      await sleep(PACE)
    }
  }
}

const MEMBERS = 100

export const largeGroup: Work = {
  number: 12,
  title: '100 members of one group, 1,200 partitions',
  peers: ['rivulet'],
  deterministic: true,
  figures: [
    {
      name: 'joined',
      title: '100 members join one by one, settled after the last',
      unit: 'ms',
      targets: [{ atMost: 2000 }],
    },
    { name: 'left', title: '  then 50 leave, settled after them', unit: 'ms', targets: [{ atMost: 2000 }] },
  ],
  open: async (peer, context) => ({
    round: async () => {
      const topic = await context.createTopic(MEMBERS * PARTITIONS)
      const groups = groupsOf(peer)
      const observer = new GroupObserver(groups, groups.newGroup(), topic).withoutLoad()
      try {
        for (let i = 1; i < MEMBERS; i++) await observer.join()
        const { settled: joined } = await observer.join()
        const { settled: left } = await observer.leave(MEMBERS / 2)
        return { joined, left }
      } finally {
        await observer.end()
        await context.deleteTopic(topic)
      }
    },
    close: async () => {},
  }),
}

function groupsOf(peer: Peer<unknown>): GroupMaker {
  if (peer.groups === undefined) throw new Error('The peer has no groups')
  return peer.groups
}
