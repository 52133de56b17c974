import { KafkaError } from '@rivulet/protocol'
import type { Partition, PartitionDescription, Storage, Topic } from '@rivulet/storage'
import { KafkaJSBrokerNotFound, KafkaJSDeleteTopicRecordsError, toKafkaJSError } from '../errors.js'
import type { Logger, SeekEntry } from '../types.js'
import { findTopic } from './find-topic.js'

type PartitionError = KafkaJSDeleteTopicRecordsError['partitions'][number]

/** What stands for the log's ends where a timestamp is expected: Kafka's ListOffsets. */
const LATEST = -1
const EARLIEST = -2

/** Every partition of a topic, described. @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION if it vanished meanwhile */
export async function describePartitions(storage: Storage, topic: Topic): Promise<PartitionDescription[]> {
  const descriptions = await storage.log.describeAll(topic.partitions)
  return descriptions.map((description) => {
    if (description instanceof KafkaError) throw asUnknownTopic(description, topic)
    return description
  })
}

/** A topic that was deleted between two looks at it is one that is not there. */
function asUnknownTopic(error: unknown, topic: Topic): unknown {
  if (!(error instanceof KafkaError) || error.type !== 'UNKNOWN_TOPIC_ID') return error
  return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic "${topic.name}" was deleted`, { cause: error })
}

/** The start and the end of each partition's log. */
export async function fetchTopicOffsets(
  storage: Storage,
  name: string,
): Promise<(SeekEntry & { high: string; low: string })[]> {
  const topic = await findTopic(storage, name)
  const descriptions = await describePartitions(storage, topic)
  return descriptions.map(({ partition: { partition }, logStartOffset, logEndOffset }) => {
    const high = String(logEndOffset)
    return { partition, offset: high, high, low: String(logStartOffset) }
  })
}

/**
 * In each partition the offset of the first record that is as late as the timestamp; the log's end where there is none.
 * -1 is the log's end, -2 its start.
 */
export async function fetchTopicOffsetsByTimestamp(
  storage: Storage,
  name: string,
  timestamp: number,
): Promise<SeekEntry[]> {
  if (timestamp < EARLIEST) {
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      `Timestamp ${timestamp} is not supported: give ms since the epoch, -1 (end) or -2 (start)`,
    )
  }
  const topic = await findTopic(storage, name)
  if (timestamp === EARLIEST || timestamp === LATEST) {
    const descriptions = await describePartitions(storage, topic)
    return descriptions.map(({ partition: { partition }, logStartOffset, logEndOffset }) => ({
      partition,
      offset: String(timestamp === EARLIEST ? logStartOffset : logEndOffset),
    }))
  }
  return Promise.all(
    topic.partitions.map(async (partition) => ({
      partition: partition.partition,
      offset: String(await firstAtOrAfter(storage, topic, partition, timestamp)),
    })),
  )
}

async function firstAtOrAfter(
  storage: Storage,
  topic: Topic,
  partition: Partition,
  timestamp: number,
): Promise<number> {
  try {
    // The end is read first: a record that comes in between must not be passed over.
    const { logEndOffset } = await storage.log.describe(partition)
    const found = await storage.log.offsetForTimestamp(partition, timestamp)
    return found === null ? logEndOffset : found.offset
  } catch (error) {
    throw asUnknownTopic(error, topic)
  }
}

/**
 * Deletes the records of each partition that lie before its offset; -1: all. At a retry the partitions that `done` holds
 * are left alone.
 *
 * @throws KafkaJSDeleteTopicRecordsError with an error for each partition that could not be cut
 */
export async function deleteTopicRecords(
  storage: Storage,
  name: string,
  seeks: readonly SeekEntry[],
  done: Set<SeekEntry>,
  logger: Logger,
): Promise<void> {
  const topic = await findTopic(storage, name)
  const unknown = seeks.filter(({ partition }) => topic.partitions[partition] === undefined)
  if (unknown.length > 0) throw notFound(name, unknown)
  const errors: PartitionError[] = []
  await Promise.all(
    seeks.map(async (seek) => {
      const { partition, offset } = seek
      const log = topic.partitions[partition]
      if (log === undefined || done.has(seek)) return
      try {
        await deleteBefore(storage, log, Number(offset), logger)
        done.add(seek)
      } catch (error) {
        errors.push({ partition, offset, error: toKafkaJSError(asUnknownTopic(error, topic)) })
      }
    }),
  )
  if (errors.length > 0) throw new KafkaJSDeleteTopicRecordsError({ topic: name, partitions: errors })
}

async function deleteBefore(storage: Storage, partition: Partition, offset: number, logger: Logger): Promise<void> {
  if (offset < -1) {
    throw new KafkaError(
      'OFFSET_OUT_OF_RANGE',
      `Offset ${offset} is not valid: give one from 0 on, or -1 for all records`,
    )
  }
  const { logStartOffset } = await storage.log.describe(partition)
  if (offset !== -1 && offset < logStartOffset) {
    logger.warn('The records before the requested offset are gone already: none will be deleted from this partition', {
      topic: partition.topic,
      partition: partition.partition,
      offset: String(offset),
    })
  }
  await storage.log.deleteRecords(partition, offset)
}

function notFound(topic: string, seeks: readonly SeekEntry[]): KafkaJSDeleteTopicRecordsError {
  return new KafkaJSDeleteTopicRecordsError({
    topic,
    partitions: seeks.map(({ partition, offset }) => ({
      partition,
      offset,
      error: new KafkaJSBrokerNotFound(`Topic "${topic}" has no partition ${partition}`, { retriable: false }),
    })),
  })
}
