import type { Admin } from '@rivulet/client'

export const TOPIC = 'flights'
export const PARTITIONS = 12
/** The group of the readers. */
export const GROUP = 'flights'

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
async function removeTopic(admin: Admin): Promise<void> {
  if ((await admin.listTopics()).includes(TOPIC)) await admin.deleteTopics({ topics: [TOPIC] })
}

/** Removes the topic and the group, if they are there. */
export async function removeTraces(admin: Admin): Promise<void> {
  await removeTopic(admin)
  const { groups } = await admin.listGroups()
  if (groups.some(({ groupId }) => groupId === GROUP)) await admin.deleteGroups([GROUP])
}
