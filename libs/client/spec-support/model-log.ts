import { KafkaError, parseTopicConfig, RecordBatch } from '@rivulet/protocol'
import type { Appender, AppendRequest, AppendResult, Partition, Topic } from '@rivulet/storage'

/** What the log does with a batch: keep it, keep it and lose the answer, or refuse it. */
export type Verdict = 'keep' | 'lose-answer' | KafkaError

interface ProducerState {
  epoch: number
  first: number
  last: number
  baseOffset: number
}

export interface ModelRecord {
  readonly key: string | null
  readonly value: string
  readonly headers: Record<string, unknown>
  readonly timestamp: number
}

/** One partition's log, with the rules of the append contract for producers: repetitions, gaps, old epochs. */
export class ModelPartition {
  records: ModelRecord[] = []
  /** Of each batch that was appended. */
  readonly batches: { count: number; compression: number; producerId: number; epoch: number; sequence: number }[] = []
  readonly #producers = new Map<number, ProducerState>()

  /** Loses the records from an offset on, and what was known of their producers. */
  truncate(offset: number): void {
    this.records = this.records.slice(0, offset)
    for (const [id, state] of this.#producers) {
      const lost = state.baseOffset + (state.last - state.first) >= offset
      if (lost) this.#producers.set(id, { ...state, first: -1, last: -1, baseOffset: -1 })
    }
  }

  async append(bytes: Buffer): Promise<AppendResult> {
    const batch = RecordBatch.read(Buffer.from(bytes))
    batch.verifyCrc()
    const { producerId, producerEpoch: epoch, baseSequence: first, count } = batch
    const last = (first + count - 1) % 2 ** 31
    const known = this.#producers.get(producerId)
    if (producerId >= 0 && known !== undefined) {
      if (epoch < known.epoch) return refused('INVALID_PRODUCER_EPOCH')
      if (epoch === known.epoch && first === known.first && last === known.last) {
        return { error: null, baseOffset: known.baseOffset, logAppendTime: -1, logStartOffset: 0, duplicate: true }
      }
      const expected = epoch > known.epoch ? 0 : (known.last + 1) % 2 ** 31
      if (first !== expected) return refused('OUT_OF_ORDER_SEQUENCE_NUMBER')
    }
    const baseOffset = this.records.length
    if (producerId >= 0) this.#producers.set(producerId, { epoch, first, last, baseOffset })
    const raw = await batch.records()
    const read: ModelRecord[] = []
    raw.readInto(
      read,
      (_offset, timestamp, _attributes, key, value, headers) => ({
        key: key === null ? null : key.toString(),
        value: String(value),
        headers,
        timestamp,
      }),
      { baseOffset },
    )
    this.records.push(...read)
    this.batches.push({ count, compression: batch.compression, producerId, epoch, sequence: first })
    return { error: null, baseOffset, logAppendTime: -1, logStartOffset: 0, duplicate: false }
  }
}

function refused(type: 'INVALID_PRODUCER_EPOCH' | 'OUT_OF_ORDER_SEQUENCE_NUMBER'): AppendResult {
  return { error: new KafkaError(type) }
}

/**
 * An appender on logs in memory that keeps the append contract, and lets a spec decide what goes wrong, and when a call is
 * answered.
 */
export class ModelLog implements Appender {
  readonly partitions = new Map<string, ModelPartition>()
  readonly calls: AppendRequest[][] = []
  /** Decides for each batch; `attempt` counts the batches of that partition from 1. */
  decide: (request: AppendRequest, attempt: number) => Verdict = () => 'keep'
  /** Partitions with one lane each, or all in one. */
  lanes = false
  readonly #attempts = new Map<string, number>()
  #held: (() => void)[] | null = null
  inFlight = 0

  lane(partition: Partition): string {
    return this.lanes ? String(partition.shard) : ''
  }

  /** Calls are carried out, but answered only by `release`. */
  hold(): void {
    this.#held = []
  }

  /** Answers the calls that are held, and those to come at once. */
  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const answer of held) answer()
  }

  partition(topic: string, partition = 0): ModelPartition {
    const key = `${topic}-${partition}`
    let found = this.partitions.get(key)
    if (found === undefined) this.partitions.set(key, (found = new ModelPartition()))
    return found
  }

  values(topic: string, partition = 0): string[] {
    return this.partition(topic, partition).records.map(({ value }) => value)
  }

  async append(requests: readonly AppendRequest[]): Promise<AppendResult[]> {
    this.calls.push([...requests])
    const named = requests.map(({ partition: p }) => `${p.topicId}-${p.partition}`)
    if (new Set(named).size < named.length) throw new Error('two batches of one partition in a call')
    this.inFlight++
    const results: AppendResult[] = []
    for (const request of requests) results.push(await this.#appendOne(request))
    await new Promise<void>((resolve) => {
      if (this.#held === null) setImmediate(resolve)
      else this.#held.push(resolve)
    })
    this.inFlight--
    return results
  }

  async close(): Promise<void> {}

  async #appendOne(request: AppendRequest): Promise<AppendResult> {
    const { topic, partition } = request.partition
    const key = `${topic}-${partition}`
    const attempt = (this.#attempts.get(key) ?? 0) + 1
    this.#attempts.set(key, attempt)
    const verdict = this.decide(request, attempt)
    if (verdict instanceof KafkaError) return { error: verdict }
    const result = await this.partition(topic, partition).append(request.batch)
    return verdict === 'keep' ? result : { error: new KafkaError('NETWORK_EXCEPTION') }
  }
}

let topicIds = 0

/** A topic's metadata, as a registry gives it. */
export function modelTopic(name: string, partitions = 1, configs: Record<string, string> = {}): Topic {
  const id = `id-${++topicIds}`
  return {
    name,
    id,
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      topic: name,
      topicId: id,
      partition,
      shard: partition,
    })),
    config: parseTopicConfig(configs),
    overrides: configs,
  }
}

/** The topics of a namespace, in memory. */
export class ModelTopics {
  readonly #stored = new Map<string, Topic>()
  readonly #cached = new Map<string, Topic>()
  autoCreate = true
  defaultPartitions = 1
  /** What reading and making topics waits for, or fails with. */
  before: () => Promise<void> = async () => {}
  reads = 0
  created = 0

  /** Stores a topic, and puts it into the cache unless told otherwise. */
  put(topic: Topic, { cached = true } = {}): Topic {
    this.#stored.set(topic.name, topic)
    if (cached) this.#cached.set(topic.name, topic)
    return topic
  }

  forget(name: string): void {
    this.#cached.delete(name)
  }

  cached(name: string): Topic | undefined {
    return this.#cached.get(name)
  }

  async get(name: string): Promise<Topic | null> {
    return this.#cached.get(name) ?? this.refresh(name)
  }

  async refresh(name: string): Promise<Topic | null> {
    this.reads++
    await this.before()
    const topic = this.#stored.get(name)
    if (topic === undefined) this.#cached.delete(name)
    else this.#cached.set(name, topic)
    return topic ?? null
  }

  async create({ name }: { name: string }): Promise<Topic> {
    await this.before()
    if (this.#stored.has(name)) throw new KafkaError('TOPIC_ALREADY_EXISTS')
    this.created++
    return this.put(modelTopic(name, this.defaultPartitions))
  }
}
