/** What the registry says of one error. */
export interface ErrorDefinition {
  /** Kafka's number for it; below -1000 for errors that only Rivulet has. */
  readonly code: number
  /** Whether the same request may succeed when it is sent again, unchanged. */
  readonly retriable: boolean
  /** What happened, in one sentence: the default message. */
  readonly message: string
}

const final = (code: number, message: string): ErrorDefinition => ({ code, retriable: false, message })
const retriable = (code: number, message: string): ErrorDefinition => ({ code, retriable: true, message })

/**
 * Every error of protocol, storage and their scripts. Names, numbers and retriability of codes from -1 up are those of
 * org.apache.kafka.common.protocol.Errors (Kafka 4.3). Rivulet's own stay below -1000, where Kafka will never number one.
 * docs/errors.md is generated from this table.
 */
export const ERRORS = {
  UNKNOWN_SERVER_ERROR: final(-1, 'Something failed on the server that no other code describes'),
  NONE: final(0, 'No error'),
  OFFSET_OUT_OF_RANGE: final(1, 'The offset is below the log start or past the log end of the partition'),
  CORRUPT_MESSAGE: retriable(2, 'The record batch is damaged: its checksum, length or structure is wrong'),
  UNKNOWN_TOPIC_OR_PARTITION: retriable(3, 'There is no such topic or partition (yet)'),
  INVALID_FETCH_SIZE: final(4, 'The number of bytes asked for in a fetch is not valid'),
  LEADER_NOT_AVAILABLE: retriable(5, 'The partition has no leader at the moment: a failover is under way'),
  NOT_LEADER_OR_FOLLOWER: retriable(6, 'This server does not hold the partition, or is not its leader'),
  REQUEST_TIMED_OUT: retriable(7, 'The answer did not come within the time allowed for the request'),
  BROKER_NOT_AVAILABLE: final(8, 'The server cannot be reached'),
  REPLICA_NOT_AVAILABLE: retriable(9, 'The replica that was asked for is not there at the moment'),
  MESSAGE_TOO_LARGE: final(10, "The record batch is larger than the topic's max.message.bytes allows"),
  STALE_CONTROLLER_EPOCH: final(11, 'The request comes from a controller that has since been replaced'),
  OFFSET_METADATA_TOO_LARGE: final(12, 'The metadata text of an offset commit is too long'),
  NETWORK_EXCEPTION: retriable(13, 'The connection was lost before the answer came'),
  COORDINATOR_LOAD_IN_PROGRESS: retriable(14, 'The coordinator is still loading its state'),
  COORDINATOR_NOT_AVAILABLE: retriable(15, 'No coordinator answers at the moment'),
  NOT_COORDINATOR: retriable(16, 'This server does not coordinate that group or transaction'),
  INVALID_TOPIC_EXCEPTION: final(17, 'The topic name breaks the rules, or the topic may not be used like this'),
  RECORD_LIST_TOO_LARGE: final(18, "The record batch does not fit into a segment of the topic's segment.bytes"),
  NOT_ENOUGH_REPLICAS: retriable(
    19,
    'Fewer replicas are in sync than min.insync.replicas asks for: nothing was written',
  ),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: retriable(
    20,
    'The records were written, but reached fewer replicas than min.insync.replicas asks for',
  ),
  INVALID_REQUIRED_ACKS: final(21, 'acks is none of 0, 1 and -1'),
  ILLEGAL_GENERATION: final(22, "The request carries a generation that is not the group's current one"),
  INCONSISTENT_GROUP_PROTOCOL: final(23, "The member supports no assignment protocol that the group's members share"),
  INVALID_GROUP_ID: final(24, 'The group id breaks the rules'),
  UNKNOWN_MEMBER_ID: final(25, 'The group has no such member: it never joined, left, or its session expired'),
  INVALID_SESSION_TIMEOUT: final(26, 'The session timeout is outside the permitted range'),
  REBALANCE_IN_PROGRESS: final(27, 'The group is rebalancing: join it again'),
  INVALID_COMMIT_OFFSET_SIZE: final(28, 'The offset commit is too large to be stored'),
  TOPIC_AUTHORIZATION_FAILED: final(29, 'This user has no right to do that with the topic'),
  GROUP_AUTHORIZATION_FAILED: final(30, 'This user has no right to do that with the group'),
  CLUSTER_AUTHORIZATION_FAILED: final(31, 'This user has no right to do that with the cluster'),
  INVALID_TIMESTAMP: final(32, "A record's timestamp is further from now than the topic allows"),
  UNSUPPORTED_SASL_MECHANISM: final(33, 'The server does not know that SASL mechanism'),
  ILLEGAL_SASL_STATE: final(34, 'The request does not fit the state of the authentication'),
  UNSUPPORTED_VERSION: final(35, 'The request or the stored format is of a version that this release does not support'),
  TOPIC_ALREADY_EXISTS: final(36, 'A topic of that name exists already'),
  INVALID_PARTITIONS: final(37, 'The number of partitions is not valid'),
  INVALID_REPLICATION_FACTOR: final(38, 'The replication factor is below 1 or above the number of servers'),
  INVALID_REPLICA_ASSIGNMENT: final(39, 'The assignment of replicas to servers is not valid'),
  INVALID_CONFIG: final(40, 'A configuration entry is unknown or its value is not valid'),
  NOT_CONTROLLER: retriable(41, 'This server is not the controller'),
  INVALID_REQUEST: final(42, 'The request makes no sense: it is malformed or contradicts itself'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: final(43, 'The stored message format does not support what the request asks'),
  POLICY_VIOLATION: final(44, "The request breaks one of the server's policies"),
  OUT_OF_ORDER_SEQUENCE_NUMBER: final(45, "The batch's sequence number leaves a gap after the producer's last one"),
  DUPLICATE_SEQUENCE_NUMBER: final(
    46,
    'The batch repeats a sequence number that was written too long ago to be answered',
  ),
  INVALID_PRODUCER_EPOCH: final(47, "The producer's epoch is old: a newer producer has taken over its id"),
  INVALID_TXN_STATE: final(48, 'The transaction is in a state that does not allow this operation'),
  INVALID_PRODUCER_ID_MAPPING: final(49, 'The producer id does not belong to the transactional id'),
  INVALID_TRANSACTION_TIMEOUT: final(50, 'The transaction timeout is longer than the server permits'),
  CONCURRENT_TRANSACTIONS: retriable(51, 'Another operation on the same transaction has not ended yet'),
  TRANSACTION_COORDINATOR_FENCED: final(52, 'The transaction marker comes from a coordinator that has been replaced'),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: final(53, 'This user has no right to use the transactional id'),
  SECURITY_DISABLED: final(54, 'Access control is switched off on the server'),
  OPERATION_NOT_ATTEMPTED: final(55, 'The operation was not tried, because an earlier one of the same request failed'),
  KAFKA_STORAGE_ERROR: retriable(56, 'The server could not read or write its storage'),
  LOG_DIR_NOT_FOUND: final(57, 'The server has no such log directory'),
  SASL_AUTHENTICATION_FAILED: final(58, 'The server refused the user name or the password'),
  UNKNOWN_PRODUCER_ID: final(59, 'Nothing is known of the producer id: its state has been dropped'),
  REASSIGNMENT_IN_PROGRESS: final(60, 'The partition is being moved already'),
  DELEGATION_TOKEN_AUTH_DISABLED: final(61, 'Delegation tokens are switched off'),
  DELEGATION_TOKEN_NOT_FOUND: final(62, 'There is no such delegation token'),
  DELEGATION_TOKEN_OWNER_MISMATCH: final(63, 'The principal may not own or renew the delegation token'),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: final(64, 'Delegation tokens cannot be asked for on this kind of connection'),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: final(65, 'This user has no right to the delegation token'),
  DELEGATION_TOKEN_EXPIRED: final(66, 'The delegation token has expired'),
  INVALID_PRINCIPAL_TYPE: final(67, 'Principals of that type are not supported'),
  NON_EMPTY_GROUP: final(68, 'The group still has members'),
  GROUP_ID_NOT_FOUND: final(69, 'There is no such group'),
  FETCH_SESSION_ID_NOT_FOUND: retriable(70, 'The server no longer knows the fetch session'),
  INVALID_FETCH_SESSION_EPOCH: retriable(71, 'The fetch is out of step with its fetch session'),
  LISTENER_NOT_FOUND: retriable(72, 'The leader has no listener that matches the one that was asked'),
  TOPIC_DELETION_DISABLED: final(73, 'Topics may not be deleted here'),
  FENCED_LEADER_EPOCH: retriable(74, "The leader epoch is older than the partition's"),
  UNKNOWN_LEADER_EPOCH: retriable(75, "The leader epoch is newer than the partition's"),
  UNSUPPORTED_COMPRESSION_TYPE: final(76, 'The compression type is not supported'),
  STALE_BROKER_EPOCH: final(77, 'The server has registered anew since'),
  OFFSET_NOT_AVAILABLE: retriable(78, 'The new leader does not know yet how far the log is replicated'),
  MEMBER_ID_REQUIRED: final(79, 'A member must have been given an id before it can join'),
  PREFERRED_LEADER_NOT_AVAILABLE: retriable(80, 'The preferred leader is not there at the moment'),
  GROUP_MAX_SIZE_REACHED: final(81, 'The group has as many members as it may have'),
  FENCED_INSTANCE_ID: final(82, 'Another consumer has joined with the same group instance id'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: retriable(83, 'No server that could lead the partition is there'),
  ELECTION_NOT_NEEDED: retriable(84, 'The partition has the leader that it should have'),
  NO_REASSIGNMENT_IN_PROGRESS: final(85, 'The partition is not being moved'),
  GROUP_SUBSCRIBED_TO_TOPIC: final(86, 'The group is reading the topic, so its offsets there cannot be deleted'),
  INVALID_RECORD: final(87, 'A record was refused because it breaks a rule of the topic'),
  UNSTABLE_OFFSET_COMMIT: retriable(88, 'An open transaction may still change the committed offset'),
  THROTTLING_QUOTA_EXCEEDED: retriable(89, 'The client has used up its quota for now'),
  PRODUCER_FENCED: final(90, 'A newer producer uses the same transactional id'),
  RESOURCE_NOT_FOUND: final(91, 'The request names a resource that does not exist'),
  DUPLICATE_RESOURCE: final(92, 'The request names the same resource twice'),
  UNACCEPTABLE_CREDENTIAL: final(93, 'The credential does not meet the requirements'),
  INCONSISTENT_VOTER_SET: final(94, 'Sender or receiver is not one of the voters'),
  INVALID_UPDATE_VERSION: final(95, 'The feature update carries a version that is not valid'),
  FEATURE_UPDATE_FAILED: final(96, 'The features could not be updated'),
  PRINCIPAL_DESERIALIZATION_FAILURE: final(97, 'The principal of a forwarded request could not be read'),
  SNAPSHOT_NOT_FOUND: final(98, 'There is no such snapshot'),
  POSITION_OUT_OF_RANGE: final(99, 'The position lies outside the snapshot'),
  UNKNOWN_TOPIC_ID: retriable(100, 'There is no topic of that id: it was deleted, or made again under the same name'),
  DUPLICATE_BROKER_REGISTRATION: final(101, 'Another server is registered under that id'),
  BROKER_ID_NOT_REGISTERED: final(102, 'No server is registered under that id'),
  INCONSISTENT_TOPIC_ID: retriable(103, "The topic id of the request is not the log's"),
  INCONSISTENT_CLUSTER_ID: final(104, "The cluster id of the request is not the server's"),
  TRANSACTIONAL_ID_NOT_FOUND: final(105, 'There is no such transactional id'),
  FETCH_SESSION_TOPIC_ID_ERROR: retriable(106, 'The fetch session mixes requests with and without topic ids'),
  INELIGIBLE_REPLICA: final(107, 'A replica that may not be in sync was named as such'),
  NEW_LEADER_ELECTED: final(108, 'The partition was changed, and has another leader now'),
  OFFSET_MOVED_TO_TIERED_STORAGE: final(109, 'The offset is held in tiered storage now'),
  FENCED_MEMBER_EPOCH: final(110, "The member's epoch is old: it must give up its partitions and join again"),
  UNRELEASED_INSTANCE_ID: final(111, 'Another member still uses the group instance id'),
  UNSUPPORTED_ASSIGNOR: final(112, 'The group does not support that assignor'),
  STALE_MEMBER_EPOCH: final(113, 'The member must learn its new epoch from a heartbeat and try again'),
  MISMATCHED_ENDPOINT_TYPE: final(114, 'The request went to an endpoint of the wrong kind'),
  UNSUPPORTED_ENDPOINT_TYPE: final(115, 'Endpoints of that kind are not supported'),
  UNKNOWN_CONTROLLER_ID: final(116, 'There is no controller of that id'),
  UNKNOWN_SUBSCRIPTION_ID: final(117, 'The telemetry subscription is unknown or out of date'),
  TELEMETRY_TOO_LARGE: final(118, 'The telemetry data is larger than the server accepts'),
  INVALID_REGISTRATION: final(119, 'The registration of the server is not valid'),
  TRANSACTION_ABORTABLE: final(120, 'The transaction failed: abort it, and the transactional id can be used on'),
  INVALID_RECORD_STATE: final(121, 'The record is in a state in which it cannot be acknowledged'),
  SHARE_SESSION_NOT_FOUND: retriable(122, 'The server no longer knows the share session'),
  INVALID_SHARE_SESSION_EPOCH: retriable(123, 'The request is out of step with its share session'),
  FENCED_STATE_EPOCH: final(124, "The share group's state has a newer epoch"),
  INVALID_VOTER_KEY: final(125, "The voter's key is not the receiver's"),
  DUPLICATE_VOTER: final(126, 'The voter is in the set already'),
  VOTER_NOT_FOUND: final(127, 'The voter is not in the set'),
  INVALID_REGULAR_EXPRESSION: final(128, 'The regular expression cannot be read'),
  REBOOTSTRAP_REQUIRED: final(129, "The client's metadata is out of date: it must start again from its bootstrap list"),
  STREAMS_INVALID_TOPOLOGY: final(130, 'The streams topology is not valid'),
  STREAMS_INVALID_TOPOLOGY_EPOCH: final(131, 'The epoch of the streams topology is not valid'),
  STREAMS_TOPOLOGY_FENCED: final(132, 'The streams topology has a newer epoch'),
  SHARE_SESSION_LIMIT_REACHED: retriable(133, 'The server has as many share sessions as it may have'),

  OUT_OF_MEMORY: retriable(
    -1001,
    'Redis has reached its maxmemory and refuses writes: nothing was written. Free memory or raise maxmemory',
  ),
  NAMESPACE_FULL: retriable(
    -1002,
    'The namespace has reached its memory ceiling (max.bytes): nothing was written. Shorten retention or raise it',
  ),
  UNSUPPORTED_SERVER: final(-1003, 'The server is not a Redis (or a compatible one) of version 7.0 or later'),
  BUFFER_EXHAUSTED: retriable(-1004, "The producer's buffer (bufferMemory) stayed full for longer than maxBlockMs"),
  CLIENT_CLOSED: final(-1005, 'The client was closed'),
  INVALID_OPTION: final(-1006, 'An option has a value that is not valid'),
  SCRIPT_FAILED: final(-1007, 'A script failed on the server in a way it should not: please report it with the cause'),
  LOG_TRUNCATED: final(-1008, 'The position is from a tail of the log that the server has lost'),
} as const satisfies Readonly<Record<string, ErrorDefinition>>

/** The name of an error in the registry: 'UNKNOWN_TOPIC_OR_PARTITION'. */
export type ErrorName = keyof typeof ERRORS

/** Whether a text, a script's answer for one, is the name of an error in the registry. */
export function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(ERRORS, name)
}

/** What a KafkaError may carry beside its message. */
export interface KafkaErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown
  /** Anything that a caller may want to act upon: an option's name and value, an offset. Never a secret. */
  readonly [detail: string]: unknown
}

/** The one error type of protocol and storage: an entry of the registry, and what is known of this occurrence. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  /** The error's name in the registry. */
  readonly type: ErrorName
  /** Kafka's number for it; below -1000 for Rivulet's own. */
  readonly code: number
  /** Whether the same request may succeed when it is sent again. */
  readonly retriable: boolean
  /** The details given to the constructor, without the cause. */
  readonly details: Readonly<Record<string, unknown>>

  /**
   * @param type the error's name in the registry
   * @param message what happened here and what to do; by default the registry's sentence
   * @param options the cause, and details that a caller may want to act upon
   */
  constructor(type: ErrorName, message?: string, options: KafkaErrorOptions = {}) {
    const definition: ErrorDefinition = ERRORS[type]
    super(message ?? definition.message, 'cause' in options ? { cause: options.cause } : undefined)
    const { cause: _, ...details } = options
    this.type = type
    this.code = definition.code
    this.retriable = definition.retriable
    this.details = details
  }
}
