import { KafkaError } from '@rivulet/protocol'
import type { LogReader, Partition, PartitionDescription, Validation } from '@rivulet/storage'
import { type KafkaJSError, toKafkaJSError } from '../errors.js'
import type { Logger } from '../types.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { ConsumerInstrumentation } from './consumer-events.js'
import { KafkaJSLogTruncated } from './log-truncated-error.js'
import { decideStart } from './offset-reset.js'

/** What is asked of a log besides its records. */
export interface LogBoundsSource {
  describeAll(partitions: readonly Partition[]): Promise<(PartitionDescription | KafkaError)[]>
  offsetForTimestamp(partition: Partition, timestamp: number): Promise<{ offset: number } | null>
}

export interface PositionsOptions {
  readonly log: LogBoundsSource
  readonly reader: Pick<LogReader, 'validate'>
  readonly instrumentation: ConsumerInstrumentation
  readonly logger: Logger
  /** The partition's log does not exist. */
  readonly onTopicGone: (partition: AssignedPartition) => void
  readonly onCrash: (error: KafkaJSError) => void
}

/**
 * Turns starts into positions, and checks positions that are in doubt against the log (Kafka's KIP-320): after either, the
 * partition can be fetched, or the consumer has crashed because the policy says that nothing is to be guessed.
 */
export class Positions {
  constructor(private readonly options: PositionsOptions) {}

  /**
   * Answers whether a doubt was settled, so that what is buffered may be handed out again.
   *
   * @throws KafkaError: the server could not be asked
   */
  async settle(partitions: readonly AssignedPartition[]): Promise<boolean> {
    const unknown = partitions.filter(({ log, start }) => log !== null && start !== null)
    if (unknown.length > 0) await this.establish(unknown)
    for (const partition of partitions) {
      if (partition.draining && partition.position === partition.fetchOffset) {
        partition.draining = false
        partition.needsValidation = true
      }
    }
    const doubtful = partitions.filter((partition) => partition.hasPosition && partition.needsValidation)
    if (doubtful.length === 0) return false
    await Promise.all(doubtful.map((partition) => this.check(partition)))
    return true
  }

  private async establish(partitions: readonly AssignedPartition[]): Promise<void> {
    const asked = partitions.flatMap((partition) =>
      partition.log === null ? [] : [{ partition, log: partition.log, generation: partition.generation }],
    )
    const descriptions = await this.options.log.describeAll(asked.map(({ log }) => log))
    await Promise.all(
      asked.map(async ({ partition, log, generation }, index) => {
        const description = descriptions[index]
        if (description === undefined || partition.generation !== generation || partition.start === null) return
        if (description instanceof KafkaError) return this.failed(partition, description)
        if (partition.start.kind === 'offset' && partition.start.leaderEpoch !== undefined) {
          // Within the log's bounds it may yet be from a tail that was lost: the epoch tells.
          partition.positionAt(partition.start.offset, [partition.start.leaderEpoch])
          partition.logEndOffset = description.logEndOffset
          partition.needsValidation = true
          return
        }
        const decision = decideStart(partition.start, partition.policy, description)
        if (decision.kind === 'out-of-range') return this.outOfRange(partition, partition.start, description)
        let offset: number
        if (decision.kind === 'position') offset = decision.offset
        else {
          const found = await this.options.log.offsetForTimestamp(log, decision.timestamp)
          offset = found?.offset ?? description.logEndOffset
        }
        if (partition.generation !== generation) return
        if (partition.start.kind === 'offset' && partition.start.offset !== offset) {
          this.options.logger.info('The offset is out of range, the reset policy decides', {
            topic: partition.topic,
            partition: partition.partition,
            offset: String(partition.start.offset),
            position: String(offset),
          })
        }
        partition.positionAt(offset, description.epochs)
        partition.logEndOffset = description.logEndOffset
      }),
    )
  }

