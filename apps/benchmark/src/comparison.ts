import { PEER_NAMES, type PeerName } from './peers/settings.js'
import type { Results } from './rounds.js'
import { type Summary, summarize } from './statistics.js'
import type { FigureDefinition, Target, WorkDefinition } from './works/work.js'

interface PeerFigure extends Summary {
  /** In the order of the rounds. */
  readonly rounds: readonly number[]
  /** Rivulet's median over the peer's. */
  readonly ratio: number | null
}

export interface Verdict extends Target {
  /** What was compared with the bar; null: the peer or Rivulet is missing. */
  readonly value: number | null
  readonly met: boolean | null
}

/** One figure, of all peers. */
export interface Comparison {
  readonly work: number
  readonly figure: string
  readonly title: string
  readonly unit: FigureDefinition['unit']
  readonly peers: Readonly<Partial<Record<PeerName, PeerFigure>>>
  readonly targets: readonly Verdict[]
}

export function compare(work: WorkDefinition, results: Results): Comparison[] {
  return work.figures.map(({ name, title, unit, targets }) => {
    const values = new Map<PeerName, readonly number[]>()
    for (const [peer, figures] of results)
      values.set(
        peer,
        figures.map((figure) => figure[name] ?? NaN),
      )
    const own = values.has('rivulet') ? summarize(values.get('rivulet') ?? []).median : null
    const peers: Partial<Record<PeerName, PeerFigure>> = {}
    for (const peer of PEER_NAMES) {
      const rounds = values.get(peer)
      if (rounds === undefined) continue
      const summary = summarize(rounds)
      peers[peer] = { ...summary, rounds, ratio: own === null || peer === 'rivulet' ? null : own / summary.median }
    }
    const verdicts = targets.map((target) =>
      judge(target, target.peer === undefined ? own : (peers[target.peer]?.ratio ?? null)),
    )
    return { work: work.number, figure: name, title, unit, peers, targets: verdicts }
  })
}

function judge(target: Target, value: number | null): Verdict {
  const { atLeast = -Infinity, atMost = Infinity } = target
  return { ...target, value, met: value === null ? null : value >= atLeast && value <= atMost }
}
