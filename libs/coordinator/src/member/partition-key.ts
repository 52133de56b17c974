import type { TopicPartition } from '../types.js'

/** A partition as a text that can be compared: "<topic id>:<partition>", as in GroupMessage. */
export const partitionKey = ({ topicId, partition }: Pick<TopicPartition, 'topicId' | 'partition'>): string =>
  `${topicId}:${partition}`
