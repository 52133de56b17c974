import { makeSends, VALUE_BYTES } from '../payloads.js'
import type { Peer, Sink, Topic, Unit } from '../peers/peer.js'
import { Receipt } from './receiving.js'
import { fill } from './sending.js'
import { MAX_RECORDS, PARTITIONS, type RoundOptions, type Work } from './work.js'

const SEND = 1000
/** How long all records may take to come, s. */
const PATIENCE = 120

/** A group commits, heartbeats and asks who owns what: what that costs, with the same records. */
export const groupAgainstAssignment: Work = {
  number: 13,
  title: 'reading as a group against reading by assignment',
  peers: ['rivulet'],
  figures: [
    { name: 'batch', title: 'eachBatch by a group over by assignment', unit: 'ratio', targets: [{ atLeast: 0.9 }] },
    { name: 'message', title: 'eachMessage by a group over by assignment', unit: 'ratio', targets: [{ atLeast: 0.9 }] },
  ],
  open: async (peer, context) => {
    const topic = await context.createTopic(PARTITIONS)
    let records = 0
    return {
      round: async ({ seconds, checking }: RoundOptions) => {
        if (records === 0) {
          records = Math.ceil(Math.min(peer.expectedRate * seconds, MAX_RECORDS) / SEND) * SEND
          await fill(peer, topic, makeSends(topic, SEND), records)
        }
        const rates = async (unit: Unit): Promise<number> => {
          const assigned = await read(topic, records, checking, (sink) => peer.consume(topic, unit, sink))
          const asGroup = await read(topic, records, checking, (sink) => consumeAsGroup(peer, topic, unit, sink))
          return asGroup / assigned
        }
        return { batch: await rates('batch'), message: await rates('message') }
      },
      close: () => context.deleteTopic(topic),
    }
  },
}

function consumeAsGroup(peer: Peer<unknown>, topic: Topic, unit: Unit, sink: Sink): Promise<() => Promise<void>> {
  if (peer.consumeAsGroup === undefined) throw new Error('The peer has no other way to consume')
  return peer.consumeAsGroup(topic, unit, sink)
}

/** @returns records a second */
async function read(
  { name }: Topic,
  records: number,
  checking: boolean,
  consume: (sink: Sink) => Promise<() => Promise<void>>,
): Promise<number> {
  const receipt = new Receipt(checking)
  const all = receipt.until(records, PATIENCE)
  const stop = await consume(receipt)
  try {
    await all
  } catch (error) {
    throw new Error(`Reading ${name} has failed`, { cause: error })
  } finally {
    await stop()
  }
  receipt.check(records, records * VALUE_BYTES)
  return receipt.rate
}
