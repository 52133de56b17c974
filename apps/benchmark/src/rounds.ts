import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerName } from './peers/settings.js'
import type { Figures, RoundOptions, WorkDefinition } from './works/work.js'

/** A peer, as rounds see it: PeerProcess. */
export interface Participant {
  readonly name: PeerName
  open(work: number): Promise<void>
  round(options: RoundOptions & { profile: boolean }): Promise<Figures>
  close(profileFile: string | null): Promise<void>
}

/** What a peer's rounds gave, in their order. */
export type Results = ReadonlyMap<PeerName, readonly Figures[]>

export interface RoundsOptions {
  readonly rounds: number
  readonly seconds: number
  /** Where Rivulet's CPU profile goes. */
  readonly profileFile: string | null
  /** When nothing is left to do for the servers. */
  readonly settle: () => Promise<void>
  readonly progress: (text: string) => void
}

/** How long both servers rest between two peers, ms. */
const REST = 200

/**
 * One work: all peers open it and warm up in a round that does not count, then take turns (A, B, C, A, B, C …), so that
 * whatever slows the machine for a while slows all of them. Never are two at work at the same time.
 */
export async function runRounds(
  work: WorkDefinition,
  participants: readonly Participant[],
  options: RoundsOptions,
): Promise<Results> {
  const { rounds, seconds, profileFile, settle, progress } = options
  const results = new Map<PeerName, Figures[]>(participants.map(({ name }) => [name, []]))
  const rest = async (): Promise<void> => {
    await sleep(REST)
    await settle()
  }
  const count = work.deterministic === true ? 1 : rounds
  for (const participant of participants) {
    progress(`${participant.name} warms up`)
    await participant.open(work.number)
    if (work.deterministic !== true) await participant.round({ seconds, checking: true, profile: false })
    await rest()
  }
  for (let round = 1; round <= count; round++) {
    for (const participant of participants) {
      progress(`round ${round} of ${count}, ${participant.name}`)
      const profile = profileFile !== null && participant.name === 'rivulet' && round === count
      results.get(participant.name)?.push(await participant.round({ seconds, checking: false, profile }))
      await rest()
    }
  }
  for (const participant of participants) {
    await participant.close(participant.name === 'rivulet' ? profileFile : null)
    await rest()
  }
  return results
}
