import type { Logger } from '@nestjs/common'
import type { Consumer, Kafka, Producer } from '@rivulet/client'
import { CommittedAttempts, DeliveryAttempts } from './delivery-attempts.js'
import { FailedMessages } from './failed-messages.js'
import type { FailurePolicy } from './failure-policy.js'

export interface FailureSurroundings {
  readonly policy: FailurePolicy
  readonly kafka: Kafka
  readonly consumer: Pick<Consumer, 'commitOffsets'>
  readonly producer: Pick<Producer, 'send'>
  readonly groupId: string
  /** Whether the consumer commits by itself. Where it does not, nothing is committed but what is given up. */
  readonly commits: boolean
  readonly logger: Logger
}

/** Failures, with what a server has at hand for them. */
export function makeFailedMessages(surroundings: FailureSurroundings): FailedMessages {
  const { policy, kafka, consumer, producer, groupId, commits, logger } = surroundings
  const store = new CommittedAttempts({
    groupId,
    logger,
    commitOffsets: (offsets) => consumer.commitOffsets(offsets),
    fetchOffsets: async (options) => {
      const admin = kafka.admin()
      await admin.connect()
      try {
        return await admin.fetchOffsets(options)
      } finally {
        await admin.disconnect()
      }
    },
  })
  return new FailedMessages({
    policy,
    attempts: new DeliveryAttempts(commits ? store : null),
    groupId,
    send: (topic, message) => producer.send({ topic, messages: [message] }),
    ack: commits
      ? null
      : async ({ topic, partition, message }) => {
          const offset = String(BigInt(message.offset) + 1n)
          await consumer.commitOffsets([{ topic, partition, offset }])
        },
    logger,
  })
}
