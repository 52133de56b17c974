import { KafkaJSNonRetriableError } from '../errors.js'
import { show } from '../show.js'
import { ConfigResourceTypes } from '../types.js'

// The arguments of programs in JavaScript: what the types promise is checked once more. Classes and order of the checks
// are kafkajs's.

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const invalid = (message: string): KafkaJSNonRetriableError => new KafkaJSNonRetriableError(message)

const fieldOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)

const isInteger = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value)

/** @throws KafkaJSNonRetriableError for what is no object of options */
export function checkOptions(method: string, options: unknown): void {
  if (!isObject(options)) throw invalid(`Invalid options of ${method}: it takes an object, not ${show(options)}`)
}

/** A list of entries that each name another topic. */
function checkTopicEntries(what: string, entries: unknown): asserts entries is unknown[] {
  if (!Array.isArray(entries)) throw invalid(`Invalid ${what} array ${show(entries)}`)
  const names = entries.map((entry) => fieldOf(entry, 'topic'))
  if (names.some((name) => typeof name !== 'string')) {
    throw invalid(`Invalid ${what} array: each entry needs a topic name that is a string`)
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`Invalid ${what} array: it has more than one entry for topic ${show(twice)}`)
}

export function checkCreateTopics(topics: unknown): void {
  checkTopicEntries('topics', topics)
  for (const entry of topics) {
    const topic = show(fieldOf(entry, 'topic'))
    checkConfigEntries(topic, fieldOf(entry, 'configEntries'))
    for (const name of ['numPartitions', 'replicationFactor']) {
      const value = fieldOf(entry, name)
      if (value !== undefined && value !== null && !isInteger(value)) {
        throw invalid(`Invalid ${name} ${show(value)} for topic ${topic}: it must be an integer`)
      }
    }
    const assignment = fieldOf(entry, 'replicaAssignment')
    if (assignment === undefined || assignment === null) continue
    if (!Array.isArray(assignment) || !assignment.every((one) => isInteger(fieldOf(one, 'partition')))) {
      throw invalid(
        `Invalid replicaAssignment for topic ${topic}: it must be an array of { partition, replicas }, not ${show(assignment)}`,
      )
    }
  }
}

function checkConfigEntries(topic: string, entries: unknown): void {
  if (entries === undefined || entries === null) return
  if (!Array.isArray(entries)) throw invalid(`Invalid configEntries for topic ${topic}: it must be an array`)
  for (const [index, entry] of entries.entries()) {
    if (!isObject(entry)) throw invalid(`Invalid configEntries for topic ${topic}: entry ${index} must be an object`)
    for (const property of ['name', 'value']) {
      if (typeof entry[property] !== 'string') {
        throw invalid(`Invalid configEntries for topic ${topic}: ${property} of entry ${index} must be a string`)
      }
    }
  }
}

export function checkCreatePartitions(topicPartitions: unknown): void {
  if (!Array.isArray(topicPartitions)) throw invalid(`Invalid topic partitions array ${show(topicPartitions)}`)
  if (topicPartitions.length === 0) throw invalid('Empty topic partitions array')
  checkTopicEntries('topic partitions', topicPartitions)
  for (const entry of topicPartitions) {
    const count = fieldOf(entry, 'count')
    if (!isInteger(count)) {
      throw invalid(`Invalid count ${show(count)} for topic ${show(fieldOf(entry, 'topic'))}: it must be an integer`)
    }
    const assignments = fieldOf(entry, 'assignments')
    if (assignments !== undefined && assignments !== null && !Array.isArray(assignments)) {
      throw invalid(
        `Invalid assignments ${show(assignments)} for topic ${show(fieldOf(entry, 'topic'))}: it must be an array`,
      )
    }
  }
}

export function checkTopicNames(topics: unknown): void {
  if (!Array.isArray(topics)) throw invalid(`Invalid topics array ${show(topics)}`)
  if (topics.some((topic) => typeof topic !== 'string')) {
    throw invalid('Invalid topics array: the names must be strings')
  }
}

export function checkTopic(topic: unknown): void {
  if (typeof topic !== 'string' || topic === '') throw invalid(`Invalid topic ${show(topic)}`)
}

