import { describe, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import type * as kafkajsTypes from 'kafkajs'
import * as rivulet from './index.js'

// The compiler checks this file, and in it that programs written for kafkajs's types compile; the test runner looks at the
// same at run time.

/** Whether a type can go where another is wanted: the compiler knows, and takes no other answer. */
type Fits<Given, Wanted> = [Given] extends [Wanted] ? true : false

/** The errors whose constructors kafkajs's types take for ones without arguments, which they are not. */
type MistypedError =
  | `KafkaJS${'MetadataNotLoaded' | 'BrokerNotFound' | 'PartialMessageError' | 'SASLAuthenticationError'}`
  | `KafkaJS${'GroupCoordinatorNotFound' | 'NotImplemented' | 'Timeout' | 'LockTimeout'}`
  | 'KafkaJSUnsupportedMagicByteInMessageSet'

/** The errors of which kafkajs's types promise more than it keeps: fields that may be undefined, or of a lesser type. */
type OverpromisedError =
  | `KafkaJS${'ConnectionError' | 'RequestTimeoutError' | 'TopicMetadataNotLoaded'}`
  | 'KafkaJSAlterPartitionReassignmentsError'
  | `KafkaJS${'StaleTopicMetadataAssignment' | 'ServerDoesNotSupportApiKey' | 'DeleteGroupsError'}`

/** kafkajs as a module, but for its enums, whose values are compared below. */
type Module = Pick<
  typeof kafkajsTypes,
  | 'Kafka'
  | 'Partitioners'
  | 'PartitionAssigners'
  | 'AssignerProtocol'
  | 'CompressionCodecs'
  | Exclude<Extract<keyof typeof kafkajsTypes, `KafkaJS${string}`>, MistypedError | OverpromisedError>
>

/** What kafkajs's programs hand over is taken. */
interface TheirArguments {
  readonly kafka: kafkajsTypes.KafkaConfig
  readonly producer: kafkajsTypes.ProducerConfig
  readonly consumer: Omit<kafkajsTypes.ConsumerConfig, 'partitionAssigners'>
  readonly admin: kafkajsTypes.AdminConfig
  readonly record: kafkajsTypes.ProducerRecord
  readonly batch: kafkajsTypes.ProducerBatch
  readonly message: kafkajsTypes.Message
  readonly run: kafkajsTypes.ConsumerRunConfig
  readonly topics: kafkajsTypes.ConsumerSubscribeTopics
  readonly topicConfig: kafkajsTypes.ITopicConfig
  readonly logCreator: kafkajsTypes.logCreator
  readonly partitioner: kafkajsTypes.ICustomPartitioner
  readonly assigner: kafkajsTypes.Assigner
  readonly memberMetadata: kafkajsTypes.MemberMetadata
  readonly memberAssignment: kafkajsTypes.MemberAssignment
  readonly retry: kafkajsTypes.RetryOptions
  readonly headers: kafkajsTypes.IHeaders
}

interface OurArguments {
  kafka: rivulet.KafkaConfig
  producer: rivulet.ProducerConfig
  consumer: rivulet.ConsumerConfig
  admin: rivulet.AdminConfig
  record: rivulet.ProducerRecord
  batch: rivulet.ProducerBatch
  message: rivulet.Message
  run: rivulet.ConsumerRunConfig
  topics: rivulet.ConsumerSubscribeTopics
  topicConfig: rivulet.ITopicConfig
  logCreator: rivulet.logCreator
  partitioner: rivulet.ICustomPartitioner
  assigner: rivulet.Assigner
  memberMetadata: rivulet.MemberMetadata
  memberAssignment: rivulet.MemberAssignment
  retry: rivulet.RetryOptions
  headers: rivulet.IHeaders
}

/** What our programs get goes where kafkajs's types are expected. */
interface OurResults {
  readonly message: rivulet.KafkaMessage
  readonly batch: rivulet.Batch
  readonly eachMessage: rivulet.EachMessagePayload
  readonly eachBatch: rivulet.EachBatchPayload
  readonly metadata: rivulet.RecordMetadata
  readonly logEntry: rivulet.LogEntry
  readonly configs: rivulet.DescribeConfigResponse
  readonly group: rivulet.GroupDescription
  readonly partitionAssigner: rivulet.PartitionAssigner
  readonly groupMember: rivulet.GroupMember
  readonly crash: rivulet.ConsumerCrashEvent
  readonly heartbeat: rivulet.ConsumerHeartbeatEvent
  readonly join: rivulet.ConsumerGroupJoinEvent
  readonly request: rivulet.RequestEvent
  readonly level: rivulet.logLevel
  readonly compression: rivulet.CompressionTypes
  readonly resource: rivulet.ConfigResourceTypes
  readonly operation: rivulet.AclOperationTypes
}

interface TheirResults {
  message: kafkajsTypes.KafkaMessage
  batch: kafkajsTypes.Batch
  eachMessage: kafkajsTypes.EachMessagePayload
  eachBatch: kafkajsTypes.EachBatchPayload
  metadata: kafkajsTypes.RecordMetadata
  logEntry: kafkajsTypes.LogEntry
  configs: kafkajsTypes.DescribeConfigResponse
  group: kafkajsTypes.GroupDescription
  partitionAssigner: kafkajsTypes.PartitionAssigner
  groupMember: kafkajsTypes.GroupMember
  crash: kafkajsTypes.ConsumerCrashEvent
  heartbeat: kafkajsTypes.ConsumerHeartbeatEvent
  join: kafkajsTypes.ConsumerGroupJoinEvent
  request: kafkajsTypes.RequestEvent
  level: kafkajsTypes.logLevel
  compression: kafkajsTypes.CompressionTypes
  resource: kafkajsTypes.ConfigResourceTypes
  operation: kafkajsTypes.AclOperationTypes
}

describe('the public types', () => {
  const kafka = new rivulet.Kafka({ brokers: ['localhost:1'] })
  const theirs = new kafkajs.Kafka({ brokers: ['localhost:1'], logLevel: kafkajs.logLevel.NOTHING })

  it('are those of kafkajs in what programs hand over and in what they get', () => {
    const theyFit: Fits<TheirArguments, OurArguments> = true
    const weFit: Fits<OurResults, TheirResults> = true
    const otherFits: Fits<Pick<OurResults, 'metadata'>, Pick<TheirResults, 'batch'>> = false
    expect([theyFit, weFit, otherFits]).toEqual([true, true, false])
  })

  it('have all that the module of kafkajs has', () => {
    const module: Module = rivulet
    expect(module.Kafka).toBe(rivulet.Kafka)
    const missing = Object.keys(kafkajs).filter((name) => !Object.hasOwn(rivulet, name) && name !== 'default')
    expect(missing).toEqual([])
  })

  it.each([
    ['logLevel', rivulet.logLevel, kafkajs.logLevel],
    ['CompressionTypes', rivulet.CompressionTypes, kafkajs.CompressionTypes],
    ['ConfigResourceTypes', rivulet.ConfigResourceTypes, kafkajs.ConfigResourceTypes],
    ['ConfigSource', rivulet.ConfigSource, kafkajs.ConfigSource],
    ['AclResourceTypes', rivulet.AclResourceTypes, kafkajs.AclResourceTypes],
    ['AclOperationTypes', rivulet.AclOperationTypes, kafkajs.AclOperationTypes],
    ['AclPermissionTypes', rivulet.AclPermissionTypes, kafkajs.AclPermissionTypes],
    ['ResourcePatternTypes', rivulet.ResourcePatternTypes, kafkajs.ResourcePatternTypes],
  ] as const)('have the values of %s', (_, ours, theirs) => {
    expect({ ...ours }).toEqual({ ...theirs })
  })

  it('make clients that are those of kafkajs', () => {
    const ours: { producer: kafkajsTypes.Producer; consumer: kafkajsTypes.Consumer; admin: kafkajsTypes.Admin } = {
      producer: kafka.producer(),
      consumer: kafka.consumer({ groupId: 'g' }),
      admin: kafka.admin(),
    }
    const members = (client: object): string[] => Object.keys(client).toSorted()
    process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
    expect(members(ours.producer)).toEqual(expect.arrayContaining(members(theirs.producer())))
    expect(members(ours.consumer)).toEqual(expect.arrayContaining(members(theirs.consumer({ groupId: 'g' }))))
    expect(members(ours.admin)).toEqual(expect.arrayContaining(members(theirs.admin())))
    const whole: kafkajsTypes.Kafka = kafka
    expect(whole).toBe(kafka)
  })

  it('give listeners the payload of the event that they named', () => {
    const consumer = kafka.consumer({ groupId: 'g' })
    const removers = [
      consumer.on(consumer.events.CRASH, ({ payload }) => payload.error.message.trim()),
      consumer.on('consumer.fetch', ({ payload }) => payload.numberOfBatches.toFixed()),
      kafka.admin().on('admin.connect', (event: kafkajsTypes.ConnectEvent) => event.type.trim()),
    ]
    expect(removers.map((remove) => typeof remove)).toEqual(['function', 'function', 'function'])
  })
})
