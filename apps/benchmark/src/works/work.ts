import type { Peer, Topic } from '../peers/peer.js'
import type { PeerName, PeerSettings } from '../peers/settings.js'

/** Figures by their names, in the unit that the work declares for them. */
export type Figures = Readonly<Record<string, number>>

export type FigureUnit = 'records/s' | 'commands/s' | 'ms' | 'ratio'

/** What a median of Rivulet's must reach: against a peer's median of the same run, or by itself. */
export interface Target {
  /** Absent: the value itself is compared. */
  readonly peer?: PeerName
  readonly atLeast?: number
  readonly atMost?: number
}

export interface FigureDefinition {
  readonly name: string
  /** What stands in the table. */
  readonly title: string
  readonly unit: FigureUnit
  readonly targets: readonly Target[]
}

export interface RoundOptions {
  /** For about so long time is measured. */
  readonly seconds: number
  /** The first round: not measured, so that all may be checked that costs time. */
  readonly checking: boolean
}

/** A work, as far as the process that drives the peers is concerned. */
export interface WorkDefinition {
  readonly number: number
  readonly title: string
  readonly peers: readonly PeerName[]
  readonly figures: readonly FigureDefinition[]
  /** The figures are the same in each round: there is only one, without a warm-up. */
  readonly deterministic?: boolean
}

export interface WorkContext {
  readonly settings: PeerSettings
  /** The topic is deleted whatever happens, at the latest when the process ends. */
  createTopic(partitions: number): Promise<Topic>
  deleteTopic(topic: Topic): Promise<void>
}

/** A work under way, at one peer. */
export interface WorkSession {
  round(options: RoundOptions): Promise<Figures>
  close(): Promise<void>
}

export interface Work extends WorkDefinition {
  open<A>(peer: Peer<A>, context: WorkContext): Promise<WorkSession>
}

export const PARTITIONS = 6

/** So many records at most are produced in a round: what Redis holds stays below 300 MB. */
export const MAX_RECORDS = 2_000_000

/** What is measured did not do what it was to do: its figures are worth nothing. */
export class WrongResult extends Error {
  override readonly name = 'WrongResult'
}
