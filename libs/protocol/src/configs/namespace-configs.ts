import { type ConfigOf, effective, parseConfig } from './config.js'
import { boolean, integer } from './value-types.js'

/** The configs of a namespace, which is what a cluster is to Kafka, under the keys that Kafka's brokers have for them. */
export const namespaceConfigs = {
  'num.partitions': effective(integer({ min: 1, max: 2 ** 31 - 1 }), {
    default: 1,
    doc: 'How many partitions a topic has that is created without saying so, automatically or by the admin client.',
  }),
  'auto.create.topics.enable': effective(boolean, {
    default: true,
    doc: 'Whether a topic comes into being when a producer or consumer that allows it names it for the first time.',
  }),
  'offsets.retention.minutes': effective(integer({ min: 1, max: 2 ** 31 - 1 }), {
    default: 10_080,
    doc:
      'For how many minutes committed offsets are kept after they are of no more use: those of a group without members ' +
      'since its last member left (or since the commit, if that is later), those of a topic that no member of the group ' +
      'subscribes since the commit.',
  }),
  'max.bytes': effective(integer({ min: 1, also: -1 }), {
    default: -1,
    unit: 'bytes',
    kafka: false,
    doc:
      'The memory ceiling: how many bytes of records all topics of the namespace may hold on one Redis. Above it, the ' +
      "topic config memory.policy decides. -1 is half of maxmemory, or half of the machine's memory where Redis has no " +
      'maxmemory.',
  }),
} as const

/** A namespace's configuration, defaults filled in. */
export type NamespaceConfig = ConfigOf<typeof namespaceConfigs>

/**
 * Reads a namespace's configs, texts under their keys, and fills in defaults.
 * @throws KafkaError INVALID_CONFIG, naming key and value
 */
export function parseNamespaceConfig(entries: Readonly<Record<string, string>>): NamespaceConfig {
  return parseConfig('namespace', namespaceConfigs, entries)
}
