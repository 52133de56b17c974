import { RecordBatch } from '@rivulet/protocol'
import { Storage } from '@rivulet/storage'

export interface ReadRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string
}

/** All records of a topic, by partition, as a reader of its own finds them. */
export async function readTopic(url: string, namespace: string, name: string): Promise<ReadRecord[][]> {
  const storage = await Storage.connect({ redis: { addresses: [url] }, namespace, connectionTimeout: 5000 })
  try {
    const topic = await storage.topics.get(name)
    const reader = await storage.openReader()
    const logs: ReadRecord[][] = []
    for (const partition of topic?.partitions ?? []) {
      const records: ReadRecord[] = []
      let offset = 0
      let segment: number | null = null
      for (let more = true; more;) {
        const [result] = await reader.fetch([{ partition, offset, maxBytes: 4 << 20, segment }], 4 << 20)
        if (result === undefined) throw new Error('the reader gave no result')
        if (result.error !== null) throw result.error
        for (const batch of result.batches) {
          const stored = RecordBatch.read(batch.bytes)
          stored.verifyCrc()
          const raw = await stored.records()
          raw.readInto(
            records,
            (at, _time, _attributes, key, value) => ({ offset: at, key: text(key), value: String(value) }),
            {
              baseOffset: batch.baseOffset,
            },
          )
          offset = batch.endOffset
        }
        segment = result.segment
        more = result.more || result.batches.length > 0
      }
      logs.push(records)
    }
    return logs
  } finally {
    await storage.close()
  }
}

const text = (data: Buffer | null): string | null => (data === null ? null : data.toString())
