/**
 * A topic's entry in the registry.
 *
 *     <ns>:{meta}:topics   hash: topic → JSON
 *       {
 *         "id": "5Yb0vXk1TJ6yJk7c2rE9mA",           random, 22 characters of base64url
 *         "shards": [7, 8, 9],                      the shard of each partition, by the partition's number
 *         "configs": { "retention.ms": "60000" }    what differs from the defaults, as texts
 *       }
 *
 * Members that are not known are kept: a newer release may have put them there.
 */
import { KafkaError, murmur2, parseTopicConfig, topicConfigs, type TopicConfig } from '@rivulet/protocol'
import type { Partition } from '../log/types.js'

/** A topic as the registry has it. */
export interface Topic {
  readonly name: string
  /** 22 characters of base64url. A topic that is deleted and made again gets another one. */
  readonly id: string
  readonly partitions: readonly Partition[]
  /** The configuration, defaults filled in. */
  readonly config: TopicConfig
  /** The configs that were set, as texts by their keys. */
  readonly overrides: Readonly<Record<string, string>>
}

export interface TopicEntry {
  readonly id: string
  readonly shards: readonly number[]
  readonly configs: Readonly<Record<string, string>>
  readonly [other: string]: unknown
}

/** @throws KafkaError UNSUPPORTED_VERSION for an entry that this release cannot read */
export function decodeTopicEntry(topic: string, json: string): TopicEntry {
  let entry: unknown
  try {
    entry = JSON.parse(json)
  } catch {
    entry = undefined
  }
  if (isTopicEntry(entry)) return entry
  throw new KafkaError('UNSUPPORTED_VERSION', `the registry's entry of topic ${topic} cannot be read by this release`)
}

export function encodeTopicEntry(entry: TopicEntry): string {
  return JSON.stringify(entry)
}

/** The topic that an entry describes. */
export function topicOf(name: string, entry: TopicEntry): Topic {
  return {
    name,
    id: entry.id,
    partitions: entry.shards.map((shard, partition) => ({ topic: name, topicId: entry.id, partition, shard })),
    config: parseTopicConfig(knownConfigs(entry.configs)),
    overrides: entry.configs,
  }
}

/**
 * The shard that a new partition goes to: partitions of one topic follow one another, topics start anywhere. A group goes where
 * partition 0 of a topic of its name would.
 */
export function shardOf(name: string, partition: number, shards: number): number {
  return ((murmur2(name) & 0x7fff_ffff) + partition) % shards
}

/** The shards of a topic's partitions from one number up to another. */
export function shardsOf(topic: string, from: number, to: number, shards: number): number[] {
  return Array.from({ length: to - from }, (_, i) => shardOf(topic, from + i, shards))
}

/** Without what only a newer release may have set: it must not keep this one from the topic. */
export function knownConfigs(configs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(configs).filter(([key]) => Object.hasOwn(topicConfigs, key)))
}

function isTopicEntry(value: unknown): value is TopicEntry {
  if (!isRecord(value)) return false
  const { id, shards, configs } = value
  return (
    typeof id === 'string' &&
    Array.isArray(shards) &&
    shards.length > 0 &&
    shards.every((shard) => Number.isInteger(shard) && shard >= 0) &&
    isRecord(configs) &&
    Object.values(configs).every((config) => typeof config === 'string')
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
