import type { WorkInHand } from './work-in-hand.js'

/** How often it is looked, as a part of the time that is allowed. */
const LOOKS = 20
/** … and at least this often, ms. */
const LONGEST_PAUSE_MS = 1000

interface Seen {
  readonly position: number
  readonly signsOfLife: number
  readonly at: number
}

/**
 * Notices handlers that make no progress: Kafka's `max.poll.interval.ms`. What a handler has in hand is looked at from
 * time to time, so that handing out costs nothing.
 */
export class ProgressWatch {
  private readonly timer: NodeJS.Timeout
  private seen = new Map<WorkInHand, Seen>()

  constructor(
    private readonly limitMs: number,
    private readonly works: () => Iterable<WorkInHand>,
    private readonly onStuck: (work: WorkInHand) => void,
  ) {
    this.timer = setInterval(() => this.look(performance.now()), Math.min(limitMs / LOOKS, LONGEST_PAUSE_MS))
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private look(now: number): void {
    const seen = new Map<WorkInHand, Seen>()
    for (const work of this.works()) {
      const { position } = work.partition
      const { signsOfLife } = work
      const before = this.seen.get(work)
      const isSame = before?.position === position && before.signsOfLife === signsOfLife
      seen.set(work, isSame ? before : { position, signsOfLife, at: now })
      if (isSame && now - before.at >= this.limitMs) this.onStuck(work)
    }
    this.seen = seen
  }
}
