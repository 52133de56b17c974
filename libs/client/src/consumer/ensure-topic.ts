import { KafkaError } from '@rivulet/protocol'
import type { TopicRegistry } from '@rivulet/storage'
import { KafkaJSProtocolError, toKafkaJSError } from '../errors.js'
import { createRetry } from '../retry.js'
import type { Logger } from '../types.js'
import type { ConsumerSettings } from './consumer-settings.js'

type Topics = Pick<TopicRegistry, 'get' | 'create' | 'namespaceConfig'>

/**
 * Sees to it that a subscribed topic exists: makes it where that is allowed.
 *
 * @throws KafkaJSProtocolError UNKNOWN_TOPIC_OR_PARTITION where it does not exist and may not be made,
 *   INVALID_TOPIC_EXCEPTION; another KafkaJSError after the retries
 */
export async function ensureTopic(
  topics: Topics,
  name: string,
  { retry, allowAutoTopicCreation }: Pick<ConsumerSettings, 'retry' | 'allowAutoTopicCreation'>,
  logger: Logger,
): Promise<void> {
  await createRetry(retry)(async (bail) => {
    try {
      await findOrCreate(topics, name, allowAutoTopicCreation, logger)
    } catch (thrown) {
      const error = toKafkaJSError(thrown)
      if (error instanceof KafkaJSProtocolError) bail(error)
      throw error
    }
  })
}

async function findOrCreate(topics: Topics, name: string, allowed: boolean, logger: Logger): Promise<void> {
  if ((await topics.get(name)) !== null) return
  if (!allowed) throw noTopic(name, 'the consumer has allowAutoTopicCreation: false')
  const { autoCreateTopicsEnable } = await topics.namespaceConfig()
  if (!autoCreateTopicsEnable) throw noTopic(name, 'the namespace has auto.create.topics.enable=false')
  try {
    const { partitions } = await topics.create({ name })
    logger.info(`Made the topic '${name}', which was not there`, { topic: name, partitions: partitions.length })
  } catch (error) {
    // Another client was faster: its topic is as good.
    if (!(error instanceof KafkaError) || error.type !== 'TOPIC_ALREADY_EXISTS') throw error
  }
}

function noTopic(topic: string, reason: string): KafkaError {
  return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic '${topic}', and it is not made: ${reason}`, {
    topic,
  })
}
