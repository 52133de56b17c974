import { createRequire } from 'node:module'
import { join } from 'node:path'
import { decompress, init } from '@bokuweb/zstd-wasm'
import { asyncBufferFromFile, parquetScan } from 'hyparquet'
import type { Flight } from './flight.js'

/** How many flights the data set has: those of US airlines from January to June 2001. */
export const ALL_FLIGHTS = 3_000_000

const require = createRequire(import.meta.url)

/** The folder of vega-datasets' files; its package.json exports none of them. */
const folder = join(require.resolve('vega-datasets'), '../../data')

export const AIRPORTS_FILE = join(folder, 'airports.csv')
const FLIGHTS_FILE = join(folder, 'flights-3m.parquet')

// hyparquet decompresses synchronously, which Node's own zlib can do for ZSTD from 22.15 on only. To begin anew damages
// what the library has under way.
let zstd: Promise<void> | undefined

/**
 * The first flights of the data set, in chunks, ordered by departure. Holds one row group of the file (270,000 flights,
 * column by column) at a time, and makes objects of one chunk only.
 */
export async function* readFlights(count: number, chunkSize: number): AsyncGenerator<Flight[]> {
  await (zstd ??= init())
  const scan = await parquetScan({
    file: await asyncBufferFromFile(FLIGHTS_FILE),
    compressors: { ZSTD: (page, size) => decompress(page, { defaultHeapSize: size }) },
    parsers: { timestampFromMicroseconds: (micros) => Number(micros / 1000n) },
  })
  for (const { rowStart, rowEnd } of scan.ranges) {
    if (rowStart >= count) return
    const column = async (name: string): Promise<ArrayLike<unknown>> =>
      scan.readColumn({ column: name, rowStart, rowEnd })
    const departures = await column('date')
    const delays = await column('delay')
    const distances = await column('distance')
    const origins = await column('origin')
    const destinations = await column('destination')
    const rows = Math.min(rowEnd, count) - rowStart
    for (let start = 0; start < rows; start += chunkSize) {
      const chunk: Flight[] = []
      for (let row = start; row < Math.min(start + chunkSize, rows); row++) {
        chunk.push({
          departure: Number(departures[row]),
          delay: Number(delays[row]),
          distance: Number(distances[row]),
          origin: String(origins[row]),
          destination: String(destinations[row]),
        })
      }
      yield chunk
    }
  }
}
