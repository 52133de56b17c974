import { CompressionTypes, type Producer } from '@rivulet/client'
import { readFlights } from './dataset.js'
import { toRecord } from './flight.js'
import { Ledger } from './ledger.js'
import type { Progress } from './progress.js'
import { TOPIC } from './topic.js'

/** Records in one call of send(). */
const CHUNK = 2000
/** So many sends are under way at most; that bounds what the process holds. */
const SENDS = 8

/** Sends the flights, in the order of the data set. @returns the account of what was sent */
export async function produceFlights(producer: Producer, progress: Progress, signal: AbortSignal): Promise<Ledger> {
  const sent = new Ledger()
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  for await (const flights of readFlights(progress.total, CHUNK)) {
    const messages = flights.map((flight) => {
      const key = flight.origin
      const value = Buffer.from(JSON.stringify(toRecord(flight, sent.next(key))))
      sent.add(key, value)
      return { key, value, timestamp: String(flight.departure) }
    })
    const send = producer
      .send({ topic: TOPIC, messages, compression: CompressionTypes.LZ4 })
      .then(() => progress.add(messages.length))
      .catch((error: unknown) => {
        failures.push(error)
      })
      .finally(() => underWay.delete(send))
    underWay.add(send)
    if (underWay.size >= SENDS) await Promise.race(underWay)
    if (failures.length > 0) break
    signal.throwIfAborted()
  }
  await Promise.all(underWay)
  signal.throwIfAborted()
  if (failures.length > 0) throw failures[0]
  return sent
}
