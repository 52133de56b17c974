import { parseArgs } from 'node:util'
import { ALL_FLIGHTS } from './dataset.js'
import { formatInteger } from './format.js'

const DEFAULT_RECORDS = 300_000

export interface Options {
  /** How many flights are sent. */
  readonly records: number
  /** The prefix of all keys. */
  readonly namespace: string
  readonly help: boolean
}

export const USAGE = `Usage: npm run demo -- [options]

Sends real flights through a topic on Redis and back, and shows which airports were the latest.

  --records N      how many flights: 1 to ${formatInteger(ALL_FLIGHTS)}; ${formatInteger(DEFAULT_RECORDS)} by default
  --all            all ${formatInteger(ALL_FLIGHTS)} flights
  --namespace NAME the prefix of the keys in Redis; flights-demo by default
  --help           this text

A Redis is started for the demo, and stopped with it. REDIS_URL=redis://host:port names one to use
instead; the demo's topic is deleted from it at the end.`

/** What was asked for is not possible; the message says what and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError naming the argument that is wrong */
export function parseOptions(args: readonly string[]): Options {
  const { all, records, namespace, help } = parse(args)
  if (all && records !== undefined) throw new UsageError(`--all and --records ${records} exclude each other`)
  return { records: all ? ALL_FLIGHTS : parseRecords(records), namespace: parseNamespace(namespace), help }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        all: { type: 'boolean', default: false },
        records: { type: 'string' },
        namespace: { type: 'string', default: 'flights-demo' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    if (!isParseError(error)) throw error
    // what follows is advice on arguments that begin with a dash
    throw new UsageError(error.message.split(/\. |\n/)[0] ?? error.message, { cause: error })
  }
}

/** What parseArgs says of arguments that are wrong. */
function isParseError(error: unknown): error is { readonly message: string } {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return false
  return String(error.code).startsWith('ERR_PARSE_ARGS') && typeof error.message === 'string'
}

function parseRecords(text: string | undefined): number {
  if (text === undefined) return DEFAULT_RECORDS
  const records = /^\d+$/.test(text) ? Number(text) : NaN
  if (records >= 1 && records <= ALL_FLIGHTS) return records
  throw new UsageError(`--records ${text} is not a whole number from 1 to ${ALL_FLIGHTS}`)
}

function parseNamespace(name: string): string {
  if (name !== '') return name
  throw new UsageError('--namespace is empty: give a name, such as flights-demo')
}
