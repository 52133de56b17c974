import { afterAll, describe } from '@jest/globals'
import * as rivulet from '@rivulet/client'
import kafkajs from 'kafkajs'
import { testRedisUrl, uniqueNamespace } from '../topologies/index.js'

/** What is under test, in kafkajs's own type: that Rivulet's client fits it is a part of the test. */
type Client = kafkajs.Kafka

/** The options that a specification may want to set. */
export type ClientConfig = Partial<
  Pick<kafkajs.KafkaConfig, 'brokers' | 'retry' | 'clientId' | 'logCreator' | 'logLevel'>
>

type Library = Pick<
  typeof kafkajs,
  | 'AssignerProtocol'
  | 'CompressionCodecs'
  | 'KafkaJSError'
  | 'KafkaJSNonRetriableError'
  | 'KafkaJSProtocolError'
  | 'PartitionAssigners'
  | 'Partitioners'
>

export interface Target {
  readonly name: 'Rivulet' | 'Kafka'
  /** Where it is: host:port. */
  readonly brokers: string[]
  /** What a program imports beside `Kafka`. */
  readonly library: Library
  /** A client with these options. */
  create(config?: ClientConfig): Client
  /** A topic's name that nobody else uses. */
  uniqueTopic(): string
}

const quiet: ClientConfig = { logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 3, initialRetryTime: 100 } }

/**
 * Describes what must hold of Rivulet's client on Redis and, where KAFKA_BROKERS names a Kafka (host:port, separated by
 * commas), of kafkajs on that: the specification is one, so that it cannot be ours alone.
 */
export function describeOnBoth(title: string, specify: (target: Target) => void): void {
  const namespace = uniqueNamespace('conformance')
  let topics = 0
  // Of equal length, so that the order of their names is the order of their making.
  const uniqueTopic = () => `${namespace}-${String(topics++).padStart(4, '0')}`
  const { host } = new URL(testRedisUrl())
  const targets: Target[] = [
    {
      name: 'Rivulet',
      brokers: [host],
      library: rivulet,
      create: (config) => new rivulet.Kafka({ brokers: [testRedisUrl()], ...quiet, ...config, namespace }),
      uniqueTopic,
    },
  ]
  const brokers = process.env['KAFKA_BROKERS']?.split(',') ?? []
  if (brokers.length > 0) {
    process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
    targets.push({
      name: 'Kafka',
      brokers,
      library: kafkajs,
      create: (config) => new kafkajs.Kafka({ brokers, ...quiet, ...config }),
      uniqueTopic,
    })
  }
  describe.each(targets)(`${title} (on $name)`, (target) => {
    afterAll(() => deleteTopics(target, namespace))
    specify(target)
  })
}

async function deleteTopics(target: Target, prefix: string): Promise<void> {
  const admin = target.create().admin()
  await admin.connect()
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix))
  await admin.deleteTopics({ topics })
  await admin.disconnect()
}
