import { makeSends, VALUE_BYTES } from '../payloads.js'
import type { Peer } from '../peers/peer.js'
import { Receipt } from './receiving.js'
import { perSecond, sendFor } from './sending.js'
import { PARTITIONS, type RoundOptions, type Work, type WorkContext } from './work.js'

const MANY = 1000
const SEND = 1000
const IN_FLIGHT = 32
/** A hundred a partition, so that all of them are used. */
const KEYS = 100_000
/** How long the consumer may take to come to the end when the producer is done, s. */
const PATIENCE = 60

const LOAD = `sends of 1,000, ${IN_FLIGHT} in flight, and one consumer`

export const manyPartitions: Work = {
  number: 9,
  title: '1,000 partitions, one producer and one consumer',
  peers: ['rivulet'],
  figures: [
    { name: 'six', title: `${PARTITIONS} partitions: ${LOAD}`, unit: 'records/s', targets: [] },
    { name: 'many', title: `1,000 partitions: same load`, unit: 'records/s', targets: [] },
    { name: 'ratio', title: `  1,000 partitions over ${PARTITIONS}`, unit: 'ratio', targets: [{ atLeast: 0.5 }] },
  ],
  open: async (peer, context) => ({
    round: async (options) => {
      const six = await throughAndBack(peer, context, PARTITIONS, options)
      const many = await throughAndBack(peer, context, MANY, options)
      return { six, many, ratio: many / six }
    },
    close: async () => {},
  }),
}

/** Produces and consumes at the same time. @returns records a second, from the first send to the last record's arrival */
async function throughAndBack<A>(
  peer: Peer<A>,
  context: WorkContext,
  partitions: number,
  options: RoundOptions,
): Promise<number> {
  const topic = await context.createTopic(partitions)
  const sends = makeSends(topic, SEND, KEYS)
  const warmUp = sends.slice(0, 10)
  for (const messages of warmUp) await peer.send(topic, messages)
  const receipt = new Receipt(options.checking)
  const stop = await peer.consume(topic, 'batch', receipt)
  try {
    await receipt.until(warmUp.length * SEND, PATIENCE)
    const start = performance.now()
    const { records } = await sendFor(peer, topic, sends, IN_FLIGHT, options)
    const all = records + warmUp.length * SEND
    await receipt.until(all, PATIENCE)
    const elapsed = performance.now() - start
    receipt.check(all, all * VALUE_BYTES)
    return perSecond(records, elapsed)
  } finally {
    await stop()
    await context.deleteTopic(topic)
  }
}
