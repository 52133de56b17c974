import type { CommittedOffset, GroupStore, OffsetCommit } from '@rivulet/coordinator'
import { KafkaError } from '@rivulet/protocol'
import type { Partition, Storage, Topic } from '@rivulet/storage'
import { KafkaJSNonRetriableError } from '../errors.js'
import type { FetchOffsetsPartition, Logger, SeekEntry } from '../types.js'
import { findTopic } from './find-topic.js'
import { kafkajsState } from './groups.js'
import { fetchTopicOffsets } from './offsets.js'

/** One topic's offsets, as kafkajs shows them. */
export interface GroupTopicOffsets {
  topic: string
  partitions: FetchOffsetsPartition[]
}

/** What works on a group's offsets. */
export interface Workplace {
  readonly storage: Storage
  readonly groups: GroupStore
  readonly logger: Logger
}

/** What stands for the log's ends where an offset is expected. */
const LATEST = '-1'
const EARLIEST = '-2'

/** kafkajs sorts the partitions of a topic that it is asked for by their numbers as texts. */
const inOrderOfText = ({ partitions }: Topic): Partition[] =>
  partitions.toSorted((a, b) => (String(a.partition) < String(b.partition) ? -1 : 1))

const toOffset = (partition: number, committed: CommittedOffset | null): FetchOffsetsPartition => ({
  partition,
  offset: committed === null ? LATEST : String(committed.offset),
  metadata: committed?.metadata || null,
})

/**
 * A group's committed offsets: in the topics asked for those of every partition, '-1' where there is none. Where no topics
 * are named, all that are committed.
 *
 * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION
 */
export async function fetchOffsets(
  workplace: Workplace,
  groupId: string,
  topics: readonly string[],
): Promise<GroupTopicOffsets[]> {
  if (topics.length === 0) return fetchAllOffsets(workplace, groupId)
  const { storage, groups } = workplace
  const found = await Promise.all(topics.map((name) => findTopic(storage, name)))
  return Promise.all(
    found.map(async (topic) => {
      const partitions = inOrderOfText(topic)
      const committed = await groups.committed(groupId, partitions)
      return {
        topic: topic.name,
        partitions: partitions.map(({ partition }, index) => toOffset(partition, committed[index] ?? null)),
      }
    }),
  )
}

async function fetchAllOffsets({ storage, groups }: Workplace, groupId: string): Promise<GroupTopicOffsets[]> {
  const committed = await groups.allCommitted(groupId)
  if (committed.size === 0) return []
  const topics = await storage.topics.list()
  return topics
    .map(({ name, id, partitions }) => ({
      topic: name,
      partitions: partitions.flatMap(({ partition }) => {
        const offset = committed.get(`${id}:${partition}`)
        return offset === undefined ? [] : [toOffset(partition, offset)]
      }),
    }))
    .filter(({ partitions }) => partitions.length > 0)
}

/**
 * Gives offsets that stand for an end of the log, and those that are not set, what they are now, and stores that.
 *
 * @returns all of the offsets
 * @throws KafkaJSNonRetriableError when the group has members
 */
export async function resolveOffsets(
  workplace: Workplace,
  groupId: string,
  offsets: readonly GroupTopicOffsets[],
): Promise<GroupTopicOffsets[]> {
  return Promise.all(
    offsets.map(async ({ topic, partitions }) => {
      const ends = new Map((await fetchTopicOffsets(workplace.storage, topic)).map((end) => [end.partition, end]))
      const resolved = partitions.map((entry) => {
        const { low, high } = ends.get(entry.partition) ?? { low: EARLIEST, high: LATEST }
        return { ...entry, offset: entry.offset === EARLIEST ? low : entry.offset === LATEST ? high : entry.offset }
      })
      const changed = resolved.filter(({ offset }, index) => offset !== partitions[index]?.offset)
      await setOffsets(workplace, groupId, topic, changed)
      return { topic, partitions: resolved }
    }),
  )
}

/**
 * Stores offsets of a group without members; the last one of a partition counts.
 *
 * @throws KafkaJSNonRetriableError when the group has members; KafkaError UNKNOWN_TOPIC_OR_PARTITION
 */
export async function setOffsets(
  { storage, groups, logger }: Workplace,
  groupId: string,
  name: string,
  seeks: readonly SeekEntry[],
): Promise<void> {
  const topic = await findTopic(storage, name)
  await checkWithoutMembers(groups, groupId)
  const commits = new Map<number, OffsetCommit>()
  for (const { partition, offset } of seeks) {
    const found = topic.partitions[partition]
    // kafkajs passes over it without a word, and programs may rely on getting through.
    if (found === undefined) logger.warn('No offset was set: there is no such partition', { topic: name, partition })
    else commits.set(partition, { ...found, offset: Number(offset), leaderEpoch: null, metadata: null, grant: 0 })
  }
  if (commits.size === 0) return
  const outcomes = await groups.commit(groupId, null, [...commits.values()]).catch(async (error: unknown) => {
    if (error instanceof KafkaError && error.type === 'NON_EMPTY_GROUP') await checkWithoutMembers(groups, groupId)
    throw error
  })
  const refused = outcomes.find((outcome) => outcome !== null)
  if (refused !== undefined) throw refused
}

async function checkWithoutMembers(groups: GroupStore, groupId: string): Promise<void> {
  const state = kafkajsState(await groups.snapshot(groupId))
  if (state === 'Empty' || state === 'Dead') return
  throw new KafkaJSNonRetriableError(
    `Offsets can be set of a group without members only: group "${groupId}" has some, its state is ${state}`,
  )
}

/** Stands each partition of a topic at an end of its log, which one is found out by whoever reads. @throws as setOffsets */
export async function resetOffsets(
  workplace: Workplace,
  groupId: string,
  name: string,
  earliest: boolean,
): Promise<void> {
  const { partitions } = await findTopic(workplace.storage, name)
  const seeks = partitions.map(({ partition }) => ({ partition, offset: earliest ? EARLIEST : LATEST }))
  await setOffsets(workplace, groupId, name, seeks)
}

/**
 * Deletes the committed offsets of these partitions; of all of the topic's where none are named.
 *
 * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP
 */
export async function deleteOffsets(
  { storage, groups }: Workplace,
  groupId: string,
  name: string,
  partitions: readonly number[] | undefined,
): Promise<void> {
  const topic = await findTopic(storage, name)
  const unknown = partitions?.find((partition) => topic.partitions[partition] === undefined)
  if (unknown !== undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic "${name}" has no partition ${unknown}`, { topic: name })
  }
  const wanted = topic.partitions.filter(({ partition }) => partitions?.includes(partition) ?? true)
  await groups.deleteOffsets(groupId, wanted)
}
