import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { KafkaError } from '../errors.js'
import { namespaceConfigs, parseNamespaceConfig } from './namespace-configs.js'
import { parseTopicConfig, topicConfigs, type TopicConfig } from './topic-configs.js'

const defaults: TopicConfig = {
  cleanupPolicy: 'delete',
  retentionMs: 604_800_000,
  retentionBytes: -1,
  segmentBytes: 67_108_864,
  segmentMs: 604_800_000,
  maxMessageBytes: 1_048_588,
  messageTimestampType: 'CreateTime',
  compressionType: 'producer',
  memoryPolicy: 'refuse',
}

const refusal = (parse: () => unknown): KafkaError => {
  try {
    parse()
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('parseTopicConfig', () => {
  it('fills in every default', () => {
    expect(parseTopicConfig({})).toEqual(defaults)
  })

  it('reads what is given, and leaves the rest', () => {
    expect(
      parseTopicConfig({
        'retention.ms': '-1',
        'segment.bytes': ' +4096 ',
        'compression.type': 'zstd',
        preallocate: 'TRUE',
      }),
    ).toEqual({ ...defaults, retentionMs: -1, segmentBytes: 4096, compressionType: 'zstd' })
  })

  it('accepts the default of every config as its text', () => {
    const texts = Object.fromEntries(Object.entries(topicConfigs).map(([key, { defaultText }]) => [key, defaultText]))
    expect(parseTopicConfig(texts)).toEqual(defaults)
  })

  it("reads any integer of Kafka's long; beyond a safe integer it is the largest one", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (value) => {
        const read = parseTopicConfig({ 'retention.ms': String(value) }).retentionMs
        return read === (value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value))
      }),
    )
    expect(refusal(() => parseTopicConfig({ 'retention.ms': String(2n ** 63n) })).type).toBe('INVALID_CONFIG')
  })

  it('either refuses a text with INVALID_CONFIG that names key and value, or reads a number in its range', () => {
    const text = fc.oneof(fc.string({ maxLength: 20 }), fc.integer().map(String), fc.double().map(String))
    fc.assert(
      fc.property(text, (value) => {
        try {
          const { segmentBytes } = parseTopicConfig({ 'segment.bytes': value })
          return segmentBytes === Number(value) && segmentBytes >= 1024 && segmentBytes < 2 ** 31
        } catch (error) {
          return (
            error instanceof KafkaError &&
            error.type === 'INVALID_CONFIG' &&
            error.message.startsWith('segment.bytes must be ') &&
            error.details['value'] === value
          )
        }
      }),
    )
  })

  it.each([
    ['retention.ms', '-2'],
    ['retention.ms', ''],
    ['retention.ms', '1.5'],
    ['retention.ms', '1e3'],
    ['retention.ms', '0x10'],
    ['min.insync.replicas', '0'],
    ['message.timestamp.type', 'createtime'],
    ['memory.policy', 'delete'],
    ['min.cleanable.dirty.ratio', '1.1'],
    ['preallocate', 'yes'],
    ['leader.replication.throttled.replicas', '0-1'],
  ])('refuses %s=%p', (key, value) => {
    const error = refusal(() => parseTopicConfig({ [key]: value }))
    expect(error).toMatchObject({ type: 'INVALID_CONFIG', details: { key, value } })
    expect(error.message).toContain(`${key} must be `)
    expect(error.message).toContain(JSON.stringify(value))
  })

  it('says of compaction and tiered storage that they are not there yet', () => {
    expect(refusal(() => parseTopicConfig({ 'cleanup.policy': 'compact' })).message).toBe(
      'cleanup.policy must be \'delete\', not "compact": compaction is not there yet',
    )
    expect(refusal(() => parseTopicConfig({ 'cleanup.policy': 'compact,delete' })).type).toBe('INVALID_CONFIG')
    expect(refusal(() => parseTopicConfig({ 'remote.storage.enable': 'true' })).message).toContain('not there yet')
  })

  it('refuses an unknown key, with those that it may have been meant to be', () => {
    expect(refusal(() => parseTopicConfig({ 'retention.m': '1' })).message).toBe(
      'There is no topic config "retention.m". Did you mean \'retention.ms\'?',
    )
    expect(refusal(() => parseTopicConfig({ constructor: '1' })).type).toBe('INVALID_CONFIG')
    expect(refusal(() => parseTopicConfig({ ['__proto__']: '1' })).type).toBe('INVALID_CONFIG')
  })

  it('says that a value must be a text where it is a number', () => {
    expect(refusal(() => void Reflect.apply(parseTopicConfig, undefined, [{ 'retention.ms': 5 }])).message).toBe(
      'retention.ms must be an integer of at least 0, or -1, not 5: configs are given as texts',
    )
  })
})

describe('parseNamespaceConfig', () => {
  it('fills in defaults and reads what is given', () => {
    const defaults = {
      numPartitions: 1,
      autoCreateTopicsEnable: true,
      offsetsRetentionMinutes: 10_080,
      maxBytes: -1,
    }
    expect(parseNamespaceConfig({})).toEqual(defaults)
    expect(parseNamespaceConfig({ 'auto.create.topics.enable': 'false', 'max.bytes': '1000000' })).toEqual({
      ...defaults,
      autoCreateTopicsEnable: false,
      maxBytes: 1_000_000,
    })
    expect(refusal(() => parseNamespaceConfig({ 'num.partitions': '0' })).message).toContain('num.partitions must be')
  })
})

describe('the definitions', () => {
  it('read back, as the same value, every text that they write', () => {
    for (const { type, default: value, defaultText } of Object.values({ ...topicConfigs, ...namespaceConfigs })) {
      expect(type.fromText(defaultText)).toBe(value)
      expect(type.is(value)).toBe(true)
    }
  })
})
