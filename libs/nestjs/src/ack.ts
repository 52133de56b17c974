import type { KafkaContext } from '@nestjs/microservices'

/**
 * Commits that this message, and all before it in its partition, are done: for `run: { autoCommit: false }`.
 *
 * @throws KafkaJSNonRetriableError where the partition was given to another member meanwhile: that one handles the message
 */
export async function ack(context: KafkaContext): Promise<void> {
  const offset = String(BigInt(context.getMessage().offset) + 1n)
  await context.getConsumer().commitOffsets([{ topic: context.getTopic(), partition: context.getPartition(), offset }])
}
