import type { EachMessagePayload, KafkaMessage } from '../types.js'
import type { WorkInHand } from './work-in-hand.js'

/** What eachMessage gets. A class, so that a signal is made only where it is asked for. */
export class MessagePayload implements EachMessagePayload {
  readonly #work: WorkInHand

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly message: KafkaMessage,
    readonly heartbeat: () => Promise<void>,
    readonly pause: () => () => void,
    work: WorkInHand,
  ) {
    this.#work = work
  }

  get signal(): AbortSignal {
    return this.#work.signal
  }
}
