import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { type Appender, Storage } from '@rivulet/storage'
import {
  type SeededRandom,
  seededRandom,
  startSingle,
  TcpProxy,
  testRedisUrl,
  uniqueNamespace,
  waitFor,
} from '@rivulet/testing'

import { readTopic } from '../../../spec-support/read-log.js'
import { RecordLedger } from '../../../spec-support/record-ledger.js'
import { Kafka } from '../../kafka.js'
import { createLogger } from '../../logger.js'
import { SharedStorage } from '../../shared-storage.js'
import { Producer } from '../producer.js'

/** RIVULET_INTEGRITY_ROUNDS multiplies the normal suite's rounds. */
const FACTOR = Number(process.env['RIVULET_INTEGRITY_ROUNDS'] ?? 1)
const TIMEOUT = 25_000 * FACTOR
const TOPIC = 'records'
const PARTITIONS = 5
const RETRY = { initialRetryTime: 1, maxRetryTime: 100, retries: 1_000_000 }

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function connectProducers(url: string, namespace: string, count: number, retry = RETRY): Promise<Producer[]> {
  const kafka = new Kafka({
    brokers: [url],
    namespace,
    logLevel: 0,
    connectionTimeout: 5000,
    requestTimeout: 5000,
    retry,
  })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }] })
  await admin.disconnect()
  const producers = Array.from({ length: count }, () => kafka.producer())
  await Promise.all(producers.map((producer) => producer.connect()))
  return producers
}

/** Loops that send records, several sends under way at a time for each key, until they are told to stop. */
class Senders {
  readonly ledger = new RecordLedger()
  readonly #loops: Promise<void>[]
  #stopped = false

  constructor(producers: readonly Producer[], random: SeededRandom, loops = 20) {
    this.#loops = Array.from({ length: loops }, async (_, i) => {
      const producer = producers[i % producers.length]
      if (producer === undefined) return
      while (!this.#stopped) {
        const sends = Array.from({ length: random.int(1, 3) }, () =>
          this.ledger.send(producer, TOPIC, `key-${i}`, random.int(1, 8), random.bool(0.2) ? 1 : undefined),
        )
        await Promise.all(sends)
        if (random.bool(0.3)) await pause(random.int(0, 2))
      }
    })
  }

  /** Resolves when more is acknowledged than now: nothing would ever be stored if every append met a fault. */
  async progress(): Promise<void> {
    const before = this.ledger.acknowledged
    await waitFor(() => this.ledger.acknowledged > before, { what: `more than ${before} acknowledged records` })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
  }
}

/** An appender on whose way requests and answers get lost: a part of all batches each. */
function unreliable(appender: Appender, random: SeededRandom, faults: { count: number }): Appender {
  return {
    lane: (partition) => appender.lane(partition),
    close: () => appender.close(),
    append: async (requests) => {
      const fate = requests.map(() =>
        random.pick(['stored', 'stored', 'request lost', 'answer lost', 'answer lost'] as const),
      )
      const arriving = requests.filter((_, i) => fate[i] !== 'request lost')
      const results = arriving.length === 0 ? [] : await appender.append(arriving)
      let next = 0
      return fate.map((what) => {
        const result = what === 'request lost' ? undefined : results[next++]
        if (what === 'stored' && result !== undefined) return result
        faults.count++
        return { error: new KafkaError('NETWORK_EXCEPTION') }
      })
    },
  }
}

