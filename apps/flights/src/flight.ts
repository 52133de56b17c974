/** One flight, as the data set has it. */
export interface Flight {
  /** The departure as it really was, ms: the local time at the origin, taken as if it were UTC. */
  readonly departure: number
  /** Minutes that it arrived late; negative: early. */
  readonly delay: number
  /** Miles. */
  readonly distance: number
  /** IATA code, such as ORD. */
  readonly origin: string
  /** IATA code. */
  readonly destination: string
}

/** A flight as it goes through the topic: the JSON of a record's value. The record's key is the origin. */
export interface FlightRecord {
  /** How many flights of the same origin were sent before it. */
  readonly seq: number
  /** 2001-06-30T23:59 */
  readonly date: string
  readonly delay: number
  readonly distance: number
  readonly origin: string
  readonly destination: string
}

export function toRecord(flight: Flight, seq: number): FlightRecord {
  const { departure, delay, distance, origin, destination } = flight
  return { seq, date: minuteText(departure), delay, distance, origin, destination }
}

/** @throws TypeError when the text is no JSON of a flight */
export function parseRecord(json: string): FlightRecord {
  const value: unknown = JSON.parse(json)
  if (!isFlightRecord(value)) throw new TypeError(`${json.slice(0, 200)} is no flight`)
  return value
}

function isFlightRecord(value: unknown): value is FlightRecord {
  if (typeof value !== 'object' || value === null) return false
  const { seq, date, delay, distance, origin, destination }: Partial<Record<keyof FlightRecord, unknown>> = value
  return (
    typeof seq === 'number' &&
    typeof date === 'string' &&
    typeof delay === 'number' &&
    typeof distance === 'number' &&
    typeof origin === 'string' &&
    typeof destination === 'string'
  )
}

// Flights come in the order of their departures, dozens of them in the same minute.
let lastMinute = NaN
let lastText = ''

function minuteText(time: number): string {
  if (time !== lastMinute) {
    lastMinute = time
    lastText = new Date(time).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length)
  }
  return lastText
}
