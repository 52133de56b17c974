import { Logger } from '@nestjs/common'
import { KafkaLogger, ServerKafka } from '@nestjs/microservices'
import { Kafka } from '@rivulet/client'
import { type RivuletOptions, toNestOptions } from './rivulet-options.js'

/**
 * Nest's Kafka transport on Redis: `{ strategy: new RivuletServer(options) }` in the place of
 * `{ transport: Transport.KAFKA, options }`, with the same options, decorators and context. kafkajs need not be installed.
 */
export class RivuletServer extends ServerKafka {
  protected override logger = new Logger(RivuletServer.name)

  constructor(options: RivuletOptions = {}) {
    super(toNestOptions(options))
  }

  /** Rivulet's client, at once: a Nest before 12 does not wait for a promise here. */
  override createClient<T = Kafka>(): Promise<T>
  override createClient(): Kafka | Promise<Kafka> {
    return new Kafka({
      logCreator: () => KafkaLogger(this.logger),
      ...this.options.client,
      clientId: this.clientId,
      brokers: this.brokers,
    })
  }
}
