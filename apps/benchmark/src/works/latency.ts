import { makeSends } from '../payloads.js'
import type { BenchRecord, Peer, Sink, Topic } from '../peers/peer.js'
import { quantile } from '../statistics.js'
import { PARTITIONS, type Work, WrongResult } from './work.js'

/** So many samples at least, however long they take. */
const SAMPLES = 1000
/** How long a record may take, ms; the first one waits for the consumer to have joined its group. */
const PATIENCE = 30_000

export const latency: Work = {
  number: 7,
  title: 'produce to handler, idle',
  peers: ['rivulet', 'kafkajs', 'platformatic', 'bullmq', 'ioredis'],
  figures: [
    {
      name: 'p50',
      title: 'produce to handler, idle, p50',
      unit: 'ms',
      targets: [{ peer: 'kafkajs', atMost: 0.4 }],
    },
    { name: 'p99', title: '  p99', unit: 'ms', targets: [{ peer: 'kafkajs', atMost: 0.4 }] },
  ],
  open: async (peer, context) => {
    const topic = await context.createTopic(PARTITIONS)
    const handler = new Arrivals()
    const stop = await peer.consume(topic, 'message', handler)
    const sends = makeSends(topic, 1)
    let next = 0
    const sample = (): Promise<number> => trip(peer, topic, sends[next++ % sends.length] ?? [], handler)
    return {
      round: async ({ seconds }) => {
        // the first round's include the time until the consumer is there
        for (let i = 0; i < 50; i++) await sample()
        const durations: number[] = []
        const end = performance.now() + seconds * 1000
        while (performance.now() < end || durations.length < SAMPLES) durations.push(await sample())
        return { p50: quantile(durations, 0.5), p99: quantile(durations, 0.99) }
      },
      close: async () => {
        await stop()
        if (handler.arrived !== next) throw new WrongResult(`${next} records were sent, ${handler.arrived} came`)
        await context.deleteTopic(topic)
      },
    }
  },
}

/** From before the send to the handler's call. Ends only when the send is answered as well: nothing is left under way. */
async function trip<A>(peer: Peer<A>, topic: Topic, messages: BenchRecord[], handler: Arrivals): Promise<number> {
  const arrival = handler.next()
  const start = performance.now()
  const answer = peer.send(topic, messages)
  const [arrived] = await Promise.all([arrival, answer])
  return arrived - start
}

class Arrivals implements Sink {
  readonly checking = false
  arrived = 0
  #waiting: ((time: number) => void) | null = null

  next(): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new WrongResult(`A record did not come within ${PATIENCE} ms`)), PATIENCE)
      this.#waiting = (time) => {
        clearTimeout(timer)
        resolve(time)
      }
    })
  }

  take(records: number): void {
    const time = performance.now()
    this.arrived += records
    this.#waiting?.(time)
  }

  at(): void {}
}
