import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import type * as kafkajs from 'kafkajs'
import ts from 'typescript'
import type * as rivulet from './index.js'

// What a program written for kafkajs's types must be able to do. This part runs nothing: the test below has it checked by
// the compiler, and tries that the check can fail.

/** The errors whose constructors kafkajs's types take for ones without arguments, which they are not. */
type MistypedError =
  | `KafkaJS${'MetadataNotLoaded' | 'BrokerNotFound' | 'PartialMessageError' | 'SASLAuthenticationError'}`
  | `KafkaJS${'GroupCoordinatorNotFound' | 'NotImplemented' | 'Timeout' | 'LockTimeout'}`
  | 'KafkaJSUnsupportedMagicByteInMessageSet'

/** The errors of which kafkajs's types promise more than it keeps: fields that may be undefined, or of a lesser type. */
type OverpromisedError =
  | `KafkaJS${'ConnectionError' | 'RequestTimeoutError' | 'TopicMetadataNotLoaded'}`
  | `KafkaJS${'StaleTopicMetadataAssignment' | 'ServerDoesNotSupportApiKey' | 'DeleteGroupsError'}`

/** kafkajs as a module, but for its enums (whose values are compared below) and what goes with groups. */
type Module = Pick<
  typeof kafkajs,
  | 'Kafka'
  | 'Partitioners'
  | 'CompressionCodecs'
  | Exclude<Extract<keyof typeof kafkajs, `KafkaJS${string}`>, MistypedError | OverpromisedError>
>

export function moduleIsOneOfKafkaJS(module: typeof rivulet): Module {
  return module
}

export function clientsAreThoseOfKafkaJS(kafka: rivulet.Kafka): {
  kafka: kafkajs.Kafka
  producer: kafkajs.Producer
  consumer: kafkajs.Consumer
  admin: kafkajs.Admin
  logger: kafkajs.Logger
} {
  return {
    kafka,
    producer: kafka.producer(),
    consumer: kafka.consumer({ groupId: 'g' }),
    admin: kafka.admin(),
    logger: kafka.logger(),
  }
}

/** What kafkajs's programs hand over is taken. */
export interface Arguments {
  readonly kafka: kafkajs.KafkaConfig
  readonly producer: kafkajs.ProducerConfig
  readonly consumer: Omit<kafkajs.ConsumerConfig, 'partitionAssigners'>
  readonly admin: kafkajs.AdminConfig
  readonly record: kafkajs.ProducerRecord
  readonly batch: kafkajs.ProducerBatch
  readonly message: kafkajs.Message
  readonly run: kafkajs.ConsumerRunConfig
  readonly topics: kafkajs.ConsumerSubscribeTopics
  readonly topicConfig: kafkajs.ITopicConfig
  readonly logCreator: kafkajs.logCreator
  readonly partitioner: kafkajs.ICustomPartitioner
  readonly retry: kafkajs.RetryOptions
  readonly headers: kafkajs.IHeaders
}

export function argumentsAreTaken(given: Arguments): {
  [K in keyof Arguments]: {
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
    retry: rivulet.RetryOptions
    headers: rivulet.IHeaders
  }[K]
} {
  return given
}

/** What our programs get goes where kafkajs's types are expected. */
export interface Results {
  readonly message: rivulet.KafkaMessage
  readonly batch: rivulet.Batch
  readonly eachMessage: rivulet.EachMessagePayload
  readonly eachBatch: rivulet.EachBatchPayload
  readonly metadata: rivulet.RecordMetadata
  readonly logEntry: rivulet.LogEntry
  readonly configs: rivulet.DescribeConfigResponse
  readonly group: rivulet.GroupDescription
  readonly crash: rivulet.ConsumerCrashEvent
  readonly heartbeat: rivulet.ConsumerHeartbeatEvent
  readonly join: rivulet.ConsumerGroupJoinEvent
  readonly request: rivulet.RequestEvent
  readonly level: rivulet.logLevel
  readonly compression: rivulet.CompressionTypes
  readonly resource: rivulet.ConfigResourceTypes
  readonly operation: rivulet.AclOperationTypes
}

export function resultsFit(got: Results): {
  [K in keyof Results]: {
    message: kafkajs.KafkaMessage
    batch: kafkajs.Batch
    eachMessage: kafkajs.EachMessagePayload
    eachBatch: kafkajs.EachBatchPayload
    metadata: kafkajs.RecordMetadata
    logEntry: kafkajs.LogEntry
    configs: kafkajs.DescribeConfigResponse
    group: kafkajs.GroupDescription
    crash: kafkajs.ConsumerCrashEvent
    heartbeat: kafkajs.ConsumerHeartbeatEvent
    join: kafkajs.ConsumerGroupJoinEvent
    request: kafkajs.RequestEvent
    level: kafkajs.logLevel
    compression: kafkajs.CompressionTypes
    resource: kafkajs.ConfigResourceTypes
    operation: kafkajs.AclOperationTypes
  }[K]
} {
  return got
}

/** Listeners get the payload of the event that they named. */
export function listenersAreTyped(kafka: rivulet.Kafka): void {
  const consumer = kafka.consumer({ groupId: 'g' })
  consumer.on(consumer.events.CRASH, ({ payload }) => payload.error.message.trim())
  consumer.on('consumer.fetch', ({ payload }) => payload.numberOfBatches.toFixed())
  kafka.admin().on('admin.connect', (event: kafkajs.ConnectEvent) => event.id.trim())
}

const here = dirname(fileURLToPath(import.meta.url))

/** The compiler's complaints of a text in the place of this file. */
function complaints(replace: (source: string) => string): string[] {
  const file = join(here, 'public-types.spec.ts')
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@rivulet/source'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  }
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, replace(ts.sys.readFile(file) ?? ''), rest[0]) : read(name, ...rest)
  const program = ts.createProgram([file], options, host)
  return program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

describe('the public types', () => {
  it("go both ways with kafkajs's", () => {
    expect(complaints((source) => source)).toEqual([])
  }, 120_000)

  it('are really compared', () => {
    const wrong = complaints((source) => source.replace('metadata: kafkajs.RecordMetadata', 'metadata: kafkajs.Batch'))
    expect(wrong).toHaveLength(1)
  }, 120_000)
})
