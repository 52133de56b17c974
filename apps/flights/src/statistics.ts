import type { FlightRecord } from './flight.js'

/** A flight counts as late from here on, minutes; the US Department of Transportation counts so. */
export const LATE_FROM = 15

const DAY = 'yyyy-mm-dd'.length

class Delays {
  flights = 0
  minutes = 0
  late = 0

  add(delay: number): void {
    this.flights++
    this.minutes += delay
    if (delay > LATE_FROM) this.late++
  }

  /** Null without a flight. */
  get mean(): number | null {
    return this.flights === 0 ? null : this.minutes / this.flights
  }
}

export interface AirportDelays {
  /** IATA code. */
  readonly airport: string
  /** How many flights departed there. */
  readonly flights: number
  /** How late flights from there were on average, minutes. */
  readonly meanFrom: number
  /** How late flights to there were on average, minutes; null when there was none. */
  readonly meanTo: number | null
  /** The part of the flights from there that was more than LATE_FROM late: 0 to 1. */
  readonly lateShare: number
}

/** Adds up how late flights were, by the airports they left and by those they went to. */
export class DelayStatistics {
  readonly #from = new Map<string, Delays>()
  readonly #to = new Map<string, Delays>()
  #first = ''
  #last = ''

  /** The days of the first and of the last flight, such as 2001-06-30; empty without one. */
  get days(): readonly [string, string] {
    return [this.#first.slice(0, DAY), this.#last.slice(0, DAY)]
  }

  add(flight: Pick<FlightRecord, 'date' | 'origin' | 'destination' | 'delay'>): void {
    if (this.#first === '' || flight.date < this.#first) this.#first = flight.date
    if (flight.date > this.#last) this.#last = flight.date
    delaysOf(this.#from, flight.origin).add(flight.delay)
    delaysOf(this.#to, flight.destination).add(flight.delay)
  }

  /** The airports from which flights were latest on average, the worst first. */
  worst(count: number, minFlights: number): AirportDelays[] {
    const airports: AirportDelays[] = []
    for (const [airport, { flights, late, mean }] of this.#from) {
      if (mean === null || flights < minFlights) continue
      const meanTo = this.#to.get(airport)?.mean ?? null
      airports.push({ airport, flights, meanFrom: mean, meanTo, lateShare: late / flights })
    }
    return airports.sort((a, b) => b.meanFrom - a.meanFrom).slice(0, count)
  }
}

function delaysOf(all: Map<string, Delays>, airport: string): Delays {
  let delays = all.get(airport)
  if (delays === undefined) all.set(airport, (delays = new Delays()))
  return delays
}
