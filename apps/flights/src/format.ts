const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** 1234567 → '1,234,567' */
export function formatInteger(value: number): string {
  return integers.format(value)
}

/** 28933120 → '28.9 MB'; decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  let value = bytes
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** Milliseconds → '12.3 s' */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

/** 0.1234 → '12.3 %' */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** How many a second. */
export function rate(count: number, ms: number): number {
  return ms > 0 ? (count / ms) * 1000 : 0
}

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Longer cells are cut. */
  readonly maxWidth?: number
}

/** Lines of a table: titles, a rule, rows, each column as wide as its widest cell. No line ends in blanks. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const cut = (cell: string, { maxWidth = Infinity }: Column): string =>
    cell.length > maxWidth ? `${cell.slice(0, maxWidth - 1)}…` : cell
  const cells = rows.map((row) => columns.map((column, i) => cut(row[i] ?? '', column)))
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (columns[i]?.align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('──')
  return [line(columns.map(({ title }) => title)), rule, ...cells.map(line)]
}
