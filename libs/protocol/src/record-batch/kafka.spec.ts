import { createConnection, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { COMPRESSION_NAMES, CompressionType } from '../compression/compression-type.js'
import { RecordBatchBuilder } from './record-batch-builder.js'
import { RecordBatch } from './record-batch.js'
import { type Bytes, type RecordHeaders } from './record-data.js'
import { type DecodedHeaders } from './records.js'

// A real Kafka is the judge of the format. These run only where KAFKA_BROKERS names one (host:port).
const brokers = process.env['KAFKA_BROKERS']
const describeWithKafka = brokers === undefined ? describe.skip : describe
if (brokers === undefined) {
  process.stderr.write('\nNOT RUN: record batches against a real Kafka. Set KAFKA_BROKERS=host:port to run them.\n')
}

interface Message {
  key: Bytes
  value: Bytes
  headers: RecordHeaders | undefined
  timestamp: number
}

interface Plain {
  key: string | null
  value: string | null
  headers: Record<string, unknown>
  timestamp: number
  offset: number
}

const NOW = Date.now()
const messages: Message[] = Array.from({ length: 300 }, (_, i) => ({
  key: [`key-${i % 7}`, null, '', Buffer.from([0, 255, i & 255])][i % 4],
  value: [`värde ${i} `.repeat(i % 50), Buffer.alloc(i * 3, i), null, ''][i % 4],
  headers: i % 3 === 0 ? { trace: `t-${i}`, many: ['a', Buffer.from('b')], empty: '', none: null } : undefined,
  timestamp: NOW - (i % 5) * 1000,
}))

describeWithKafka('record batches against a real Kafka (KAFKA_BROKERS)', () => {
  const [broker = ''] = (brokers ?? '').split(',')
  const prefix = `record-batch-${process.pid}-${NOW}`
  const topicOf = (direction: string, type: string): string => `${prefix}-${direction}-${type}`
  const kafka = new Kafka({ brokers: [broker], clientId: prefix, logLevel: logLevel.NOTHING })
  let admin: Admin
  let connection: RawKafka

  beforeAll(async () => {
    admin = kafka.admin()
    await admin.connect()
    const topics = COMPRESSION_NAMES.flatMap((type) => [
      // Kafka must take these apart and store them without compression, which its own code does.
      topic(topicOf('ours', type), 'uncompressed'),
      // Kafka must compress what we send uncompressed.
      topic(topicOf('theirs', type), type === 'none' ? 'uncompressed' : type),
    ])
    await admin.createTopics({ topics, waitForLeaders: true })
    connection = await RawKafka.connect(broker)
  })

  afterAll(async () => {
    connection.close()
    const topics = COMPRESSION_NAMES.flatMap((type) => [topicOf('ours', type), topicOf('theirs', type)])
    await admin.deleteTopics({ topics })
    await admin.disconnect()
  })

  it.each(COMPRESSION_NAMES)('takes our batch (%s), and kafkajs reads the same from it', async (type) => {
    const name = topicOf('ours', type)
    expect(await connection.produce(name, await batchOf(COMPRESSION_NAMES.indexOf(type)))).toEqual({
      error: 0,
      baseOffset: 0,
    })

    const consumer = kafka.consumer({ groupId: name })
    const received: Plain[] = []
    await consumer.connect()
    try {
      await consumer.subscribe({ topic: name, fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
        const eachBatch = ({ batch }: { batch: { messages: KafkajsMessage[] } }): Promise<void> => {
          for (const { key, value, headers = {}, timestamp, offset } of batch.messages) {
            received.push(plain(key, value, headers, Number(timestamp), Number(offset)))
          }
          if (received.length >= messages.length) resolve()
          return Promise.resolve()
        }
        consumer.run({ eachBatch }).catch(reject)
      })
    } finally {
      await consumer.disconnect()
    }
    expect(received).toEqual(expectedMessages())
  })

  it.each(COMPRESSION_NAMES)('gives batches (%s) that we read', async (type) => {
    const name = topicOf('theirs', type)
    await connection.produce(name, await batchOf(CompressionType.None))
    const bytes = await connection.fetch(name)

    const received: Plain[] = []
    for (let at = 0; at < bytes.length;) {
      const batch = RecordBatch.read(bytes, at)
      batch.verifyCrc()
      expect(COMPRESSION_NAMES[batch.compression]).toBe(type)
      const records = await batch.records()
      records.readInto(
        received,
        (offset, timestamp, _attributes, key, value, headers) => plain(key, value, headers, timestamp, offset),
        { baseOffset: batch.baseOffset },
      )
      at += batch.byteLength
    }
    expect(received).toEqual(expectedMessages())
  })

  it('refuses a batch that was damaged on the way (CORRUPT_MESSAGE), so it does check ours', async () => {
    const batch = await batchOf(CompressionType.None)
    batch[batch.length - 1] = (batch[batch.length - 1] ?? 0) ^ 1
    expect(await connection.produce(topicOf('ours', 'none'), batch)).toMatchObject({ error: 2 })
  })
})

interface KafkajsMessage {
  key: Buffer | null
  value: Buffer | null
  headers?: object
  timestamp: string
  offset: string
}

function topic(name: string, compression: string): { topic: string; configEntries: { name: string; value: string }[] } {
  return { topic: name, configEntries: [{ name: 'compression.type', value: compression }] }
}

async function batchOf(compression: CompressionType): Promise<Buffer> {
  const builder = new RecordBatchBuilder()
  for (const { key, value, headers, timestamp } of messages) builder.append(key, value, headers, timestamp)
  return builder.build({ producerId: -1, producerEpoch: -1, baseSequence: -1, compression })
}

function expectedMessages(): Plain[] {
  return messages.map(({ key, value, headers, timestamp }, offset) =>
    plain(bytesOf(key), bytesOf(value), headers ?? {}, timestamp, offset),
  )
}

function bytesOf(data: Bytes): Uint8Array | null {
  return data === null || data === undefined ? null : typeof data === 'string' ? Buffer.from(data) : data
}

function plain(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: RecordHeaders | DecodedHeaders | object,
  timestamp: number,
  offset: number,
): Plain {
  const text = (data: unknown): unknown => {
    if (Array.isArray(data)) return data.map(text)
    if (data instanceof Uint8Array) return Buffer.from(data).toString('latin1')
    return typeof data === 'string' ? Buffer.from(data).toString('latin1') : data
  }
  const hex = (data: Uint8Array | null): string | null => (data === null ? null : Buffer.from(data).toString('hex'))
  const plainHeaders = Object.fromEntries(Object.entries(headers).map(([name, data]) => [name, text(data)]))
  return { key: hex(key), value: hex(value), headers: plainHeaders, timestamp, offset }
}

/** One connection that sends record batches as they are: Kafka's Produce 7 and Fetch 4, to partition 0 only. */
class RawKafka {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #done: { resolve: (response: Buffer) => void; reject: (error: Error) => void } | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      const size = this.#received.length < 4 ? Infinity : 4 + this.#received.readInt32BE(0)
      if (this.#received.length < size) return
      const response = this.#received.subarray(8, size)
      this.#received = this.#received.subarray(size)
      this.#done?.resolve(response)
    })
    socket.on('error', (error) => this.#done?.reject(error))
    socket.on('close', () => this.#done?.reject(new Error('Kafka closed the connection')))
  }

  static connect(broker: string): Promise<RawKafka> {
    const [host = '', port = ''] = broker.split(':')
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host, port: Number(port) }, () => resolve(new RawKafka(socket)))
      socket.once('error', reject)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  async produce(name: string, batch: Buffer): Promise<{ error: number; baseOffset: number }> {
    const body = [
      string(null),
      int16(-1),
      int32(10_000),
      int32(1),
      string(name),
      int32(1),
      int32(0),
      int32(batch.length),
      batch,
    ]
    const response = await this.#send(0, 7, Buffer.concat(body))
    const at = 4 + 2 + response.readInt16BE(4) + 4 + 4
    return { error: response.readInt16BE(at), baseOffset: Number(response.readBigInt64BE(at + 2)) }
  }

  async fetch(name: string): Promise<Buffer> {
    const limit = int32(16 * 1024 * 1024)
    const partition = [int32(1), int32(0), Buffer.alloc(8), limit]
    const body = [int32(-1), int32(5000), int32(1), limit, Buffer.alloc(1), int32(1), string(name), ...partition]
    const response = await this.#send(1, 4, Buffer.concat(body))
    const at = 4 + 4 + 2 + response.readInt16BE(8) + 4 + 4
    const error = response.readInt16BE(at)
    if (error !== 0) throw new Error(`Kafka answered the fetch with the error ${error}`)
    const abortedAt = at + 2 + 8 + 8
    const recordsAt = abortedAt + 4 + Math.max(response.readInt32BE(abortedAt), 0) * 16
    return response.subarray(recordsAt + 4, recordsAt + 4 + response.readInt32BE(recordsAt))
  }

  #send(apiKey: number, version: number, body: Buffer): Promise<Buffer> {
    const request = Buffer.concat([int16(apiKey), int16(version), int32(0), string('record-batch-spec'), body])
    return new Promise((resolve, reject) => {
      this.#done = { resolve, reject }
      this.#socket.write(Buffer.concat([int32(request.length), request]))
    })
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function string(text: string | null): Buffer {
  return text === null ? int16(-1) : Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])
}
