import type { Admin } from '@rivulet/client'

export const TOPIC = 'flights'
export const PARTITIONS = 12

/** Makes the topic, in place of the one that an earlier run may have left. */
export async function createTopic(admin: Admin): Promise<void> {
  await removeTopic(admin)
  await admin.createTopics({
    topics: [
      {
        topic: TOPIC,
        numPartitions: PARTITIONS,
        // The records' time is that of the flights: by age alone, all of them would go at once.
        configEntries: [{ name: 'retention.ms', value: '-1' }],
      },
    ],
  })
}

/** Removes the topic, if it is there. */
export async function removeTopic(admin: Admin): Promise<void> {
  if ((await admin.listTopics()).includes(TOPIC)) await admin.deleteTopics({ topics: [TOPIC] })
}
