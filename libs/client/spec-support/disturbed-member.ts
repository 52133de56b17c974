import { setTimeout as sleep } from 'node:timers/promises'
import { type SeededRandom, TcpProxy } from '@rivulet/testing'
import type { Consumer } from '../src/consumer/consumer.js'
import { KafkaJSNonRetriableError } from '../src/errors.js'
import type { ConsumerConfig, ConsumerRunConfig, KafkaMessage } from '../src/types.js'
import type { TestNamespace } from './consumers.js'
import type { GroupLedger } from './group-ledger.js'

export interface MemberParts {
  readonly name: string
  readonly namespace: TestNamespace
  readonly serverUrl: string
  readonly ledger: GroupLedger
  readonly random: SeededRandom
  readonly config: ConsumerConfig
  readonly topics: readonly (string | RegExp)[]
}

/** What handlers throw: anything can be thrown. */
const THROWN: readonly unknown[] = [undefined, null, 'text', 0, { retriable: true }]

type Mishap = { readonly kind: 'throw'; readonly thrown: unknown } | { readonly kind: 'hang'; readonly ms: number }

/** A consumer of a group that reaches the server through a proxy of its own, and tells the ledger what it does. */
export class DisturbedMember {
  readonly name: string
  readonly topics: Set<string | RegExp>
  /** It has crashed for good, or was stopped. */
  isOver = false
  private readonly mishaps: Mishap[] = []
  /** Topics of which the next handler seeks back. */
  private readonly seeks = new Set<string>()

  private constructor(
    private readonly parts: MemberParts,
    readonly proxy: TcpProxy,
    readonly consumer: Consumer,
  ) {
    this.name = parts.name
    this.topics = new Set(parts.topics)
  }

  /** Its group instance id; null: it is a dynamic member. */
  get instance(): string | null {
    return this.parts.config.groupInstanceId ?? null
  }

  /** Joins; resolves when it has, or when it has crashed. */
  static async start(parts: MemberParts): Promise<DisturbedMember> {
    const { name, namespace, serverUrl, ledger, config } = parts
    const { hostname, port } = new URL(serverUrl)
    const proxy = await TcpProxy.start({ host: hostname, port: Number(port) })
    const listening: Partial<ConsumerConfig> = {
      onPartitionsAssigned: (given) => {
        for (const { topic, partitions } of given)
          for (const partition of partitions) ledger.given(name, topic, partition)
      },
    }
    const consumer = namespace.consumer({ ...config, ...listening }, { urls: [proxy.url] })
    const member = new DisturbedMember(parts, proxy, consumer)
    await consumer.subscribe({ topics: [...parts.topics] })
    await member.run()
    return member
  }

  /** Also wants these topics; it stops for that, and runs again. */
  async subscribeAlso(topic: string | RegExp): Promise<void> {
    await this.consumer.stop()
    await this.consumer.subscribe({ topic })
    this.topics.add(topic)
    await this.run()
  }

  /** Stops once handlers have ended, and lets go of everything. */
  async leave(): Promise<void> {
    await this.consumer.stop()
    await this.close()
  }

  async close(): Promise<void> {
    this.isOver = true
    this.recover()
    await this.consumer.disconnect()
    await this.proxy.close()
  }

  /** The handler of one of the next records throws something, so many times. */
  throwSoon(times: number): void {
    const { random } = this.parts
    const thrown = random.pick([
      ...THROWN,
      new Error('broken'),
      new KafkaJSNonRetriableError('broken for good'),
      new KafkaJSNonRetriableError('broken for good'),
    ])
    for (let i = 0; i < times; i++) this.mishaps.push({ kind: 'throw', thrown })
  }

  /** The handlers of some of the next records take so long. */
  hangSoon(ms: number): void {
    for (let i = 0; i < 3; i++) this.mishaps.push({ kind: 'hang', ms })
  }

  /** The handler of one of the next records of the topic seeks back to an earlier one. */
  seekBackSoon(topic: string): void {
    this.seeks.add(topic)
  }

  /** Nothing disturbs it any more. */
  recover(): void {
    this.mishaps.length = 0
    this.seeks.clear()
  }

  async heal(): Promise<void> {
    this.recover()
    await this.proxy.heal()
    if (!this.isOver)
      this.consumer.resume([...this.topics].filter((topic) => typeof topic === 'string').map((topic) => ({ topic })))
  }

  async run(): Promise<void> {
    const running = this.consumer.run(this.runConfig())
    this.consumer.closed.catch(() => {
      this.isOver = true
    })
    await running
  }

  private runConfig(): ConsumerRunConfig {
    const { random } = this.parts
    const partitionsConsumedConcurrently = random.int(1, 4)
    const kind = random.pick(['each message', 'each batch', 'own commits', 'own commits', 'threshold'] as const)
    if (kind === 'each batch') return { partitionsConsumedConcurrently, ...this.eachBatch(random.bool()) }
    const commits = kind === 'own commits'
    return {
      partitionsConsumedConcurrently,
      autoCommit: !commits,
      ...(kind === 'threshold' ? { autoCommitThreshold: random.int(1, 3) } : {}),
      eachMessage: async ({ topic, partition, message }) => {
        await this.handle(topic, partition, message)
        if (!commits) return
        const offset = String(Number(message.offset) + 1)
        await this.consumer.commitOffsets([{ topic, partition, offset }])
      },
    }
  }

  private eachBatch(eachBatchAutoResolve: boolean): ConsumerRunConfig {
    return {
      eachBatchAutoResolve,
      eachBatch: async ({ batch, resolveOffset, isRunning, isStale, commitOffsetsIfNecessary }) => {
        for (const message of batch.messages) {
          if (!isRunning() || isStale()) return
          await this.handle(batch.topic, batch.partition, message)
          resolveOffset(message.offset)
          await commitOffsetsIfNecessary()
        }
      },
    }
  }

  private async handle(topic: string, partition: number, { offset, value }: KafkaMessage): Promise<void> {
    const { ledger, random, name } = this.parts
    const made = String(value).split(' ')[0] ?? ''
    const course = ledger.begun(name, { topic, partition, offset: Number(offset), made })
    const mishap = this.mishaps.shift()
    if (mishap?.kind === 'throw') {
      course.failed()
      throw mishap.thrown
    }
    if (mishap?.kind === 'hang') await sleep(mishap.ms)
    else if (random.bool(0.3)) await sleep(random.int(0, 8))
    course.done()
    if (!this.seeks.delete(topic)) return
    this.consumer.seek({ topic, partition, offset: random.int(0, Number(offset)) })
  }
}
