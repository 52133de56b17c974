export { adminOptions, clientOptions, retryOptions, saslOptions } from './configs/client-options.js'
export { consumerOptions, runOptions } from './configs/consumer-options.js'
export type { ConfigDefinition, ConfigDefinitions } from './configs/config.js'
export { namespaceConfigs, parseNamespaceConfig } from './configs/namespace-configs.js'
export type { NamespaceConfig } from './configs/namespace-configs.js'
export { parseOptions, unknownOptions } from './configs/option.js'
export type { OptionDefinition, OptionDefinitions, Options, OptionsInput } from './configs/option.js'
export { producerOptions } from './configs/producer-options.js'
export { parseTopicConfig, topicConfigs } from './configs/topic-configs.js'
export type { TopicConfig } from './configs/topic-configs.js'
export { ERRORS, isErrorName, KafkaError } from './errors.js'
export type { ErrorDefinition, ErrorName, KafkaErrorOptions } from './errors.js'
export { checkConsumerName, checkGroupId, checkNamespace, checkTopicName } from './names.js'
export { legacyMurmur2, murmur2, partitionForKey } from './murmur2.js'
export { codecs } from './compression/codecs.js'
export { type Codec, type Codecs, COMPRESSION_NAMES, CompressionType } from './compression/compression-type.js'
export { crc32c } from './record-batch/crc32c.js'
export { type BuildOptions, type MessageData, RecordBatchBuilder } from './record-batch/record-batch-builder.js'
export { type Bytes, type RecordHeaders } from './record-batch/record-data.js'
export {
  HEADER_BYTES as RECORD_BATCH_HEADER_BYTES,
  patchProducer,
  type ProducerState,
} from './record-batch/record-batch-header.js'
export {
  DEFAULT_MAX_DECOMPRESSED_BYTES,
  RecordBatch,
  type RecordsOptions,
  type TimestampType,
} from './record-batch/record-batch.js'
export {
  type DecodedHeaders,
  type DecodedRecord,
  type MakeMessage,
  RawRecords,
  type ReadOptions,
} from './record-batch/records.js'