describe('no acknowledged record is lost, doubled or out of order', () => {
  let proxy: TcpProxy
  const random = seededRandom()

  beforeAll(async () => {
    const { hostname, port } = new URL(testRedisUrl())
    proxy = await TcpProxy.start({ host: hostname, port: Number(port) })
  })
  afterAll(() => proxy.close())

  it(
    'where thousands of requests and answers get lost',
    async () => {
      const namespace = uniqueNamespace('integrity')
      const faults = { count: 0 }
      const storage = new SharedStorage(async () => {
        const opened = await Storage.connect({ redis: { addresses: [testRedisUrl()] }, namespace })
        const openAppender = opened.openAppender.bind(opened)
        opened.openAppender = async () => unreliable(await openAppender(), random, faults)
        return opened
      })
      await connectProducers(testRedisUrl(), namespace, 0)
      const logger = createLogger({ level: 0 })
      const context = { clientId: 'spec', logger, storage, retry: RETRY, requestTimeout: 5000, connectionTimeout: 5000 }
      const producer = new Producer(context)
      await producer.connect()
      const senders = new Senders([producer], random)
      await waitFor(() => faults.count >= 2500 * FACTOR, { what: 'the faults', deadline: TIMEOUT })
      await senders.stop()
      await producer.disconnect()
      const { ledger } = senders
      expect(ledger.problems(await readTopic(testRedisUrl(), namespace, TOPIC))).toEqual([])
      expect(ledger.errors).toEqual([])
      expect(ledger.acknowledged).toBe(ledger.sent)
    },
    TIMEOUT,
  )

  it(
    'where connections are cut, frozen, and break before requests and answers arrive',
    async () => {
      const namespace = uniqueNamespace('integrity')
      const producers = await connectProducers(proxy.url, namespace, 6)
      const senders = new Senders(producers, random)
      const isAppend = ({ name }: { name: string }): boolean => name.startsWith('EVAL')
      for (let round = 0; round < 40 * FACTOR; round++) {
        await senders.progress()
        await pause(random.int(0, 20))
        const fault = random.pick(['cut', 'answer', 'answer', 'answer', 'request', 'freeze'] as const)
        if (fault === 'cut') proxy.cut()
        else if (fault === 'answer') await proxy.dropReply(isAppend)
        else if (fault === 'request') await proxy.dropRequest(isAppend)
        else {
          proxy.freeze()
          await pause(random.int(1, 30))
          proxy.cut()
          proxy.thaw()
        }
      }
      await senders.stop()
      await Promise.all(producers.map((producer) => producer.disconnect()))
      const { ledger } = senders
      expect(ledger.problems(await readTopic(testRedisUrl(), namespace, TOPIC))).toEqual([])
      expect(ledger.errors).toEqual([])
      expect(ledger.acknowledged).toBe(ledger.sent)
    },
    TIMEOUT,
  )

  it(
    'where batches are given up whose fate is not known',
    async () => {
      const namespace = uniqueNamespace('integrity')
      const producers = await connectProducers(proxy.url, namespace, 6, { ...RETRY, retries: 0 })
      const senders = new Senders(producers, random)
      for (let round = 0; round < 30 * FACTOR; round++) {
        await senders.progress()
        await proxy.dropReply(({ name }) => name.startsWith('EVAL'))
      }
      await senders.stop()
      await Promise.all(producers.map((producer) => producer.disconnect()))
      const { ledger } = senders
      expect(ledger.problems(await readTopic(testRedisUrl(), namespace, TOPIC))).toEqual([])
      expect(ledger.errors.length).toBeGreaterThanOrEqual(30 * FACTOR)
      for (const error of ledger.errors) expect(error).toMatchObject({ name: 'KafkaJSNumberOfRetriesExceeded' })
    },
    TIMEOUT,
  )

  it(
    'where the server is killed and started again from its append-only file',
    async () => {
      const namespace = uniqueNamespace('integrity')
      const server = await startSingle({ appendonly: true, config: ['--appendfsync', 'always'] })
      try {
        const producers = await connectProducers(server.url, namespace, 2)
        const senders = new Senders(producers, random)
        for (let round = 0; round < 4 * FACTOR; round++) {
          await senders.progress()
          await pause(random.int(0, 300))
          await server.kill()
          await server.restart()
        }
        await senders.progress()
        await senders.stop()
        await Promise.all(producers.map((producer) => producer.disconnect()))
        const { ledger } = senders
        expect(ledger.problems(await readTopic(server.url, namespace, TOPIC))).toEqual([])
        expect(ledger.errors).toEqual([])
        expect(ledger.acknowledged).toBe(ledger.sent)
      } finally {
        await server.stop()
      }
    },
    TIMEOUT,
  )
})
