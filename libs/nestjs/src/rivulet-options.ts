import type { Logger } from '@nestjs/common'
import { KafkaLogger, type KafkaOptions } from '@nestjs/microservices'
import type { FailureOptions } from './failures/failure-policy.js'
import { type ConsumerConfig, Kafka, type KafkaConfig, type ProducerConfig } from '@rivulet/client'

type NestOptions = NonNullable<KafkaOptions['options']>
type NestClient = NonNullable<NestOptions['client']>
type NestConsumer = NonNullable<NestOptions['consumer']>
type NestProducer = NonNullable<NestOptions['producer']>

/** How a client finds Redis and logs in: kafkajs's options and Rivulet's own. */
export type RivuletConnectionOptions = Omit<NestClient, 'brokers'> &
  Partial<Pick<NestClient, 'brokers'>> &
  Omit<KafkaConfig, keyof NestClient>

/**
 * What `Transport.KAFKA` takes as `options`, and what Rivulet's client takes beyond that: `client.redis`,
 * `client.namespace`, `consumer.groupInstanceId`, `producer.lingerMs` and so on.
 */
export interface RivuletOptions extends Omit<NestOptions, 'client' | 'consumer' | 'producer'> {
  /** Where Redis is. With neither `brokers` nor `redis`, it is Nest's default, localhost:9092. */
  client?: RivuletConnectionOptions
  /** `groupId` is Nest's default, nestjs-group, where it is left out. */
  consumer?: Omit<NestConsumer, 'groupId'> &
    Partial<Pick<NestConsumer, 'groupId'>> &
    Omit<ConsumerConfig, keyof NestConsumer>
  producer?: NestProducer & Omit<ProducerConfig, keyof NestProducer>
}

/** What a server takes beyond that. */
export interface RivuletServerOptions extends RivuletOptions {
  /** What becomes of messages whose handlers fail. Left out: they are tried again for ever, as with Nest on Kafka. */
  failures?: FailureOptions
}

const DEFAULT_BROKERS = ['localhost:9092']

/** The same in Nest's type, which wants addresses and a group to be given. */
export function toNestOptions(options: RivuletOptions): NestOptions {
  const { client, consumer, ...rest } = options
  return {
    ...rest,
    ...(client && { client: { ...client, brokers: client.brokers ?? DEFAULT_BROKERS } }),
    // Nest's own default takes the place of the empty text.
    ...(consumer && { consumer: { ...consumer, groupId: consumer.groupId ?? '' } }),
  }
}

/** A client that logs as Nest does, unless its options say otherwise. */
export function makeKafka(logger: Logger, options: KafkaConfig): Kafka {
  return new Kafka({ logCreator: () => KafkaLogger(logger), ...options })
}
