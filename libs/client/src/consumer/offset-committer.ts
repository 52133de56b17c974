import { setTimeout as sleep } from 'node:timers/promises'
import { type CommitOutcome, type OffsetCommit, partitionName, type TopicPartition } from '@rivulet/coordinator'
import type { RetrySettings } from '../retry.js'
import type { Logger } from '../types.js'
import { RetryState } from './retry-state.js'

export interface PendingCommit extends OffsetCommit {
  /** No event tells of it: kafkajs has none for the commit of a seek. */
  readonly silent?: boolean
}

export interface OffsetCommitterOptions {
  readonly send: (commits: readonly OffsetCommit[]) => Promise<readonly CommitOutcome[]>
  readonly retry: RetrySettings
  readonly logger: Logger
  /** Told of each call's commits and what became of them, before those who wait for them. */
  readonly onAnswer: (commits: readonly PendingCommit[], outcomes: readonly CommitOutcome[]) => void
}

type Outcomes = ReadonlyMap<string, CommitOutcome>

/** The commits of one call. Of several for the same partition, the last one counts. */
class Gathering {
  readonly commits = new Map<string, PendingCommit>()
  readonly outcomes: Promise<Outcomes>
  resolve: (outcomes: Outcomes) => void = () => undefined
  reject: (error: unknown) => void = () => undefined

  constructor() {
    this.outcomes = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

/**
 * Commits offsets with one call under way at a time, so that a commit never overtakes an earlier one: what comes meanwhile
 * shares the next call.
 */
export class OffsetCommitter {
  private next: Gathering | null = null
  private sending: Gathering | null = null
  private readonly abort = new AbortController()

  constructor(private readonly options: OffsetCommitterOptions) {}

  /**
   * Stores the offsets; what is retriable is tried again.
   *
   * @returns what became of each, in order
   * @throws KafkaJSError as the retry settings make it of what failed for all of them
   */
  async commit(commits: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    if (commits.length === 0) return []
    const gathering = (this.next ??= new Gathering())
    for (const commit of commits) gathering.commits.set(partitionName(commit), commit)
    if (this.sending === null) void this.run()
    const outcomes = await gathering.outcomes
    return commits.map((commit) => outcomes.get(partitionName(commit)) ?? null)
  }

  /** Whether an offset of the partition waits to be stored, or is on its way: what is known to be stored may be older. */
  isCommitting(partition: TopicPartition): boolean {
    const key = partitionName(partition)
    return [this.sending, this.next].some((gathering) => gathering?.commits.has(key) === true)
  }

  /** Ends the waits between tries: what has failed then has failed for good. */
  stop(): void {
    this.abort.abort()
  }

  private async run(): Promise<void> {
    for (let gathering = this.next; gathering !== null; gathering = this.next) {
      this.sending = gathering
      this.next = null
      try {
        gathering.resolve(await this.send([...gathering.commits.values()]))
      } catch (error) {
        gathering.reject(error)
      }
    }
    this.sending = null
  }

  private async send(commits: readonly PendingCommit[]): Promise<Outcomes> {
    const { send, retry, logger, onAnswer } = this.options
    const failures = new RetryState(retry)
    for (;;) {
      try {
        const outcomes = await send(commits)
        onAnswer(commits, outcomes)
        return new Map(commits.map((commit, index) => [partitionName(commit), outcomes[index] ?? null]))
      } catch (thrown) {
        const after = failures.failed(thrown)
        if (after.kind === 'give-up' || this.abort.signal.aborted) throw after.error
        logger.debug('Error while committing offsets, trying again…', {
          error: after.error.message,
          retryCount: failures.count,
          retryTime: after.wait,
        })
        await sleep(after.wait, undefined, { signal: this.abort.signal }).catch(() => undefined)
      }
    }
  }
}