/** A timestamp in ms, as a number or its text; undefined and null are the end of the log. */
export function parseTimestamp(timestamp: unknown): number {
  if (timestamp === undefined || timestamp === null) return -1
  const value = typeof timestamp === 'string' && timestamp.trim() !== '' ? Number(timestamp) : timestamp
  if (!isInteger(value) || !Number.isSafeInteger(value)) {
    throw invalid(`Invalid timestamp ${show(timestamp)}: it must be an integer, in ms`)
  }
  return value
}

function isOffset(value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return false
  return /^-?\d{1,19}$/.test(String(value)) && Number.isSafeInteger(Number(value))
}

export function checkRecordsToDelete(partitions: unknown): void {
  if (!Array.isArray(partitions) || partitions.length === 0) throw invalid('Invalid partitions')
  for (const entry of partitions) {
    const partition = fieldOf(entry, 'partition')
    if (!isInteger(partition)) throw invalid(`Invalid partition ${show(partition)}: it must be an integer`)
    const offset = fieldOf(entry, 'offset')
    if (!isOffset(offset)) {
      throw invalid(`Invalid offset ${show(offset)} for partition ${partition}: it must be an integer, or -1 for all`)
    }
  }
}

export function checkGroupId(groupId: unknown): void {
  if (typeof groupId !== 'string' || groupId === '') throw invalid(`Invalid groupId ${show(groupId)}`)
}

export function checkGroupIds(groupIds: unknown): void {
  if (!Array.isArray(groupIds)) throw invalid(`Invalid groupIds array ${show(groupIds)}`)
  const wrong: unknown = groupIds.find((groupId) => typeof groupId !== 'string')
  if (wrong !== undefined) throw invalid(`Invalid groupIds array: ${show(wrong)} is no string`)
}

export function checkOffsetsToSet(partitions: unknown): void {
  if (!Array.isArray(partitions) || partitions.length === 0) throw invalid(`Invalid partitions ${show(partitions)}`)
  for (const entry of partitions) {
    const partition = fieldOf(entry, 'partition')
    if (!isInteger(partition)) throw invalid(`Invalid partition ${show(partition)}: it must be an integer`)
    const offset = fieldOf(entry, 'offset')
    if (!isOffset(offset) || Number(offset) < -2) {
      throw invalid(
        `Invalid offset ${show(offset)} for partition ${partition}: it must be an integer from 0 on, -1 or -2`,
      )
    }
  }
}

/** Partitions' numbers; none: all of them. */
export function checkPartitions(partitions: unknown): void {
  if (partitions === undefined) return
  if (!Array.isArray(partitions) || !partitions.every(isInteger)) {
    throw invalid(`Invalid partitions ${show(partitions)}: it takes an array of their numbers`)
  }
}

const RESOURCE_TYPES: ReadonlySet<unknown> = new Set(Object.values(ConfigResourceTypes))

function checkResources(resources: unknown): asserts resources is unknown[] {
  if (!Array.isArray(resources)) throw invalid(`Invalid resources array ${show(resources)}`)
  if (resources.length === 0) throw invalid('Resources array cannot be empty')
  for (const resource of resources) {
    const type = fieldOf(resource, 'type')
    if (!RESOURCE_TYPES.has(type)) throw invalid(`Invalid resource type ${show(type)}: ${show(resource)}`)
  }
  for (const resource of resources) {
    const name = fieldOf(resource, 'name')
    if (typeof name !== 'string' || name === '') {
      throw invalid(`Invalid resource name ${show(name)}: ${show(resource)}`)
    }
  }
}

export function checkDescribeConfigs(resources: unknown): void {
  checkResources(resources)
  for (const resource of resources) {
    const names = fieldOf(resource, 'configNames')
    if (names !== undefined && names !== null && !Array.isArray(names)) {
      throw invalid(`Invalid resource configNames ${show(names)}: ${show(resource)}`)
    }
  }
}

export function checkAlterConfigs(resources: unknown): void {
  checkResources(resources)
  for (const resource of resources) {
    const entries = fieldOf(resource, 'configEntries')
    if (!Array.isArray(entries)) {
      throw invalid(`Invalid resource configEntries ${show(entries)}: ${show(resource)}`)
    }
    const texts = entries.every((entry) =>
      ['name', 'value'].every((property) => typeof fieldOf(entry, property) === 'string'),
    )
    if (!texts) throw invalid(`Invalid resource config value: ${show(resource)}`)
  }
}
