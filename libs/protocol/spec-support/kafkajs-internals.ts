import { createRequire } from 'node:module'

// The parts of kafkajs that it does not export, for specs that compare with them.

type AnyFunction = (...args: unknown[]) => unknown

const load: (path: string) => unknown = createRequire(import.meta.url)
const defaultMurmur2 = loadFunction('kafkajs/src/producer/partitioners/default/murmur2')
const legacyMurmur2 = loadFunction('kafkajs/src/producer/partitioners/legacy/murmur2')
const recordBatch = load('kafkajs/src/protocol/recordBatch/v0')
const encodeRecord = loadFunction('kafkajs/src/protocol/recordBatch/record/v0')
const decodeBatch = loadFunction('kafkajs/src/protocol/recordBatch/v0/decoder')
const Decoder = loadFunction('kafkajs/src/protocol/decoder')

export interface KafkajsRecord {
  readonly timestampDelta: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | Buffer[]>>
}

export interface KafkajsBatchOptions {
  readonly compression: number
  readonly firstTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
}

export function kafkajsMurmur2(key: Buffer | string): number {
  return Number(defaultMurmur2(key))
}

export function kafkajsLegacyMurmur2(key: Buffer | string): number {
  return Number(legacyMurmur2(key))
}

/** A record batch, encoded by kafkajs. */
export async function kafkajsBatch(options: KafkajsBatchOptions, records: readonly KafkajsRecord[]): Promise<Buffer> {
  const encode = property(recordBatch, 'RecordBatch')
  if (!isFunction(encode)) throw new Error('kafkajs has no RecordBatch')
  const batch = await encode({
    ...options,
    lastOffsetDelta: records.length - 1,
    records: records.map((record, offsetDelta) => encodeRecord({ ...record, offsetDelta })),
  })
  const bytes = property(batch, 'buffer')
  if (!Buffer.isBuffer(bytes)) throw new Error('kafkajs did not encode a batch')
  return bytes
}

/** What kafkajs decodes of a record batch: an object with `records`. */
export async function kafkajsDecode(bytes: Buffer): Promise<unknown> {
  const decoder: unknown = Reflect.construct(Decoder, [bytes])
  return decodeBatch(decoder)
}

function loadFunction(path: string): AnyFunction {
  const loaded = load(path)
  if (!isFunction(loaded)) throw new Error(`${path} is no function`)
  return loaded
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}

function property(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined
}
