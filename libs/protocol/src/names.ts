import { type ErrorName, KafkaError } from './errors.js'
import { showValue } from './show-value.js'

const refuse = (type: ErrorName, what: string, value: unknown, rule: string): never => {
  throw new KafkaError(type, `${what} ${showValue(value)} is not valid: it must be ${rule}`, { value })
}

/** A lone surrogate becomes U+FFFD in UTF-8: two names that differ here would be one name in Redis. */
const halfCharacter = /\p{Surrogate}/u

const isFreeText = (value: unknown, longest: number): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= longest && !halfCharacter.test(value)

/**
 * Kafka's rule for topic names: 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', and neither '.' nor '..'.
 * @throws KafkaError INVALID_TOPIC_EXCEPTION, naming the value and the rule
 */
export function checkTopicName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
    refuse(
      'INVALID_TOPIC_EXCEPTION',
      'The topic name',
      name,
      "1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', and neither '.' nor '..'",
    )
  }
}

/**
 * A group id is any text of 1 to 255 characters.
 * @throws KafkaError INVALID_GROUP_ID, naming the value and the rule
 */
export function checkGroupId(groupId: unknown): asserts groupId is string {
  if (!isFreeText(groupId, 255)) refuse('INVALID_GROUP_ID', 'The group id', groupId, 'a text of 1 to 255 characters')
}

/**
 * The name under which a consumer, a member of a group or a client is known is any text of 1 to 255 characters.
 * @throws KafkaError INVALID_OPTION, naming the value and the rule
 */
export function checkConsumerName(name: unknown): asserts name is string {
  if (!isFreeText(name, 255)) refuse('INVALID_OPTION', 'The consumer name', name, 'a text of 1 to 255 characters')
}

/** Whether a namespace can be part of Redis keys, their ACL patterns and channel names as it stands. */
export function isNamespace(value: unknown): value is string {
  return typeof value === 'string' && /^[a-zA-Z0-9._-]{1,64}$/.test(value)
}

/**
 * A namespace is 1 to 64 of the characters a-z, A-Z, 0-9, '.', '_' and '-'.
 * @throws KafkaError INVALID_OPTION, naming the value and the rule
 */
export function checkNamespace(namespace: unknown): asserts namespace is string {
  if (!isNamespace(namespace)) {
    refuse('INVALID_OPTION', 'The namespace', namespace, "1 to 64 of the characters a-z, A-Z, 0-9, '.', '_' and '-'")
  }
}
