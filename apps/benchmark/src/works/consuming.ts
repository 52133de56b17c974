import { makeSends, VALUE_BYTES } from '../payloads.js'
import type { Peer, Topic, Unit } from '../peers/peer.js'
import { Receipt } from './receiving.js'
import { fill } from './sending.js'
import { MAX_RECORDS, PARTITIONS, type RoundOptions, type Target, type Work, type WorkContext } from './work.js'

const SEND = 1000
/** How long all records may take to come, s. */
const PATIENCE = 120

/** Reading a topic from its beginning to its end, from the first call of the handler to the last. */
function consuming(number: number, title: string, unit: Unit, targets: readonly Target[]): Work {
  return {
    number,
    title,
    peers: ['rivulet', 'kafkajs', 'platformatic', 'bullmq', 'ioredis'],
    figures: [{ name: 'rate', title, unit: 'records/s', targets }],
    open: async (peer, context) => {
      const stock = new Stock(peer, context)
      return {
        round: async ({ seconds, checking }: RoundOptions) => {
          const { topic, records, bytes } = await stock.get(seconds)
          const receipt = new Receipt(checking)
          const all = receipt.until(records, PATIENCE)
          const stop = await peer.consume(topic, unit, receipt)
          try {
            await all
          } finally {
            await stop()
          }
          receipt.check(records, bytes)
          return { rate: receipt.rate }
        },
        close: () => stock.discard(),
      }
    },
  }
}

interface Filled {
  readonly topic: Topic
  readonly records: number
  /** Of all values. */
  readonly bytes: number
}

/** A filled topic, read again in each round, or filled again where reading empties it. */
class Stock<A> {
  #filled: Filled | null = null

  constructor(
    private readonly peer: Peer<A>,
    private readonly context: WorkContext,
  ) {}

  async get(seconds: number): Promise<Filled> {
    if (this.#filled !== null && !this.peer.consumesOnce) return this.#filled
    const topic = this.#filled?.topic ?? (await this.context.createTopic(PARTITIONS))
    const sends = makeSends(topic, SEND)
    const count = Math.min(this.peer.expectedRate * seconds, MAX_RECORDS)
    const records = Math.ceil(count / SEND) * SEND
    await fill(this.peer, topic, sends, records)
    this.#filled = { topic, records, bytes: records * VALUE_BYTES }
    return this.#filled
  }

  async discard(): Promise<void> {
    if (this.#filled !== null) await this.context.deleteTopic(this.#filled.topic)
  }
}

export const eachBatch = consuming(5, 'eachBatch', 'batch', [{ peer: 'kafkajs', atLeast: 3 }])

export const eachMessage = consuming(6, 'eachMessage', 'message', [{ peer: 'kafkajs', atLeast: 2 }])
