import { codecs } from '@rivulet/protocol'

import { createLogger } from '../src/logger.js'
import { Partitioners } from '../src/partitioners/index.js'
import { ProducerSession } from '../src/producer/producer-session.js'
import { parseProducerConfig } from '../src/producer/producer-settings.js'
import type { LogEntry, ProducerConfig, RecordMetadata } from '../src/types.js'
import { ModelLog, ModelTopics } from './model-log.js'

export interface TestSession {
  readonly session: ProducerSession
  readonly log: ModelLog
  readonly topics: ModelTopics
  readonly logged: LogEntry[]
  send(
    topic: string,
    values: (string | Buffer)[],
    options?: { acks?: number; compression?: number; partition?: number },
  ): Promise<RecordMetadata[]>
}

/** Retries without waiting. */
const FAST_RETRY = { initialRetryTime: 1, factor: 0, multiplier: 1, maxRetryTime: 1 }

/** A session on logs and topics in memory. */
export function testSession(config: ProducerConfig = {}): TestSession {
  const log = new ModelLog()
  const topics = new ModelTopics()
  const logged: LogEntry[] = []
  const settings = parseProducerConfig({ ...config, retry: { ...FAST_RETRY, ...config.retry } }, {})
  const session = new ProducerSession({
    appender: log,
    source: { topics, autoCreateTopics: async () => topics.autoCreate },
    settings,
    partitioner: (config.createPartitioner ?? Partitioners.DefaultPartitioner)(),
    codecs,
    logger: createLogger({ level: 5, logCreator: () => (entry) => void logged.push(entry) }),
    observer: { sent: () => {}, answered: () => {} },
  })
  return {
    session,
    log,
    topics,
    logged,
    send: (topic, values, { acks = -1, compression = 0, partition } = {}) => {
      const messages = values.map((value) => (partition === undefined ? { value } : { value, partition }))
      return session.send([{ topic, messages }], acks, compression)
    },
  }
}
