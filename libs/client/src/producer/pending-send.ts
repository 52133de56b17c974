import { KafkaJSAggregateError, type KafkaJSError } from '../errors.js'
import type { RecordMetadata } from '../types.js'

/** What failed of a send, and where. `partition` is -1 where the topic as a whole failed. */
export interface SendFailure {
  readonly topic: string
  readonly partition: number
  readonly error: KafkaJSError
}

/**
 * A send of which parts failed. Topics and partitions are stored independently of each other: one that fails never takes
 * its neighbours with it, so what is in `results` is stored, and must not be sent again.
 *
 * `type`, `code` and `retriable` are those of the first failure, for callers that look at one error only.
 */
export class KafkaJSSendError extends KafkaJSAggregateError {
  override name = 'KafkaJSSendError'
  /** Every failure with its topic, partition (-1: the whole topic) and error. */
  readonly failures: readonly SendFailure[]
  /** The metadata of what was stored, as send() resolves with it. */
  readonly results: readonly RecordMetadata[]
  /** Whether trying again what failed may help: so it is for every failure. */
  readonly retriable: boolean
  /** The first failure's protocol error name, where it has one. */
  readonly type: string | undefined
  /** The first failure's code, where it has one. */
  readonly code: number | string | undefined

  constructor(failures: readonly SendFailure[], results: readonly RecordMetadata[]) {
    const where = failures.map((f) => (f.partition < 0 ? f.topic : `${f.topic}-${f.partition}`))
    const stored = results.length === 0 ? 'nothing was stored' : 'the other parts were stored (see results)'
    super(
      `Sending to ${[...new Set(where)].join(', ')} failed, ${stored}: ${failures[0]?.error.message ?? ''}`,
      failures.map((f) => f.error),
    )
    this.failures = failures
    this.results = results
    this.retriable = failures.every((f) => f.error.retriable)
    const first: unknown = failures[0]?.error
    const field = (name: string): unknown =>
      first instanceof Error && name in first ? Reflect.get(first, name) : undefined
    const type = field('type')
    const code = field('code')
    this.type = typeof type === 'string' ? type : undefined
    this.code = typeof code === 'number' || typeof code === 'string' ? code : undefined
  }
}

/** One send() or sendBatch(): settles when all of its parts are settled. */
export class PendingSend {
  readonly acks: number
  readonly #resolve: (results: RecordMetadata[]) => void
  readonly #reject: (error: Error) => void
  /** Parts not settled yet, and topics not yet split into parts. */
  #open: number
  /** By topic as the caller named them, then by partition; a part that gives none leaves a hole. */
  readonly #results: RecordMetadata[][] = []
  #failures: SendFailure[] | undefined
  /** What the caller gets where nothing else has failed. */
  #alone: KafkaJSError | undefined

  /** @param topics how many topics it names: each is let go of by `done()` once its parts are expected */
  constructor(
    acks: number,
    topics: number,
    resolve: (results: RecordMetadata[]) => void,
    reject: (error: Error) => void,
  ) {
    this.acks = acks
    this.#open = topics
    this.#resolve = resolve
    this.#reject = reject
  }

  /**
   * That many parts of a topic are to be settled.
   *
   * @returns where their results go, each at its part's place among the partitions
   */
  expect(topicIndex: number, parts: number): RecordMetadata[] {
    this.#open += parts
    return (this.#results[topicIndex] = new Array<RecordMetadata>(parts))
  }

  /** One part more: what was to be one is stored in several batches. */
  expectAnother(): void {
    this.#open++
  }

  /** A part failed. @param alone what the caller gets where that is all: the error itself, or as kafkajs wraps it */
  failed(topic: string, partition: number, error: KafkaJSError, alone = error): void {
    this.#failures ??= []
    this.#alone ??= alone
    this.#failures.push({ topic, partition, error })
    this.done()
  }

  /** A part is settled (its result is in its place), or a topic is split into its parts. */
  done(): void {
    if (--this.#open > 0) return
    const failures = this.#failures
    const [topic] = this.#results
    if (failures === undefined && this.acks !== 0 && topic !== undefined && this.#results.length === 1) {
      return this.#resolve(topic)
    }
    // flat() passes over the holes
    const results = this.#results.flat()
    if (failures === undefined) return this.#resolve(results)
    const [first] = failures
    // One cause, and nothing beside it that is stored: the caller gets the error itself, as from kafkajs.
    if (first !== undefined && results.length === 0 && failures.every((f) => f.error === first.error)) {
      return this.#reject(this.#alone ?? first.error)
    }
    this.#reject(new KafkaJSSendError(failures, results))
  }
}
