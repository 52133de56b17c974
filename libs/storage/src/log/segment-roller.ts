/** Rolls full segments, and lets retention have its say each time: a topic that is written to keeps itself in bounds. */
import type { TopicConfig } from '@rivulet/protocol'
import type { StorageLogger } from '../connection/redis-target.js'
import type { PartitionLog } from './partition-log.js'
import type { Partition } from './types.js'

export class SegmentRoller {
  readonly #retaining = new Set<Partition>()

  constructor(
    private readonly log: PartitionLog,
    private readonly logger: StorageLogger,
  ) {}

  /** Answers the active segment's number. Retention runs on behind the caller's back: no append waits for it. */
  async roll(partition: Partition, config: TopicConfig, segment: number): Promise<number> {
    const active = await this.log.roll(partition, segment)
    if (active !== segment && !this.#retaining.has(partition)) {
      this.#retaining.add(partition)
      void this.log
        .applyRetention(partition, config)
        .catch((error: unknown) =>
          this.logger.warn('retention after a roll failed; the next roll tries again', {
            topic: partition.topic,
            partition: partition.partition,
            error: error instanceof Error ? error.message : String(error),
          }),
        )
        .finally(() => this.#retaining.delete(partition))
    }
    return active
  }
}
