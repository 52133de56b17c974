import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { kafkajsBatch, kafkajsDecode } from '../../spec-support/kafkajs-internals.js'
import { CompressionType } from '../compression/compression-type.js'
import { RecordBatchBuilder } from './record-batch-builder.js'
import { RecordBatch } from './record-batch.js'

const BASE = 1_700_000_000_000
const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
// kafkajs cannot encode a null header, reads inherited names wrongly, and gives a one-element array as a single header.
const anyHeaders = fc.dictionary(
  fc.string({ minLength: 1 }).filter((name) => !(name in {})),
  fc.oneof(anyBytes, fc.array(anyBytes, { minLength: 2, maxLength: 3 })),
  { noNullPrototype: true },
)
const anyRecords = fc.array(
  fc.record({
    key: fc.option(anyBytes),
    value: fc.option(anyBytes),
    headers: anyHeaders,
    timestampDelta: fc.integer({ min: -100_000, max: 100_000_000 }),
  }),
  { minLength: 1, maxLength: 10 },
)

// kafkajs itself has no codec but gzip.
describe.each([
  ['none', CompressionType.None],
  ['gzip', CompressionType.Gzip],
])("kafkajs's record batches (%s)", (_, compression) => {
  it('are read as they were sent', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const options = { compression, firstTimestamp: BASE, maxTimestamp: BASE + 5, producerId: 12345 }
        const batch = RecordBatch.read(await kafkajsBatch(options, records))
        batch.verifyCrc()
        expect(batch).toMatchObject({ baseTimestamp: BASE, maxTimestamp: BASE + 5, producerId: 12345, compression })
        const decoded = (await batch.records()).toArray()
        expect(decoded.map(({ attributes: _a, size: _s, ...record }) => record)).toEqual(
          records.map((record, offsetDelta) => ({ ...record, offsetDelta })),
        )
      }),
      { numRuns: 40 },
    )
  })

  it('and ours are read by kafkajs as they were sent', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const builder = new RecordBatchBuilder()
        for (const { key, value, headers, timestampDelta } of records) {
          builder.append(key, value, headers, BASE + timestampDelta)
        }
        const bytes = await builder.build({ producerId: -1, producerEpoch: -1, baseSequence: -1, compression })
        const expected = records.map(({ timestampDelta, ...record }, offset) =>
          expect.objectContaining({ ...record, offset: String(offset), timestamp: String(BASE + timestampDelta) }),
        )
        expect(await kafkajsDecode(bytes)).toMatchObject({ records: expected })
      }),
      { numRuns: 40 },
    )
  })
})
