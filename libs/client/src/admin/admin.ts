import type { GroupStore } from '@rivulet/coordinator'
import { adminOptions, parseOptions, unknownOptions } from '@rivulet/protocol'
import type { ErrorName } from '@rivulet/protocol'
import type { Storage } from '@rivulet/storage'
import type { ClientContext } from '../client-context.js'
import { KafkaJSNonRetriableError, KafkaJSNotImplemented, toKafkaJSError } from '../errors.js'
import { ADMIN_EVENTS, Instrumentation } from '../instrumentation.js'
import type * as types from '../types.js'
import { AdminSession } from './admin-session.js'
import { alterConfigs, describeConfigs } from './configs.js'
import { findTopic } from './find-topic.js'
import { fetchLag } from './group-lag.js'
import { deleteOffsets, fetchOffsets, resetOffsets, resolveOffsets, setOffsets } from './group-offsets.js'
import type { Workplace } from './group-offsets.js'
import { deleteGroups, describeGroup, listGroups } from './groups.js'
import { deleteTopicRecords, fetchTopicOffsets, fetchTopicOffsetsByTimestamp } from './offsets.js'
import type { Progress } from './progress.js'
import { createPartitions, createTopics, deleteTopics, toMetadata } from './topics.js'
import * as check from './validation.js'

const RIGHTS = 'rights are given in Redis itself (ACL SETUSER)'
const PLACES = "where partitions live is the deployment's decision"

/** kafkajs's admin client: topics, their configuration, offsets and records, and groups. Made by `kafka.admin()`. */
export class Admin implements types.Admin {
  readonly events = ADMIN_EVENTS
  readonly #context: ClientContext
  readonly #logger: types.Logger
  readonly #retry: types.RetryOptions
  readonly #instrumentation: Instrumentation<types.AdminEventPayloads>
  /** From connect() to disconnect(). */
  #session: AdminSession | undefined

  /** @throws KafkaJSNonRetriableError for an option that is not valid, naming it and its value */
  constructor(context: ClientContext, config: types.AdminConfig = {}) {
    this.#context = context
    this.#logger = context.logger.namespace('Admin')
    checkConfig(config)
    for (const sentence of unknownOptions(adminOptions, config)) this.#logger.warn(sentence)
    this.#retry = { ...context.retry, ...config.retry }
    this.#instrumentation = new Instrumentation('admin', ADMIN_EVENTS, this.#logger)
  }

