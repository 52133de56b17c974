import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { seededRandom, startSingle, TcpProxy, testRedisUrl, uniqueNamespace } from '@rivulet/testing'

import { readTopic } from '../../../spec-support/read-log.js'
import { RecordLedger } from '../../../spec-support/record-ledger.js'
import { Kafka } from '../../kafka.js'

/** RIVULET_INTEGRITY_ROUNDS multiplies the normal suite's rounds. */
const FACTOR = Number(process.env['RIVULET_INTEGRITY_ROUNDS'] ?? 1)
const PARTITIONS = 5

const kafkaAt = (url: string, namespace: string): Kafka =>
  new Kafka({
    brokers: [url],
    namespace,
    logLevel: 0,
    connectionTimeout: 5000,
    requestTimeout: 2000,
    retry: { initialRetryTime: 5, maxRetryTime: 100, retries: 1_000_000 },
  })

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Loops that send records of keys of their own until they are told to stop. */
function senders(
  producer: ReturnType<Kafka['producer']>,
  ledger: RecordLedger,
  random: ReturnType<typeof seededRandom>,
  until: { stop: boolean },
): Promise<unknown> {
  return Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      while (!until.stop) {
        // Several under way at a time for one key: their order counts, too.
        const sends = Array.from({ length: random.int(1, 3) }, () =>
          ledger.send(producer, 'records', `key-${i}`, random.int(1, 8), random.bool(0.2) ? 1 : undefined),
        )
        await Promise.all(sends)
        if (random.bool(0.3)) await pause(random.int(0, 2))
      }
    }),
  )
}

describe('no acknowledged record is lost, doubled or out of order', () => {
  let proxy: TcpProxy
  const namespace = uniqueNamespace('integrity')

  beforeAll(async () => {
    const { hostname, port } = new URL(testRedisUrl())
    proxy = await TcpProxy.start({ host: hostname, port: Number(port) })
  })
  afterAll(() => proxy.close())

  it(
    'while connections are cut, requests and replies dropped',
    async () => {
      const random = seededRandom()
      const ledger = new RecordLedger()
      const kafka = kafkaAt(proxy.url, namespace)
      const admin = kafka.admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic: 'records', numPartitions: PARTITIONS }] })
      const producer = kafka.producer()
      await producer.connect()
      const until = { stop: false }
      const sending = senders(producer, ledger, random, until)
      const isAppend = ({ name }: { name: string }): boolean => name.startsWith('EVAL') || name.startsWith('FCALL')
      let faults = 0
      const rounds = 120 * FACTOR
      for (let round = 0; round < rounds; round++) {
        await pause(random.int(1, 40))
        const fault = random.pick(['cut', 'reply', 'reply', 'request', 'freeze'] as const)
        if (fault === 'cut') proxy.cut()
        else if (fault === 'reply') await Promise.race([proxy.dropReply(isAppend), pause(500)])
        else if (fault === 'request') await Promise.race([proxy.dropRequest(isAppend), pause(500)])
        else {
          proxy.freeze()
          await pause(random.int(1, 30))
          proxy.cut()
          proxy.thaw()
        }
        faults++
        if (process.env['DBG']) process.stderr.write(`${round} ${fault} sent ${ledger.sent} acked ${ledger.acknowledged} ${proxy.connections} ${Math.round(performance.now())}\n`)
      }
      until.stop = true
      await sending
      await producer.disconnect()
      await admin.disconnect()
      ledger.check(await readTopic(testRedisUrl(), namespace, 'records'))
      expect(ledger.errors).toEqual([])
      expect(ledger.acknowledged).toBe(ledger.sent)
      expect(ledger.sent).toBeGreaterThan(faults)
      process.stderr.write(`${ledger.sent} records, ${faults} faults\n`)
    },
    25_000 * FACTOR,
  )

  it(
    'while the producer gives up batches whose fate it does not know',
    async () => {
      const random = seededRandom()
      const ledger = new RecordLedger()
      const own = uniqueNamespace('integrity')
      const kafka = kafkaAt(proxy.url, own)
      const producer = kafka.producer({ retry: { retries: 0 } })
      await producer.connect()
      await ledger.send(producer, 'records', 'key-0', 1)
      const until = { stop: false }
      const sending = senders(producer, ledger, random, until)
      for (let round = 0; round < 60 * FACTOR; round++) {
        await pause(random.int(1, 40))
        if (random.bool()) proxy.cut()
        else await Promise.race([proxy.dropReply(({ name }) => name.startsWith('EVAL')), pause(500)])
      }
      until.stop = true
      await sending
      await producer.disconnect()
      ledger.check(await readTopic(testRedisUrl(), own, 'records'))
      expect(ledger.errors.length).toBeGreaterThan(0)
      process.stderr.write(`${ledger.sent} records, ${ledger.acknowledged} acknowledged\n`)
    },
    25_000 * FACTOR,
  )

  it(
    'while the server is killed and started again from its append-only file',
    async () => {
      const random = seededRandom()
      const ledger = new RecordLedger()
      const server = await startSingle({ appendonly: true, config: ['--appendfsync', 'always'] })
      try {
        const kafka = kafkaAt(server.url, namespace)
        const producer = kafka.producer()
        await producer.connect()
        await ledger.send(producer, 'records', 'key-0', 1)
        const until = { stop: false }
        const sending = senders(producer, ledger, random, until)
        for (let round = 0; round < 4 * FACTOR; round++) {
          await pause(random.int(200, 600))
          await server.kill()
          await server.restart()
        }
        await pause(300)
        until.stop = true
        await sending
        await producer.disconnect()
        ledger.check(await readTopic(server.url, namespace, 'records'))
        expect(ledger.errors).toEqual([])
        expect(ledger.acknowledged).toBe(ledger.sent)
        process.stderr.write(`${ledger.sent} records\n`)
      } finally {
        await server.stop()
      }
    },
    25_000 * FACTOR,
  )
})
