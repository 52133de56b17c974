import { parseArgs } from 'node:util'
import { isPeerName, PEER_NAMES, type PeerName } from './peers/settings.js'

export interface Options {
  /** How many rounds are measured. */
  readonly rounds: number
  /** How long a peer produces in a round, s. */
  readonly seconds: number
  /** Numbers of works; null: all. */
  readonly only: readonly number[] | null
  readonly peers: readonly PeerName[]
  /** Where the results go as JSON; null: nowhere. */
  readonly json: string | null
  /** The folder for Rivulet's CPU profiles; null: none are made. */
  readonly profile: string | null
  readonly help: boolean
}

export const USAGE = `Usage: npm run bench -- [options]

Measures Rivulet and its peers with the same load, in turns, and compares the medians.

  --rounds N       how many rounds are measured after the warm-up; 5 by default
  --seconds N      how long each peer produces in a round; 1.5 by default
  --only 1,2       only these works, by their numbers in the table
  --peers a,b      only these: ${PEER_NAMES.join(', ')}
  --json FILE      writes the results to a file as well
  --profile DIR    writes a CPU profile of Rivulet's last round of each work; that round's figures suffer from it
  --help           this text

KAFKA_BROKERS=host:port names the Kafka for kafkajs and @platformatic/kafka, which needs Node 22.22 or later; its clients
cannot ask for its version, which KAFKA_VERSION gives to the report. A Redis is started and stopped with the run, unless
REDIS_URL=redis://host:port names one. What is not there is named as missing.`

/** What was asked for is not possible; the message says what and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError naming the argument that is wrong */
export function parseOptions(args: readonly string[], works: readonly number[]): Options {
  const { rounds, seconds, only, peers, json, profile, help } = parse(args)
  return {
    rounds: parseNumber('--rounds', rounds, { min: 1, max: 1000, whole: true }),
    seconds: parseNumber('--seconds', seconds, { min: 0.1, max: 60, whole: false }),
    only: only === undefined ? null : only.split(',').map((text) => parseWork(text, works)),
    peers: peers === undefined ? PEER_NAMES : peers.split(',').map(parsePeer),
    json: json ?? null,
    profile: profile ?? null,
    help,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '1.5' },
        only: { type: 'string' },
        peers: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    if (!isParseError(error)) throw error
    throw new UsageError(error.message, { cause: error })
  }
}

function isParseError(error: unknown): error is Error {
  return (
    typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  )
}

function parseNumber(name: string, text: string, range: { min: number; max: number; whole: boolean }): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
  const { min, max, whole } = range
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value
  throw new UsageError(`${name} ${text} is not a ${whole ? 'whole ' : ''}number from ${min} to ${max}`)
}

function parseWork(text: string, works: readonly number[]): number {
  const work = works.find((number) => String(number) === text.trim())
  if (work !== undefined) return work
  throw new UsageError(`--only names ${text}; there are ${works.join(', ')}`)
}

function parsePeer(text: string): PeerName {
  const name = text.trim()
  if (isPeerName(name)) return name
  throw new UsageError(`--peers names ${text}; there are ${PEER_NAMES.join(', ')}`)
}
