import type { Consumer } from 'kafkajs'
import type { Topic } from './peer.js'

/** What a member of a group is told by its consumer. */
export interface MemberListener {
  onRecord(partition: number): void
  /** All that it owns from now on. */
  onAssigned(partitions: readonly number[]): void
}

export interface Member {
  leave(): Promise<void>
}

/** Joins a group, with a consumer of kafkajs's shape that is connected already: connecting is no part of what is measured. */
export async function joinGroup(consumer: Consumer, { name }: Topic, listener: MemberListener): Promise<Member> {
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => listener.onAssigned(payload.memberAssignment[name] ?? []))
  await consumer.subscribe({ topics: [name] })
  await consumer.run({
    partitionsConsumedConcurrently: 4,
    eachMessage: async ({ partition }) => listener.onRecord(partition),
  })
  return { leave: () => consumer.disconnect() }
}
