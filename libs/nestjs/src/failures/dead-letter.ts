import { KafkaHeaders } from '@nestjs/microservices'
import type { EachMessagePayload, Message } from '@rivulet/client'

/** Longer ones could keep the record from being taken at all. */
const MAX_STACK_LENGTH = 8192

/** A message that was given up, as it was received, and why: in the headers that Spring's dead letters have, as text. */
export function toDeadLetter(
  { topic, partition, message }: Pick<EachMessagePayload, 'topic' | 'partition' | 'message'>,
  { error, attempts, groupId }: { readonly error: unknown; readonly attempts: number; readonly groupId: string },
): Message {
  const { name, text, stack } = describe(error)
  return {
    key: message.key,
    value: message.value,
    headers: {
      ...message.headers,
      [KafkaHeaders.DLT_ORIGINAL_TOPIC]: topic,
      [KafkaHeaders.DLT_ORIGINAL_PARTITION]: String(partition),
      [KafkaHeaders.DLT_ORIGINAL_OFFSET]: message.offset,
      [KafkaHeaders.DLT_ORIGINAL_TIMESTAMP]: message.timestamp,
      'kafka_dlt-original-consumer-group': groupId,
      [KafkaHeaders.DLT_EXCEPTION_FQCN]: name,
      [KafkaHeaders.DLT_EXCEPTION_MESSAGE]: text,
      ...(stack !== '' && { [KafkaHeaders.DLT_EXCEPTION_STACKTRACE]: stack }),
      [KafkaHeaders.DELIVERY_ATTEMPT]: String(attempts),
    },
  }
}

/** Whatever a handler threw. */
export function describe(error: unknown): { readonly name: string; readonly text: string; readonly stack: string } {
  if (error instanceof Error) {
    return { name: error.name, text: error.message, stack: (error.stack ?? '').slice(0, MAX_STACK_LENGTH) }
  }
  if (typeof error !== 'object' || error === null) return { name: typeof error, text: String(error), stack: '' }
  const message: unknown = 'message' in error ? error.message : undefined
  return { name: 'Error', text: typeof message === 'string' ? message : JSON.stringify(error), stack: '' }
}
