import type { Comparison, Verdict } from './comparison.js'
import type { Conditions } from './conditions.js'
import { PEER_NAMES, type PeerName } from './peers/settings.js'
import type { FigureUnit } from './works/work.js'

/** Why a peer does not take part. */
export type Missing = ReadonlyMap<PeerName, string>

const HEADER = ['#', 'work', 'peer', 'median', 'min – max', 'Rivulet/peer', 'target', '']
const RIGHT: ReadonlySet<string> = new Set(['median', 'min – max', 'Rivulet/peer'])

/** The table, the missing peers and the verdict's sum, in lines. */
export function formatReport(
  comparisons: readonly Comparison[],
  missing: Missing,
  peersOf: (work: number) => readonly PeerName[],
): string[] {
  const rows = comparisons.flatMap((comparison) => {
    const names = PEER_NAMES.filter(
      (name) => name in comparison.peers || (missing.has(name) && peersOf(comparison.work).includes(name)),
    )
    return names.flatMap((name, i) => {
      const [number, title] = i === 0 ? [String(comparison.work), comparison.title] : ['', '']
      return peerRows(comparison, name).map((cells, j) => (j === 0 ? [number, title, ...cells] : ['', '', ...cells]))
    })
  })
  const all = comparisons.flatMap(({ targets }) => targets)
  const count = (met: boolean | null): number => all.filter((verdict) => verdict.met === met).length
  return [
    ...formatTable(rows),
    '',
    ...[...missing].map(([name, reason]) => `Missing: ${name}: ${reason}`),
    `Targets: ${count(true)} met, ${count(false)} missed, ${count(null)} not compared`,
  ]
}

/** A row, and further ones where there is more than one target. */
function peerRows({ peers, unit, targets }: Comparison, name: PeerName): string[][] {
  const figure = peers[name]
  const cells =
    figure === undefined
      ? [name, 'missing', '', '']
      : [
          name,
          formatValue(figure.median, unit),
          `${formatNumber(figure.min, unit)} – ${formatNumber(figure.max, unit)}`,
          figure.ratio === null ? '' : `${formatRatio(figure.ratio)} ×`,
        ]
  const own = targets.filter((target) => (target.peer ?? 'rivulet') === name)
  if (own.length === 0) return [cells]
  return own.map((target, i) => [...(i === 0 ? cells : ['', '', '', '']), formatTarget(target), formatVerdict(target)])
}

function formatTarget({ peer, atLeast, atMost }: Verdict): string {
  const bars = [...(atLeast === undefined ? [] : [`≥ ${atLeast}`]), ...(atMost === undefined ? [] : [`≤ ${atMost}`])]
  return bars.map((bar) => (peer === undefined ? bar : `${bar} ×`)).join(', ')
}

function formatVerdict({ met }: Verdict): string {
  if (met === null) return 'not compared'
  return met ? 'met' : 'MISSED'
}

function formatValue(value: number, unit: FigureUnit): string {
  return unit === 'ratio' ? formatNumber(value, unit) : `${formatNumber(value, unit)} ${unit}`
}

const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

function formatNumber(value: number, unit: FigureUnit): string {
  return unit === 'records/s' ? integers.format(value) : value.toFixed(3)
}

function formatRatio(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1)
}

/** Columns as wide as their widest cell; no line ends in blanks. */
function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADER.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    HEADER.map((title, i) => {
      const cell = row[i] ?? ''
      return RIGHT.has(title) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)
    })
      .join('  ')
      .trimEnd()
  return [line(HEADER), widths.map((width) => '─'.repeat(width)).join('──'), ...rows.map(line)]
}

/** What --json writes. Fields are added, never renamed or removed, while `format` stays. */
export function toJson(
  conditions: Conditions,
  descriptions: ReadonlyMap<PeerName, string>,
  missing: Missing,
  comparisons: readonly Comparison[],
): string {
  const report = {
    format: 1,
    conditions,
    peers: Object.fromEntries(descriptions),
    missing: Object.fromEntries(missing),
    results: comparisons,
  }
  return `${JSON.stringify(report, null, 2)}\n`
}
