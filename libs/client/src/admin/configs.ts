import { KafkaError, namespaceConfigs, parseNamespaceConfig, topicConfigs } from '@rivulet/protocol'
import type { Storage } from '@rivulet/storage'
import { isError, KafkaJSBrokerNotFound, KafkaJSNotImplemented } from '../errors.js'
import { ConfigResourceTypes, ConfigSource } from '../types.js'
import type {
  AlterConfigResponse,
  ConfigEntries,
  DescribeConfigResponse,
  IResourceConfig,
  IResourceConfigEntry,
  ResourceConfigQuery,
} from '../types.js'
import { findTopic } from './find-topic.js'

type DescribedResource = DescribeConfigResponse['resources'][number]

/** All that is needed of a config's definition to describe it. */
type Definitions = Readonly<Record<string, { readonly defaultText: string }>>

/** Entries as an object. @throws KafkaError INVALID_REQUEST for a name that comes twice */
export function entriesToRecord(entries: readonly IResourceConfigEntry[]): Record<string, string> {
  const record: Record<string, string> = {}
  for (const { name, value } of entries) {
    if (Object.hasOwn(record, name)) throw new KafkaError('INVALID_REQUEST', `Config "${name}" is given more than once`)
    record[name] = value
  }
  return record
}

/** The configs of each resource. @throws KafkaError, or KafkaJSBrokerNotFound for a broker that is not there */
export async function describeConfigs(
  storage: Storage,
  resources: readonly ResourceConfigQuery[],
  includeSynonyms: boolean,
): Promise<DescribeConfigResponse> {
  const described: DescribedResource[] = []
  for (const resource of resources) {
    const { definitions, overrides, source } = await findConfigs(storage, resource)
    const wanted = resource.configNames ?? []
    described.push({
      errorCode: 0,
      errorMessage: '',
      resourceType: resource.type,
      resourceName: resource.name,
      configEntries: Object.keys(definitions)
        .filter((key) => wanted.length === 0 || wanted.includes(key))
        .map((key) => describeEntry(key, definitions[key]?.defaultText ?? '', overrides[key], source, includeSynonyms)),
    })
  }
  return { resources: described, throttleTime: 0 }
}

function describeEntry(
  configName: string,
  defaultText: string,
  override: string | undefined,
  source: ConfigSource,
  includeSynonyms: boolean,
): ConfigEntries {
  const synonyms = [
    ...(override === undefined ? [] : [{ configName, configValue: override, configSource: source }]),
    { configName, configValue: defaultText, configSource: ConfigSource.DEFAULT_CONFIG },
  ]
  return {
    configName,
    configValue: override ?? defaultText,
    readOnly: false,
    isDefault: override === undefined,
    configSource: override === undefined ? ConfigSource.DEFAULT_CONFIG : source,
    isSensitive: false,
    configSynonyms: includeSynonyms ? synonyms : [],
  }
}

/**
 * Gives each resource exactly these configs, and its others their defaults, as Kafka's AlterConfigs does.
 * @throws KafkaError of the first resource that was refused; the others are changed nevertheless
 */
export async function alterConfigs(
  storage: Storage,
  resources: readonly IResourceConfig[],
  validateOnly: boolean,
): Promise<AlterConfigResponse> {
  const failures: Error[] = []
  for (const resource of resources) {
    try {
      await alterResource(storage, resource, validateOnly)
    } catch (error) {
      if (!isError(error)) throw error
      failures.push(error)
    }
  }
  if (failures[0] !== undefined) throw failures[0]
  return {
    resources: resources.map(({ type, name }) => ({
      errorCode: 0,
      errorMessage: null,
      resourceType: type,
      resourceName: name,
    })),
  }
}

async function alterResource(storage: Storage, resource: IResourceConfig, validateOnly: boolean): Promise<void> {
  const { overrides } = await findConfigs(storage, resource)
  const wanted = entriesToRecord(resource.configEntries)
  const changes: Record<string, string | null> = { ...wanted }
  for (const key of Object.keys(overrides)) if (!Object.hasOwn(wanted, key)) changes[key] = null
  if (resource.type === ConfigResourceTypes.TOPIC) {
    await storage.topics.alterConfigs(resource.name, changes, { validateOnly })
  } else {
    parseNamespaceConfig(wanted)
    if (!validateOnly) await storage.alterNamespaceConfigs(changes)
  }
}

interface FoundConfigs {
  readonly definitions: Definitions
  /** What was set, as texts. */
  readonly overrides: Readonly<Record<string, string>>
  /** Where these come from. */
  readonly source: ConfigSource
}

/** A topic's configs, or as those of a broker the namespace's: one configuration for all servers. */
async function findConfigs(
  storage: Storage,
  { type, name }: Pick<ResourceConfigQuery, 'type' | 'name'>,
): Promise<FoundConfigs> {
  if (type === ConfigResourceTypes.TOPIC) {
    const { overrides } = await findTopic(storage, name)
    return { definitions: topicConfigs, overrides, source: ConfigSource.TOPIC_CONFIG }
  }
  if (type === ConfigResourceTypes.BROKER) {
    const { nodes } = await storage.describeCluster()
    if (!nodes.some(({ id }) => String(id) === name)) {
      throw new KafkaJSBrokerNotFound(`Broker ${name} not found: there are ${nodes.map(({ id }) => id).join(', ')}`)
    }
    return {
      definitions: namespaceConfigs,
      overrides: await storage.namespaceConfigs(),
      source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
    }
  }
  if (type === ConfigResourceTypes.BROKER_LOGGER) {
    throw new KafkaJSNotImplemented(
      'Resources of type BROKER_LOGGER are not supported: Redis has no loggers to configure',
    )
  }
  throw new KafkaError('INVALID_REQUEST', `Resource type ${type} of "${name}" has no configs`)
}
