export type { Admin } from './admin/admin.js'
export { CompressionCodecs } from './compression-codecs.js'
export type { CompressionCodec, CompressionCodecFactory } from './compression-codecs.js'
export { AssignerProtocol } from './consumer/assigners/assigner-protocol.js'
export type { ISerializer, MemberAssignment, MemberMetadata } from './consumer/assigners/assigner-protocol.js'
export { PartitionAssigners } from './consumer/assigners/partition-assigners.js'
export type { AssignmentRequest } from './consumer/check-arguments.js'
export type { Consumer } from './consumer/consumer.js'
export type { RivuletConsumerEventPayloads, RivuletConsumerEvents } from './consumer/consumer-events.js'
export { KafkaJSLogTruncated } from './consumer/log-truncated-error.js'
export {
  KafkaJSAggregateError,
  KafkaJSAlterPartitionReassignmentsError,
  KafkaJSBrokerNotFound,
  KafkaJSConnectionClosedError,
  KafkaJSConnectionError,
  KafkaJSCreateTopicError,
  KafkaJSDeleteGroupsError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSError,
  KafkaJSFetcherRebalanceError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSInvalidLongError,
  KafkaJSInvalidVarIntError,
  KafkaJSInvariantViolation,
  KafkaJSLockTimeout,
  KafkaJSMemberIdRequired,
  KafkaJSMetadataNotLoaded,
  KafkaJSNoBrokerAvailableError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSOffsetOutOfRange,
  KafkaJSPartialMessageError,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
  KafkaJSStaleTopicMetadataAssignment,
  KafkaJSTimeout,
  KafkaJSTopicMetadataNotLoaded,
  KafkaJSUnsupportedMagicByteInMessageSet,
} from './errors.js'
export { Kafka } from './kafka.js'
export { Partitioners } from './partitioners/index.js'
export { KafkaJSSendError, type SendFailure } from './producer/pending-send.js'
export type { Producer } from './producer/producer.js'
export * from './types.js'
