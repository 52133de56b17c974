import { styleText } from 'node:util'
import type { Airport } from './airports.js'
import { formatBytes, formatInteger, formatSeconds, formatShare, formatTable, rate } from './format.js'
import type { GroupJournal } from './group-journal.js'
import type { Ledger } from './ledger.js'
import { type AirportDelays, type DelayStatistics, LATE_FROM } from './statistics.js'

/** How many airports are shown. */
const SHOWN = 10

export function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

function heading(text: string): string {
  return process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? styleText('bold', text) : text
}

export function headline(records: number): string {
  return heading(`Rivulet: ${formatInteger(records)} real flights through a Kafka topic on Redis, and back`)
}

/** Which airports were the latest. Airports with less than a thousandth of the flights do not count. */
export function reportDelays(
  statistics: DelayStatistics,
  records: number,
  airports: ReadonlyMap<string, Airport>,
): string[] {
  const minFlights = Math.ceil(records / 1000)
  const [first, last] = statistics.days
  return [
    heading(`Airports with the worst delays, ${first} to ${last}`),
    "From here, to here: how late the airport's departing and arriving flights were at their destination.",
    `> ${LATE_FROM} min: the part of the departing ones that was later. Airports with ${formatInteger(minFlights)} departures or more.`,
    '',
    ...delaysTable(statistics.worst(SHOWN, minFlights), airports),
  ]
}

/** The airports, the worst first. */
function delaysTable(delays: readonly AirportDelays[], airports: ReadonlyMap<string, Airport>): string[] {
  return formatTable(
    [
      { title: '' },
      { title: 'Airport', maxWidth: 36 },
      { title: 'State' },
      { title: 'Flights', align: 'right' },
      { title: 'From here', align: 'right' },
      { title: 'To here', align: 'right' },
      { title: `> ${LATE_FROM} min`, align: 'right' },
    ],
    delays.map(({ airport, flights, meanFrom, meanTo, lateShare }) => [
      airport,
      airports.get(airport)?.name ?? '',
      airports.get(airport)?.state ?? '',
      formatInteger(flights),
      formatMinutes(meanFrom),
      meanTo === null ? '' : formatMinutes(meanTo),
      formatShare(lateShare),
    ]),
  )
}

function formatMinutes(minutes: number): string {
  return `${minutes.toFixed(1)} min`
}

/** Who owned which partitions when, and what was given twice. */
export function reportGroup(journal: GroupJournal, repeated: number): string[] {
  return [
    heading('The group: who read which partitions, from when on'),
    '',
    ...journal.table(),
    '',
    `${formatInteger(repeated)} flights were given twice: to the reader that was killed, and to its successor`,
  ]
}

export interface Phase {
  readonly name: string
  readonly account: Ledger
  /** How long it took, ms. */
  readonly elapsed: number
}

/** What was written and read, and how fast. */
function totalsTable(phases: readonly Phase[]): string[] {
  return formatTable(
    [
      { title: '' },
      { title: 'Records', align: 'right' },
      { title: 'Keys', align: 'right' },
      { title: 'JSON', align: 'right' },
      { title: 'Time', align: 'right' },
      { title: 'Records/s', align: 'right' },
      { title: 'JSON/s', align: 'right' },
      { title: 'Checksum', align: 'right' },
    ],
    phases.map(({ name, account, elapsed }) => [
      name,
      formatInteger(account.count),
      formatInteger(account.keys),
      formatBytes(account.bytes),
      formatSeconds(elapsed),
      formatInteger(rate(account.count, elapsed)),
      formatBytes(rate(account.bytes, elapsed)),
      account.checksum(),
    ]),
  )
}

/**
 * What went through, and whether all is well.
 *
 * @param memory what Redis's memory grew by, bytes; null where that is not known
 * @param faults what is wrong, in sentences
 */
export function reportDelivery(
  [produced, consumed]: readonly [Phase, Phase],
  memory: number | null,
  faults: readonly string[],
): string[] {
  return [
    heading('Through the topic and back'),
    '',
    ...totalsTable([produced, consumed]),
    '',
    ...(memory === null ? [] : [memoryLine(memory, produced.account)]),
    ...verdict(faults, produced.account),
  ]
}

/** @param memory bytes */
function memoryLine(memory: number, { count, bytes }: Ledger): string {
  const each = `${(memory / count).toFixed(1)} bytes for a record`
  const json = `${(bytes / count).toFixed(1)} bytes of JSON`
  return `Redis holds them in ${formatBytes(memory)}: ${each} with its ${json} (${formatShare(memory / bytes)})`
}

/** @param faults what is wrong, in sentences */
function verdict(faults: readonly string[], { count }: Ledger): string[] {
  if (faults.length > 0)
    return ['Check FAILED: what came back is not what was sent', ...faults.map((fault) => `  ${fault}`)]
  const each = `each of the ${formatInteger(count)} flights`
  return [`Check passed: ${each} came back, unchanged and in its key's order`]
}
