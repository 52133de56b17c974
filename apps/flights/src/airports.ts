import { readFile } from 'node:fs/promises'
import { AIRPORTS_FILE } from './dataset.js'

export interface Airport {
  readonly name: string
  /** Two letters; what the data set calls NA is no state. */
  readonly state: string
}

/** The airports by their IATA code. */
export async function readAirports(): Promise<ReadonlyMap<string, Airport>> {
  return parseAirports(await readFile(AIRPORTS_FILE, 'utf8'))
}

/** @throws Error when the table lacks one of the columns iata, name and state */
export function parseAirports(csv: string): Map<string, Airport> {
  const [header = [], ...rows] = csv.split(/\r?\n/).map(splitLine)
  const [iata, name, state] = ['iata', 'name', 'state'].map((column) => {
    const index = header.indexOf(column)
    if (index < 0) throw new Error(`The table of airports has no column ${column}`)
    return index
  })
  const airports = new Map<string, Airport>()
  for (const row of rows) {
    const code = row[iata ?? -1]
    if (code === undefined || code === '') continue
    const stateCode = row[state ?? -1] ?? ''
    airports.set(code, { name: row[name ?? -1] ?? '', state: stateCode === 'NA' ? '' : stateCode })
  }
  return airports
}

/** The fields of a line of CSV: between commas, or in quotes, where two quotes stand for one. */
function splitLine(line: string): string[] {
  const fields: string[] = []
  for (const [, quoted, plain] of line.matchAll(/(?<=^|,)(?:"((?:[^"]|"")*)"|([^,]*))(?=,|$)/g)) {
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
  }
  return fields
}
