import { KafkaError } from '@rivulet/protocol'
import type { Partition, Storage, Topic } from '@rivulet/storage'
import { KafkaJSAggregateError, toCreateTopicError } from '../errors.js'
import type { ITopicConfig, ITopicMetadata, ITopicPartitionConfig } from '../types.js'
import { entriesToRecord } from './configs.js'
import { findTopic } from './find-topic.js'
import { changeEach } from './progress.js'
import type { Progress } from './progress.js'

/**
 * How many partitions a new topic is to have; -1: as many as the namespace says.
 * @throws KafkaError INVALID_REQUEST, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR, as Kafka decides them
 */
function plannedPartitions(config: ITopicConfig): number {
  const { topic } = config
  // A program in JavaScript may give null.
  const numPartitions = config.numPartitions ?? -1
  const replicationFactor = config.replicationFactor ?? -1
  const assignment = config.replicaAssignment ?? []
  if (replicationFactor !== -1 && replicationFactor < 1) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `replicationFactor ${replicationFactor} of topic "${topic}" is not valid: it must be at least 1, or -1`,
      { topic, replicationFactor },
    )
  }
  if (assignment.length === 0) return numPartitions
  if (numPartitions !== -1 || replicationFactor !== -1) {
    throw new KafkaError(
      'INVALID_REQUEST',
      `Topic "${topic}" has a replicaAssignment: numPartitions and replicationFactor must then be left out`,
      { topic },
    )
  }
  const named = new Set(assignment.map(({ partition }) => partition))
  if (named.size < assignment.length || assignment.some((_, index) => !named.has(index))) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `The replicaAssignment of topic "${topic}" must name each partition from 0 on once`,
      { topic },
    )
  }
  return assignment.length
}

/**
 * Makes the topics that can be made.
 *
 * @returns false if there are some that could not be made, because they exist already
 * @throws KafkaJSAggregateError with an error for each topic that could not be made
 */
export async function createTopics(
  storage: Storage,
  configs: readonly ITopicConfig[],
  validateOnly: boolean,
  progress: Progress,
): Promise<boolean> {
  const byName = new Map(configs.map((config) => [config.topic, config]))
  const failures = await changeEach(progress, [...byName.keys()], async (name, inDoubt) => {
    const config: ITopicConfig = byName.get(name) ?? { topic: name }
    try {
      await storage.topics.create({
        name,
        numPartitions: plannedPartitions(config),
        configs: entriesToRecord(config.configEntries ?? []),
        validateOnly,
      })
    } catch (error) {
      if (inDoubt && error instanceof KafkaError && error.type === 'TOPIC_ALREADY_EXISTS') return
      throw error
    }
  })
  if (failures.length === 0) return true
  if (failures.every(({ error }) => error.type === 'TOPIC_ALREADY_EXISTS')) return false
  throw new KafkaJSAggregateError(
    'Topic creation errors',
    failures.map(({ name, error }) => toCreateTopicError(error, name)),
  )
}

/** Deletes the topics that are there. @throws KafkaError of the first one, by name, that could not be deleted */
export async function deleteTopics(storage: Storage, names: readonly string[], progress: Progress): Promise<void> {
  const failures = await changeEach(progress, [...new Set(names)], async (name, inDoubt) => {
    try {
      await storage.topics.delete(name)
    } catch (error) {
      if (inDoubt && error instanceof KafkaError && error.type === 'UNKNOWN_TOPIC_OR_PARTITION') return
      throw error
    }
  })
  if (failures[0] !== undefined) throw failures[0].error
}

/** Adds partitions where it can. @throws KafkaError of the first one, by name, that could not be changed */
export async function createPartitions(
  storage: Storage,
  topicPartitions: readonly ITopicPartitionConfig[],
  validateOnly: boolean,
  progress: Progress,
): Promise<void> {
  const byName = new Map(topicPartitions.map((entry) => [entry.topic, entry]))
  const failures = await changeEach(progress, [...byName.keys()], async (name, inDoubt) => {
    const { count = 0, assignments: given } = byName.get(name) ?? {}
    // A program in JavaScript may give null.
    const assignments = given ?? []
    const { length: current } = (await findTopic(storage, name)).partitions
    if (inDoubt && current === count) return
    const added = count - current
    if (added > 0 && assignments.length > 0 && assignments.length !== added) {
      throw new KafkaError(
        'INVALID_REPLICA_ASSIGNMENT',
        `Topic "${name}" is to get ${added} new partitions, but its assignments are for ${assignments.length}`,
        { topic: name },
      )
    }
    await storage.topics.addPartitions(name, count, { validateOnly })
  })
  if (failures[0] !== undefined) throw failures[0].error
}

/** A topic as kafkajs shows it. */
export function toMetadata(topic: Topic, leaderOf: (partition: Partition) => number): ITopicMetadata {
  return {
    name: topic.name,
    partitions: topic.partitions.map((partition) => {
      const leader = leaderOf(partition)
      return {
        partitionErrorCode: 0,
        partitionId: partition.partition,
        leader,
        replicas: [leader],
        isr: [leader],
        offlineReplicas: [],
      }
    }),
  }
}
