import type { Admin, Consumer, EachBatchPayload } from '@rivulet/client'
import { Delivery } from './delivery.js'
import type { Progress } from './progress.js'
import { TOPIC } from './topic.js'

/** When nothing has come for so long (ms), nothing will. */
const PATIENCE = 30_000

/**
 * Reads all partitions of the topic, from their beginnings to the ends that they have now.
 *
 * @throws Error when nothing comes any more before the ends, or the consumer is stopped; KafkaJSError what else ended it
 */
export async function consumeFlights(consumer: Consumer, admin: Admin, progress: Progress): Promise<Delivery> {
  const offsets = await admin.fetchTopicOffsets(TOPIC)
  const ends = new Map<number, number>()
  for (const { partition, low, high } of offsets) if (low !== high) ends.set(partition, Number(high))
  const delivery = new Delivery()
  const all = untilEnd(consumer, progress)

  const eachBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
    for (const message of batch.messages) delivery.take(message, batch.partition)
    progress.add(batch.messages.length)
    if (Number(batch.lastOffset()) + 1 >= (ends.get(batch.partition) ?? Infinity)) ends.delete(batch.partition)
    if (ends.size === 0) all.reached()
  }

  consumer.assign(offsets.map(({ partition, low }) => ({ topic: TOPIC, partition, offset: low })))
  await consumer.run({ eachBatch, partitionsConsumedConcurrently: offsets.length })
  await all.promise
  await consumer.stop()
  return delivery
}

function untilEnd(consumer: Consumer, progress: Progress) {
  let reached = (): void => {}
  let watch: NodeJS.Timeout | undefined
  const promise = new Promise<void>((resolve, reject) => {
    reached = resolve
    consumer.closed.then(() => reject(new Error('The consumer was stopped before it had read everything')), reject)
    let before = progress.done
    watch = setInterval(() => {
      if (progress.done === before) {
        reject(new Error(`Nothing came for ${PATIENCE / 1000} s, after ${before} of ${progress.total} flights`))
      }
      before = progress.done
    }, PATIENCE)
  }).finally(() => clearInterval(watch))
  promise.catch(() => {}) // it may come to that before anybody waits
  return { promise, reached }
}
