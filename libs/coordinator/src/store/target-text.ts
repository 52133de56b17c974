/**
 * What a member shall own, as a text: "<topic>:<topic id>:<partition>,<partition> …", topics and partitions sorted. Two
 * targets are the same if their texts are.
 */
import type { TopicPartition } from '../types.js'

export function targetText(partitions: readonly TopicPartition[]): string {
  const byTopic = new Map<string, number[]>()
  for (const { topic, topicId, partition } of partitions) {
    const name = `${topic}:${topicId}`
    const numbers = byTopic.get(name)
    if (numbers === undefined) byTopic.set(name, [partition])
    else numbers.push(partition)
  }
  return [...byTopic]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, numbers]) => `${name}:${numbers.toSorted((a, b) => a - b).join(',')}`)
    .join(' ')
}

export function parseTarget(text: string): TopicPartition[] {
  if (text === '') return []
  return text.split(' ').flatMap((part) => {
    const [topic = '', topicId = '', numbers = ''] = part.split(':')
    return numbers.split(',').map((number) => ({ topic, topicId, partition: Number(number) }))
  })
}
