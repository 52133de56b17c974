import { type CompressionType, RecordBatchBuilder } from '@rivulet/protocol'

export interface RecordBatchOptions {
  /** How many records, or their values; 1. */
  records?: number | readonly string[]
  /** -1 (default): no idempotent producer. */
  producerId?: number
  producerEpoch?: number
  /** Sequence number of the first record; 0. */
  sequence?: number
  /** Of all records, or of each, in ms; 1,700,000,000,000. */
  timestamp?: number | readonly number[]
  compression?: CompressionType
}

/** One record batch, as a producer makes it. */
export async function recordBatch(options: RecordBatchOptions = {}): Promise<Buffer> {
  const { records = 1, producerId = -1, producerEpoch = producerId < 0 ? -1 : 0, sequence = 0 } = options
  const values = typeof records === 'number' ? Array.from({ length: records }, (_, i) => `value ${i}`) : records
  const builder = new RecordBatchBuilder()
  values.forEach((value, i) => {
    const { timestamp = 1_700_000_000_000 } = options
    builder.append(null, value, undefined, typeof timestamp === 'number' ? timestamp : (timestamp[i] ?? -1))
  })
  const { compression } = options
  return builder.build({
    producerId,
    producerEpoch,
    baseSequence: producerId < 0 ? -1 : sequence,
    ...(compression === undefined ? {} : { compression }),
  })
}
