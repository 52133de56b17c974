import { checkTopicName, KafkaError } from '@rivulet/protocol'
import type { Storage, Topic } from '@rivulet/storage'

/** The topic as it is now. @throws KafkaError INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION */
export async function findTopic(storage: Storage, name: string): Promise<Topic> {
  checkTopicName(name)
  const topic = await storage.topics.refresh(name)
  if (topic === null) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic "${name}"`, { topic: name })
  return topic
}
