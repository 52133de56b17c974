import type { Admin, Consumer, EachMessagePayload } from '@rivulet/client'
import { describe } from './dead-letter.js'

type Delivery = Pick<EachMessagePayload, 'topic' | 'partition' | 'message'>

/** Keeps counts beyond the life of this process. */
export interface AttemptStore {
  /** How often the message at this offset has failed. */
  load(delivery: Delivery): Promise<number>
  save(delivery: Delivery, attempts: number): Promise<void>
}

/** Counts how often the message that a partition stands at has failed: there is never more than one. */
export class DeliveryAttempts {
  readonly #failing = new Map<string, { readonly offset: string; readonly attempts: number }>()

  /** @param store null: counts last as long as this process */
  constructor(private readonly store: AttemptStore | null) {}

  /** Counts a failure. @returns how often the message has failed by now */
  async failed(delivery: Delivery): Promise<number> {
    const { message } = delivery
    const known = this.#failing.get(keyOf(delivery))
    const before = known?.offset === message.offset ? known.attempts : ((await this.store?.load(delivery)) ?? 0)
    const attempts = before + 1
    this.#failing.set(keyOf(delivery), { offset: message.offset, attempts })
    await this.store?.save(delivery, attempts)
    return attempts
  }

  /** The partition goes on. */
  passed(delivery: Pick<Delivery, 'topic' | 'partition'>): void {
    this.#failing.delete(keyOf(delivery))
  }
}

const keyOf = ({ topic, partition }: Pick<Delivery, 'topic' | 'partition'>): string => `${topic}:${partition}`

const METADATA = /^rivulet attempts=(\d+)$/

/**
 * Keeps counts in the group's commits: a message that has failed is the one that the group stands at, and the commit says
 * so in its metadata. A count that cannot be kept is no reason to stop: it is logged.
 */
export class CommittedAttempts implements AttemptStore {
  constructor(
    private readonly clients: {
      readonly fetchOffsets: Admin['fetchOffsets']
      readonly commitOffsets: Consumer['commitOffsets']
      readonly groupId: string
      readonly logger: { warn(message: string): void }
    },
  ) {}

  async load({ topic, partition, message }: Delivery): Promise<number> {
    const { groupId, fetchOffsets } = this.clients
    try {
      const [offsets] = await fetchOffsets({ groupId, topics: [topic] })
      const committed = offsets?.partitions.find((entry) => entry.partition === partition)
      if (committed?.offset !== message.offset) return 0
      return Number(METADATA.exec(committed.metadata ?? '')?.[1] ?? 0)
    } catch (error) {
      this.#warn('read', error)
      return 0
    }
  }

  async save({ topic, partition, message: { offset } }: Delivery, attempts: number): Promise<void> {
    try {
      await this.clients.commitOffsets([{ topic, partition, offset, metadata: `rivulet attempts=${attempts}` }])
    } catch (error) {
      this.#warn('kept', error)
    }
  }

  #warn(verb: string, error: unknown): void {
    this.clients.logger.warn(`How often a message has failed could not be ${verb}: ${describe(error).text}`)
  }
}
