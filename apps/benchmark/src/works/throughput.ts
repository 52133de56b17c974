import { makeSends } from '../payloads.js'
import type { PeerName } from '../peers/settings.js'
import { perSecond, sendFor } from './sending.js'
import { PARTITIONS, type Target, type Work } from './work.js'

const ALL: readonly PeerName[] = ['rivulet', 'kafkajs', 'platformatic', 'bullmq', 'ioredis']

/** Producing: sends of so many records, so many at a time. */
function throughput(number: number, title: string, size: number, inFlight: number, targets: readonly Target[]): Work {
  return {
    number,
    title,
    peers: ALL,
    figures: [{ name: 'rate', title, unit: 'records/s', targets }],
    open: async (peer, context) => ({
      round: async (options) => {
        const topic = await context.createTopic(PARTITIONS)
        // every partition's metadata is there before time counts
        for (const messages of makeSends(topic, 100).slice(0, 4)) await peer.send(topic, messages)
        const { records, elapsed } = await sendFor(peer, topic, makeSends(topic, size), inFlight, options)
        await context.deleteTopic(topic)
        return { rate: perSecond(records, elapsed) }
      },
      close: async () => {},
    }),
  }
}

export const sendsOf1000 = throughput(1, 'sends of 1,000, 4 in flight', 1000, 4, [
  { peer: 'kafkajs', atLeast: 7 },
  { peer: 'platformatic', atLeast: 2.5 },
])

export const sendsOf100 = throughput(2, 'sends of 100, 8 in flight', 100, 8, [{ peer: 'kafkajs', atLeast: 6 }])

export const singleSends = throughput(3, 'single sends, 1,000 in flight', 1, 1000, [{ peer: 'kafkajs', atLeast: 15 }])
