import { Kafka, logLevel } from '@rivulet/client'
import { findRedisServer, type RedisServer, usedMemory } from '@rivulet/redis-server'
import { readAirports } from './airports.js'
import { consumeFlights } from './consume.js'
import { Interrupted, interruption, reasonOf, unlessAborted } from './interruption.js'
import { type Options, parseOptions, USAGE, UsageError } from './options.js'
import { produceFlights } from './produce.js'
import { Progress } from './progress.js'
import { headline, print, reportDelays, reportDelivery, reportGroup } from './report.js'
import { Stopwatch } from './stopwatch.js'
import { createTopic, PARTITIONS, removeTraces, TOPIC } from './topic.js'

/** Of a server that is started for the demo; a topic may take half of it, and all flights take an eighth. */
const SERVER_CONFIG = ['--maxmemory', '1gb']

/** How long the demo waits for a Redis that does not answer, ms. */
const PATIENCE = 30_000

/** @returns the exit code */
async function main(signal: AbortSignal): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    print(USAGE)
    return 0
  }
  const stopwatch = new Stopwatch()
  print(headline(options.records), '')
  const server = await unlessAborted(signal, findRedisServer({ config: SERVER_CONFIG, log: print }))
  stopwatch.lap('Redis')
  try {
    return (await flyThrough(server, options, stopwatch, signal)) ? 0 : 1
  } finally {
    await server.stop()
  }
}

/** @returns whether every flight came back as it was sent */
async function flyThrough(
  server: RedisServer,
  { records, namespace }: Options,
  stopwatch: Stopwatch,
  signal: AbortSignal,
): Promise<boolean> {
  const kafka = new Kafka({ brokers: [server.url], namespace, clientId: 'flights', logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  const producer = kafka.producer({ deliveryTimeoutMs: PATIENCE })
  try {
    await unlessAborted(signal, Promise.all([admin.connect(), producer.connect()]))
    await unlessAborted(signal, createTopic(admin))
    print(`Topic ${TOPIC}: ${PARTITIONS} partitions, keyed by the airport of origin, JSON compressed with LZ4`, '')
    stopwatch.lap('topic')

    const memoryBefore = await usedMemory(server.url)
    const producing = new Progress('Produce', records, process.stdout)
    const sent = await unlessAborted(signal, produceFlights(producer, producing, signal))
    producing.end()
    const produced = { name: 'Produced', account: sent, elapsed: stopwatch.lap('produce') }
    const memoryAfter = await usedMemory(server.url)

    const consuming = new Progress('Consume', records, process.stdout)
    const reading = await consumeFlights({ url: server.url, namespace }, admin, consuming, signal)
    signal.throwIfAborted()
    consuming.end()
    const { delivery, journal, repeated } = reading
    const consumed = { name: 'Consumed', account: delivery.received, elapsed: stopwatch.lap('consume') }

    const faults = [...reading.faults, ...delivery.faults(sent)]
    const memory = memoryBefore === null || memoryAfter === null ? null : memoryAfter - memoryBefore
    print('', ...reportDelays(delivery.statistics, records, await readAirports()))
    print('', ...reportGroup(journal, repeated))
    print('', ...reportDelivery([produced, consumed], memory, faults), stopwatch.summary())
    return faults.length === 0
  } finally {
    await producer.disconnect()
    // a server of the demo's own goes as a whole
    if (server.kind === 'url') await removeTraces(admin)
    await admin.disconnect()
  }
}

const interrupted = interruption()
try {
  process.exitCode = await main(interrupted)
} catch (error) {
  const reason = interrupted.aborted ? reasonOf(interrupted) : error
  if (reason !== error) console.error('\nTidying up failed:', messageOf(error))
  if (reason instanceof UsageError) {
    console.error(`${reason.message}\n\n${USAGE}`)
    process.exitCode = 2
  } else if (reason instanceof Interrupted) {
    console.error(`\n${reason.message}`)
    process.exit(reason.exitCode)
  } else {
    console.error(`\nThe demo failed: ${messageOf(reason)}`)
    process.exitCode = 1
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
