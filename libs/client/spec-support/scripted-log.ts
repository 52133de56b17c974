import { parseTopicConfig, RecordBatchBuilder } from '@rivulet/protocol'
import type {
  FetchRequest,
  FetchResult,
  LeaderEpoch,
  LogReader,
  Partition,
  PartitionDescription,
  SeenEpoch,
  StoredBatch,
  Topic,
  Validation,
} from '@rivulet/storage'

/** Record batches in memory behind a LogReader that notes what it is asked, for specs of when and what is fetched. */
export class ScriptedLog implements LogReader {
  readonly calls: {
    readonly kind: 'fetch' | 'wait'
    readonly offsets: Record<number, number>
    readonly maxBytes: number
  }[] = []
  readonly partitions: Partition[]
  /** What validate answers; by default that every position is valid. */
  verdict: (offset: number, epochs: readonly SeenEpoch[]) => Validation = () => ({ kind: 'valid' })
  validated: { readonly partition: number; readonly offset: number; readonly epochs: readonly SeenEpoch[] }[] = []
  /** Holds answers back until it is resolved. */
  gate: Promise<void> = Promise.resolve()
  epoch: LeaderEpoch = { number: 0, replicationId: 'aaaaaaaa' }
  private readonly batches: StoredBatch[][]
  private readonly reconnectListeners = new Set<() => void>()
  private endWait: (() => void) | null = null

  constructor(count: number) {
    this.partitions = Array.from({ length: count }, (_, partition) => ({
      topic: 't',
      topicId: 'id',
      partition,
      shard: 0,
    }))
    this.batches = this.partitions.map(() => [])
  }

  /** Appends a batch of `count` records of `size` bytes each. */
  append(partition: number, count = 1, size = 10): void {
    const log = this.log(partition)
    const builder = new RecordBatchBuilder()
    for (let i = 0; i < count; i++) builder.append(null, Buffer.alloc(size, 120), undefined, 1)
    const bytes = builder.build({ producerId: -1, producerEpoch: 0, baseSequence: 0 })
    if (bytes instanceof Promise) throw new Error('uncompressed batches are built at once')
    const baseOffset = log.at(-1)?.endOffset ?? 0
    log.push({ bytes, baseOffset, endOffset: baseOffset + count, leaderEpoch: this.epoch, appendTime: -1 })
    this.endWait?.()
  }

  lane(): string {
    return ''
  }

  async fetch(requests: readonly FetchRequest[], maxBytes: number): Promise<FetchResult[]> {
    this.note('fetch', requests, maxBytes)
    await this.gate
    let room = maxBytes
    return requests.map((request) => {
      const found: StoredBatch[] = []
      let ownRoom = request.maxBytes
      let more = false
      for (const batch of this.after(request)) {
        const { length } = batch.bytes
        if (room <= 0 || ownRoom <= 0 || (found.length > 0 && (length > room || length > ownRoom))) {
          more = true
          break
        }
        room -= length
        ownRoom -= length
        found.push(batch)
      }
      return this.result(request, found, more)
    })
  }

  async wait(requests: readonly FetchRequest[], timeoutMs: number): Promise<FetchResult[]> {
    this.note('wait', requests, 0)
    const some = (): FetchResult[] =>
      requests.flatMap((request) => {
        const [first] = this.after(request)
        return first === undefined ? [] : [this.result(request, [first], true)]
      })
    if (some().length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.endWait = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.endWait = null
    }
    return some()
  }

  interrupt(): void {
    this.endWait?.()
  }

  async validate(partition: Partition, offset: number, epochs: readonly SeenEpoch[]): Promise<Validation> {
    this.validated.push({ partition: partition.partition, offset, epochs: [...epochs] })
    return this.verdict(offset, epochs)
  }

  onReconnect(listener: () => void): () => void {
    this.reconnectListeners.add(listener)
    return () => void this.reconnectListeners.delete(listener)
  }

  reconnect(): void {
    for (const listener of this.reconnectListeners) listener()
  }

  async close(): Promise<void> {
    this.endWait?.()
  }

  /** The other side of the storage: the topic, and bounds of its logs. */
  readonly topics = {
    get: async () => this.topic(),
    refresh: async () => this.topic(),
    watch: () => () => undefined,
  }

  readonly bounds = {
    describeAll: async (partitions: readonly Partition[]): Promise<PartitionDescription[]> =>
      partitions.map((partition) => ({
        partition,
        logStartOffset: 0,
        logEndOffset: this.log(partition.partition).at(-1)?.endOffset ?? 0,
        size: 0,
        maxTimestamp: -1,
        leaderEpoch: this.epoch,
        segments: [],
        epochs: [{ ...this.epoch, startOffset: 0 }],
        replicationId: null,
      })),
    offsetForTimestamp: async () => null,
  }

  private topic(): Topic {
    return { name: 't', id: 'id', partitions: this.partitions, config: parseTopicConfig({}), overrides: {} }
  }

  private log(partition: number): StoredBatch[] {
    const log = this.batches[partition]
    if (log === undefined) throw new Error(`there is no partition ${partition}`)
    return log
  }

  private after({ partition, offset }: FetchRequest): StoredBatch[] {
    return this.log(partition.partition).filter(({ endOffset }) => endOffset > offset)
  }

  private result({ partition }: FetchRequest, batches: readonly StoredBatch[], more: boolean): FetchResult {
    const logEndOffset = this.log(partition.partition).at(-1)?.endOffset ?? 0
    return { partition, error: null, logStartOffset: 0, logEndOffset, batches, segment: 0, more }
  }

  private note(kind: 'fetch' | 'wait', requests: readonly FetchRequest[], maxBytes: number): void {
    const offsets = Object.fromEntries(requests.map(({ partition, offset }) => [partition.partition, offset]))
    this.calls.push({ kind, offsets, maxBytes })
  }
}
