import type { AssignedPartition } from './assigned-partition.js'

/** What a handler has in hand of one partition: one call of eachBatch, or the messages of one batch for eachMessage. */
export class WorkInHand {
  /** Raised by whatever the handler does to show that it goes on, besides resolving offsets. */
  signsOfLife = 0
  /** The handler was told that there is no use in going on: what it did not resolve itself may be undone. */
  wasTold = false
  private stopped = false
  private controller: AbortController | null = null

  constructor(
    readonly partition: AssignedPartition,
    readonly generation: number,
  ) {}

  /** Made when it is first asked for. */
  get signal(): AbortSignal {
    this.controller ??= new AbortController()
    if (this.stopped) this.abort()
    return this.controller.signal
  }

  /** Whether what the handler resolves still counts. */
  get counts(): boolean {
    return this.partition.generation === this.generation
  }

  /** Whether the partition goes to another member, or has gone. */
  get isTakenAway(): boolean {
    return this.partition.revoking || this.partition.gone
  }

  /** Whether nothing further of it is to be handed out. */
  get isOver(): boolean {
    return this.stopped || this.partition.revoking || this.partition.generation !== this.generation
  }

  /** Ends it: the handler may finish what it is at. */
  abort(): void {
    this.stopped = true
    if (this.controller === null) return
    this.wasTold = true
    this.controller.abort()
  }
}
