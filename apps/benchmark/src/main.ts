import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { findRedisServer, type RedisServer } from '@rivulet/redis-server'
import { type Comparison, compare } from './comparison.js'
import { conditionsOf, formatConditions } from './conditions.js'
import { Interrupted, interruption, unlessAborted } from './interruption.js'
import { type Options, parseOptions, USAGE, UsageError } from './options.js'
import { PeerProcess } from './peer-process.js'
import type { PeerName, PeerSettings } from './peers/settings.js'
import { formatProfile } from './profile-summary.js'
import { RedisObserver } from './redis.js'
import { formatReport, toJson } from './report.js'
import { runRounds } from './rounds.js'
import { WORKS } from './works/index.js'

function print(...lines: string[]): void {
  for (const line of lines) console.log(line)
}

/** Progress goes where it does not mix with the table. */
function note(text: string): void {
  console.error(text)
}

async function main(signal: AbortSignal): Promise<void> {
  const options = parseOptions(
    process.argv.slice(2),
    WORKS.map(({ number }) => number),
  )
  if (options.help) {
    print(USAGE)
    return
  }
  if (options.profile !== null) await mkdir(options.profile, { recursive: true })
  const server = await unlessAborted(signal, findRedisServer({ log: note }))
  try {
    await measure(server, options, signal)
  } finally {
    await server.stop()
  }
}

async function measure(server: RedisServer, options: Options, signal: AbortSignal): Promise<void> {
  const kafkaBrokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '')
  const settings = { redisUrl: server.url, kafkaBrokers, prefix: `rivulet-bench-${process.pid}` }
  const redis = new RedisObserver(server.url)
  const peers: PeerProcess[] = []
  try {
    const missing = await unlessAborted(signal, connectPeers(options.peers, settings, peers))
    const version = process.env['KAFKA_VERSION'] ?? 'of unknown version'
    const kafka = kafkaBrokers.length === 0 ? 'no Kafka' : `Kafka ${version} at ${kafkaBrokers.join(',')}`
    const conditions = conditionsOf(
      { redis: server.description, redisSettings: await redis.settings(), kafka },
      options,
    )
    const comparisons = await unlessAborted(signal, compareAll(peers, redis, options))
    print('', ...formatConditions(conditions), '')
    print(...formatReport(comparisons, missing, (number) => WORKS.find((work) => work.number === number)?.peers ?? []))
    if (options.json !== null) {
      const descriptions = new Map(peers.map(({ name, description }) => [name, description]))
      await writeFile(options.json, toJson(conditions, descriptions, missing, comparisons))
    }
    if (options.profile !== null) await printProfiles(options.profile, comparisons)
  } finally {
    await Promise.all(peers.map((peer) => peer.end()))
    // a server of the run's own goes as a whole
    if (server.kind === 'url') await redis.removeKeys(settings.prefix)
    redis.close()
  }
}

/** Starts a process for each peer, one after the other; those that are there are added to `peers`. @returns the others */
async function connectPeers(
  names: readonly PeerName[],
  settings: PeerSettings,
  peers: PeerProcess[],
): Promise<Map<PeerName, string>> {
  const missing = new Map<PeerName, string>()
  for (const name of names) {
    const peer = new PeerProcess(name)
    peers.push(peer)
    const reason = await peer.connect(settings)
    if (reason === null) continue
    missing.set(name, reason)
    note(`Missing: ${name}: ${reason}`)
    await peer.end()
    peers.splice(peers.indexOf(peer), 1)
  }
  return missing
}

async function compareAll(
  peers: readonly PeerProcess[],
  redis: RedisObserver,
  { only, rounds, seconds, profile }: Options,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const work of WORKS) {
    if (only !== null && !only.includes(work.number)) continue
    const participants = peers.filter(({ name }) => work.peers.includes(name))
    if (participants.length === 0) continue
    const results = await runRounds(work, participants, {
      rounds,
      seconds,
      profileFile: profile === null ? null : profileFile(profile, work.number),
      settle: () => redis.settle(),
      progress: (text) => note(`${work.number} ${work.title}: ${text}`),
    })
    comparisons.push(...compare(work, results))
  }
  return comparisons
}

function profileFile(folder: string, work: number): string {
  return join(resolve(folder), `rivulet-${work}.cpuprofile`)
}

async function printProfiles(folder: string, comparisons: readonly Comparison[]): Promise<void> {
  for (const work of new Set(comparisons.map((comparison) => comparison.work))) {
    const file = profileFile(folder, work)
    print('', `Work ${work}: where Rivulet's process spent its time (${file})`, ...(await formatProfile(file)))
  }
}

try {
  await main(interruption())
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exitCode = 2
  } else if (error instanceof Interrupted) {
    console.error(`\n${error.message}`)
    process.exit(error.exitCode)
  } else {
    console.error('\nThe benchmark failed:', error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