  /** @throws KafkaJSNumberOfRetriesExceeded when Redis cannot be reached; KafkaJSError for what it refuses */
  async connect(): Promise<void> {
    const session = (this.#session ??= new AdminSession(this.#context.storage, this.#retry, this.#logger))
    try {
      await session.connected()
    } catch (error) {
      if (this.#session === session) this.#session = undefined
      throw error
    }
    this.#instrumentation.emit(ADMIN_EVENTS.CONNECT, null)
  }

  /** Takes at most a second; does nothing where there is no connection. */
  async disconnect(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close()
    this.#instrumentation.emit(ADMIN_EVENTS.DISCONNECT, null)
  }

  async listTopics(): Promise<string[]> {
    return this.#run('listTopics', async (storage) => (await storage.topics.list()).map(({ name }) => name))
  }

  /**
   * Makes topics. Leaders are there at once, so that waitForLeaders and timeout change nothing.
   *
   * @returns false if those that could not be made exist already
   * @throws KafkaJSAggregateError with a KafkaJSCreateTopicError for each topic that could not be made
   */
  async createTopics(options: Parameters<types.Admin['createTopics']>[0]): Promise<boolean> {
    check.checkOptions('createTopics', options)
    const { topics, validateOnly = false } = options
    check.checkCreateTopics(topics)
    for (const { topic, replicationFactor = 1 } of topics) {
      if (replicationFactor > 1) {
        this.#logger.debug(
          'replicationFactor has no effect: how often Redis keeps its data is decided by its deployment',
          {
            topic,
            replicationFactor,
          },
        )
      }
    }
    const progress: Progress = new Map()
    return this.#run('createTopics', (storage) => createTopics(storage, topics, validateOnly, progress))
  }

  /** @throws KafkaJSNumberOfRetriesExceeded when a topic is not there, after `retry`; the others are deleted */
  async deleteTopics(options: { topics: string[]; timeout?: number }): Promise<void> {
    check.checkOptions('deleteTopics', options)
    const { topics } = options
    check.checkTopicNames(topics)
    const progress: Progress = new Map()
    await this.#run('deleteTopics', (storage) => deleteTopics(storage, topics, progress), [
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
  }

  /** @throws KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT */
  async createPartitions(options: Parameters<types.Admin['createPartitions']>[0]): Promise<boolean> {
    check.checkOptions('createPartitions', options)
    const { topicPartitions, validateOnly = false } = options
    check.checkCreatePartitions(topicPartitions)
    const progress: Progress = new Map()
    await this.#run('createPartitions', (storage) => createPartitions(storage, topicPartitions, validateOnly, progress))
    return true
  }

  /**
   * The topics asked for, or all of them.
   * @throws KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION
   */
  async fetchTopicMetadata(options: { topics?: string[] } = {}): Promise<{ topics: types.ITopicMetadata[] }> {
    check.checkOptions('fetchTopicMetadata', options)
    const names = options.topics ?? []
    check.checkTopicNames(names)
    for (const name of names) check.checkTopic(name)
    return this.#run('fetchTopicMetadata', async (storage) => {
      const cluster = await storage.describeCluster()
      const topics =
        names.length === 0
          ? await storage.topics.list()
          : await Promise.all(names.map((name) => findTopic(storage, name)))
      return { topics: topics.map((topic) => toMetadata(topic, (partition) => cluster.leaderOf(partition))) }
    })
  }

  /** @throws KafkaJSNumberOfRetriesExceeded when the topic is not there, after `retry` */
  async fetchTopicOffsets(topic: string): Promise<(types.SeekEntry & { high: string; low: string })[]> {
    check.checkTopic(topic)
    return this.#run('fetchTopicOffsets', (storage) => fetchTopicOffsets(storage, topic), [
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
  }

  /**
   * In each partition the offset of the first record of that time (ms) or later; the log's end where there is none, and
   * without a timestamp.
   *
   * @throws KafkaJSNumberOfRetriesExceeded when the topic is not there, after `retry`
   */
  async fetchTopicOffsetsByTimestamp(topic: string, timestamp?: number): Promise<types.SeekEntry[]> {
    check.checkTopic(topic)
    const time = check.parseTimestamp(timestamp)
    return this.#run('fetchTopicOffsetsByTimestamp', (storage) => fetchTopicOffsetsByTimestamp(storage, topic, time), [
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
  }

  /**
   * Deletes the records before an offset; '-1': all of the partition.
   *
   * @throws KafkaJSDeleteTopicRecordsError for partitions that are not there; KafkaJSNonRetriableError with one as its
   *   cause for offsets past the log's end
   */
  async deleteTopicRecords(options: { topic: string; partitions: types.SeekEntry[] }): Promise<void> {
    check.checkOptions('deleteTopicRecords', options)
    const { topic, partitions } = options
    check.checkTopic(topic)
    check.checkRecordsToDelete(partitions)
    const done = new Set<types.SeekEntry>()
    await this.#run(
      'deleteTopicRecords',
      async (storage) => {
        await deleteTopicRecords(storage, topic, partitions, done, this.#logger)
      },
      ['UNKNOWN_TOPIC_OR_PARTITION'],
    )
  }

  /**
   * The servers. One Redis is node 0; in a Cluster each primary is one.
   */
  async describeCluster(): ReturnType<types.Admin['describeCluster']> {
    return this.#run('describeCluster', async (storage) => {
      const { clusterId, controller, nodes } = await storage.describeCluster()
      return { brokers: nodes.map(({ id, host, port }) => ({ nodeId: id, host, port })), controller, clusterId }
    })
  }

  /**
   * The configs of topics, and as those of a broker (any node's id) the namespace's.
   *
   * @throws KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION; KafkaJSBrokerNotFound
   */
  async describeConfigs(options: Parameters<types.Admin['describeConfigs']>[0]): Promise<types.DescribeConfigResponse> {
    check.checkOptions('describeConfigs', options)
    const { resources, includeSynonyms } = options
    check.checkDescribeConfigs(resources)
    return this.#run('describeConfigs', (storage) => describeConfigs(storage, resources, includeSynonyms))
  }

  /**
   * Gives each resource exactly the configs named; all its others get their defaults back.
   *
   * @throws KafkaJSProtocolError: INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION; KafkaJSBrokerNotFound
   */
  async alterConfigs(options: Parameters<types.Admin['alterConfigs']>[0]): Promise<types.AlterConfigResponse> {
    check.checkOptions('alterConfigs', options)
    const { resources, validateOnly } = options
    check.checkAlterConfigs(resources)
    return this.#run('alterConfigs', (storage) => alterConfigs(storage, resources, validateOnly))
  }

  /**
   * A group's committed offsets: of each topic that is named those of all partitions, '-1' where nothing is committed;
   * where none is named, all that are committed.
   *
   * @param options resolveOffsets: offsets that stand for an end of the log, and those that are not set, become what they
   *   are now, and are stored; the group must have no members
   * @throws KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION; KafkaJSNonRetriableError for a
   *   group with members
   */
  async fetchOffsets(options: Parameters<types.Admin['fetchOffsets']>[0]): ReturnType<types.Admin['fetchOffsets']> {
    check.checkOptions('fetchOffsets', options)
    const { groupId, resolveOffsets: resolve = false } = options
    check.checkGroupId(groupId)
    const topics = options.topics ?? []
    check.checkTopicNames(topics)
    return this.#onOffsets('fetchOffsets', async (workplace) => {
      const offsets = await fetchOffsets(workplace, groupId, topics)
      return resolve ? resolveOffsets(workplace, groupId, offsets) : offsets
    })
  }

  /**
   * Sets a group's offsets: where its members will go on. -1 and -2 unset them: what `fromBeginning` says counts then.
   * Partitions that are not there are passed over, and logged.
   *
   * @throws KafkaJSNonRetriableError for a group with members; KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION
   */
  async setOffsets(options: Parameters<types.Admin['setOffsets']>[0]): Promise<void> {
    check.checkOptions('setOffsets', options)
    const { groupId, topic, partitions } = options
    check.checkGroupId(groupId)
    check.checkTopic(topic)
    check.checkOffsetsToSet(partitions)
    await this.#onOffsets('setOffsets', (workplace) => setOffsets(workplace, groupId, topic, partitions))
  }

  /**
   * Sets all of a group's offsets in a topic to -2 (`earliest`) or -1, as kafkajs does: see `setOffsets`.
   *
   * @throws KafkaJSNonRetriableError for a group with members; KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION
   */
  async resetOffsets(options: Parameters<types.Admin['resetOffsets']>[0]): Promise<void> {
    check.checkOptions('resetOffsets', options)
    const { groupId, topic, earliest } = options
    check.checkGroupId(groupId)
    check.checkTopic(topic)
    await this.#onOffsets('resetOffsets', (workplace) => resetOffsets(workplace, groupId, topic, earliest))
  }

  /**
   * Rivulet only: deletes a group's committed offsets in a topic; of all partitions where none are named.
   *
   * @throws KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP
   */
  async deleteOffsets(options: { groupId: string; topic: string; partitions?: number[] }): Promise<void> {
    check.checkOptions('deleteOffsets', options)
    const { groupId, topic, partitions } = options
    check.checkGroupId(groupId)
    check.checkTopic(topic)
    check.checkPartitions(partitions)
    await this.#onOffsets('deleteOffsets', (workplace) => deleteOffsets(workplace, groupId, topic, partitions))
  }

  /**
   * Rivulet only: how far a group has got, and who reads what; in the topics that are named, else in all that it reads or
   * has offsets in. A group that does not exist has got nowhere.
   *
   * @throws KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION
   */
  async fetchLag(options: { groupId: string; topics?: string[] }): Promise<types.TopicLag[]> {
    check.checkOptions('fetchLag', options)
    const { groupId, topics = [] } = options
    check.checkGroupId(groupId)
    check.checkTopicNames(topics)
    return this.#run('fetchLag', (storage, groups) => fetchLag(storage, groups, groupId, topics))
  }

  async listGroups(): ReturnType<types.Admin['listGroups']> {
    return this.#run('listGroups', (_, groups) => listGroups(groups))
  }

  /** The groups in the order in which they are named; one that does not exist has the state Dead. */
  async describeGroups(groupIds: string[]): Promise<types.GroupDescriptions> {
    check.checkGroupIds(groupIds)
    return this.#run('describeGroups', async (_, groups) => ({
      groups: await Promise.all(groupIds.map((groupId) => describeGroup(groups, groupId))),
    }))
  }

  /**
   * Deletes groups, and with them their offsets.
   *
   * @throws KafkaJSDeleteGroupsError with a KafkaJSProtocolError (GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP) for each group that
   *   could not be deleted; the others are
   */
  async deleteGroups(groupIds: string[]): Promise<types.DeleteGroupsResult[]> {
    check.checkGroupIds(groupIds)
    const progress: Progress = new Map()
    return this.#run('deleteGroups', (_, groups) => deleteGroups(groups, groupIds, progress))
  }

  async createAcls(_options: { acl: types.AclEntry[] }): Promise<boolean> {
    throw notImplemented('createAcls', RIGHTS)
  }

  async describeAcls(_options: types.AclFilter): Promise<types.DescribeAclResponse> {
    throw notImplemented('describeAcls', RIGHTS)
  }

  async deleteAcls(_options: { filters: types.AclFilter[] }): Promise<types.DeleteAclResponse> {
    throw notImplemented('deleteAcls', RIGHTS)
  }

  async alterPartitionReassignments(
    _request: Parameters<types.Admin['alterPartitionReassignments']>[0],
  ): Promise<void> {
    throw notImplemented('alterPartitionReassignments', PLACES)
  }

  async listPartitionReassignments(
    _request: Parameters<types.Admin['listPartitionReassignments']>[0],
  ): Promise<types.ListPartitionReassignmentsResponse> {
    throw notImplemented('listPartitionReassignments', PLACES)
  }

  /** @throws KafkaJSNonRetriableError for a name that is not one of `events` */
  on<T extends keyof types.AdminEventPayloads>(
    eventName: T,
    listener: (event: types.InstrumentationEvent<types.AdminEventPayloads[T]>) => void,
  ): types.RemoveInstrumentationEventListener<T> {
    return this.#instrumentation.on(eventName, listener)
  }

  logger(): types.Logger {
    return this.#logger
  }

  #onOffsets<T>(method: keyof Admin, operation: (workplace: Workplace) => Promise<T>): Promise<T> {
    return this.#run(method, (storage, groups) => operation({ storage, groups, logger: this.#logger }))
  }

  async #run<T>(
    method: keyof Admin,
    operation: (storage: Storage, groups: GroupStore) => Promise<T>,
    again: readonly ErrorName[] = [],
  ): Promise<T> {
    const session = this.#session
    if (session === undefined) {
      throw new KafkaJSNonRetriableError(`admin.${method}: the admin is not connected, call connect() first`)
    }
    return session.run(method, operation, again)
  }
}

function checkConfig(config: types.AdminConfig): void {
  try {
    parseOptions(adminOptions, config)
  } catch (error) {
    throw toKafkaJSError(error)
  }
}

function notImplemented(method: keyof Admin, reason: string): KafkaJSNotImplemented {
  return new KafkaJSNotImplemented(`admin.${method} is not supported: ${reason}`)
}