  private async check(partition: AssignedPartition): Promise<void> {
    const { log, fetchOffset, generation, epochs, suspectEpoch } = partition
    if (log === null) return
    let verdict: Validation
    try {
      verdict = await this.options.reader.validate(log, fetchOffset, epochs, suspectEpoch)
    } catch (error) {
      // Should the batch be there when the server is asked again, it is fetched again.
      partition.suspectEpoch = null
      return this.failed(partition, error)
    }
    // Overtaken by a seek or a pause: the partition is still in doubt, or no longer.
    if (partition.generation !== generation || partition.fetchOffset !== fetchOffset) return
    if (verdict.kind === 'valid') {
      partition.needsValidation = false
      // A silence may also mean that the segment waited on is gone: a fetch finds the one that follows.
      partition.behind = verdict.end?.offset !== fetchOffset || verdict.end.segment !== partition.segment
      partition.admittedEpoch = suspectEpoch
      partition.suspectEpoch = null
      partition.confirmedAt = performance.now()
    } else if (verdict.kind === 'truncated') {
      this.truncated(partition, verdict.divergence)
    } else if (partition.position < partition.fetchOffset) {
      // What was fetched in time is handed out first; the log has let go of what follows.
      partition.needsValidation = false
      partition.draining = true
    } else if (partition.policy === 'none') {
      this.outOfRange(partition, { kind: 'offset', offset: fetchOffset }, verdict)
    } else {
      this.options.logger.warn('The position is out of range, the reset policy decides', {
        topic: partition.topic,
        partition: partition.partition,
        position: String(fetchOffset),
        logStartOffset: String(verdict.logStartOffset),
        logEndOffset: String(verdict.logEndOffset),
      })
      partition.startFrom({ kind: 'reset' })
    }
  }

  private truncated(partition: AssignedPartition, divergence: number): void {
    const { topic, partition: number, handedOut, position } = partition
    partition.forgetEpochsFrom(divergence)
    if (divergence >= handedOut) {
      // The application has seen nothing of the lost tail: it is enough to fetch again what was only buffered.
      partition.discardBuffered()
      return
    }
    if (partition.policy === 'none') {
      this.options.onCrash(new KafkaJSLogTruncated({ topic, partition: number, position: handedOut, divergence }))
      return
    }
    this.options.logger.warn('The server has lost a tail of the log that was read: going on where the logs part', {
      topic,
      partition: number,
      position: String(handedOut),
      divergence: String(divergence),
    })
    // A batch in hand may begin before the divergence: what of it is not resolved is read again, not skipped.
    partition.startFrom({ kind: 'offset', offset: Math.min(position, divergence) })
    this.options.instrumentation.emit('consumer.log_truncated', {
      topic,
      partition: number,
      position: String(handedOut),
      divergence: String(divergence),
    })
  }

  private outOfRange(
    { topic, partition }: AssignedPartition,
    start: NonNullable<AssignedPartition['start']>,
    { logStartOffset, logEndOffset }: { readonly logStartOffset: number; readonly logEndOffset: number },
  ): void {
    const what = start.kind === 'offset' ? `offset ${start.offset} is out of range` : 'there is no offset to start from'
    const error = new KafkaError(
      'OFFSET_OUT_OF_RANGE',
      `${topic}-${partition}: ${what} and autoOffsetReset is 'none'; the log holds offsets ${logStartOffset} to ` +
        `${logEndOffset}: seek to one of them`,
    )
    this.options.onCrash(toKafkaJSError(error, { topic, partition }))
  }

  private failed(partition: AssignedPartition, error: unknown): void {
    if (!(error instanceof KafkaError) || !isTopicGone(error)) throw error
    this.options.onTopicGone(partition)
  }
}

/** Whether the log that was asked for does not exist (any more). */
export function isTopicGone({ type }: KafkaError): boolean {
  return type === 'UNKNOWN_TOPIC_ID' || type === 'UNKNOWN_TOPIC_OR_PARTITION'
}
