import type { BenchRecord, Peer, Topic } from '../peers/peer.js'
import { MAX_RECORDS, type RoundOptions, WrongResult } from './work.js'

export interface Sent {
  readonly records: number
  /** ms */
  readonly elapsed: number
}

/**
 * Sends for so many seconds, always so many sends in flight, and waits for all answers. Then the topic must hold just what
 * was acknowledged; in the checking round no two answers may name the same place.
 *
 * @throws WrongResult
 */
export async function sendFor<A>(
  peer: Peer<A>,
  topic: Topic,
  sends: readonly BenchRecord[][],
  inFlight: number,
  { seconds, checking }: RoundOptions,
): Promise<Sent> {
  const before = await peer.stored(topic)
  const answers: A[] = []
  let next = 0
  let records = 0
  const start = performance.now()
  const end = start + seconds * 1000
  const sendOn = async (): Promise<void> => {
    while (performance.now() < end && records < MAX_RECORDS) {
      const messages = sends[next++ % sends.length] ?? []
      const answer = await peer.send(topic, messages)
      records += messages.length
      if (checking) answers.push(answer)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, sendOn))
  const elapsed = performance.now() - start
  const stored = (await peer.stored(topic)) - before
  if (stored !== records) throw new WrongResult(`${records} records were acknowledged, ${stored} are there`)
  const positions = answers.flatMap((answer) => peer.positions(answer))
  const different = new Set(positions).size
  if (different !== positions.length) {
    throw new WrongResult(`${positions.length} answers name only ${different} different places`)
  }
  return { records, elapsed }
}

/** Sends exactly so many records, outside of what is measured. */
export async function fill<A>(
  peer: Peer<A>,
  topic: Topic,
  sends: readonly BenchRecord[][],
  count: number,
): Promise<void> {
  let begun = 0
  let next = 0
  const sendOn = async (): Promise<void> => {
    while (begun < count) {
      const messages = (sends[next++ % sends.length] ?? []).slice(0, count - begun)
      begun += messages.length
      await peer.send(topic, messages)
    }
  }
  await Promise.all(Array.from({ length: 4 }, sendOn))
}

export function perSecond(records: number, elapsed: number): number {
  return (records / elapsed) * 1000
}
