import { Logger, type OnApplicationShutdown } from '@nestjs/common'
import type { Admin, Kafka, Producer, ProducerConfig } from '@rivulet/client'
import { makeKafka, type RivuletConnectionOptions } from '../rivulet-options.js'

export interface RivuletModuleOptions extends RivuletConnectionOptions {
  /** Of the producer that is injected. */
  producer?: ProducerConfig
}

/** A client with its producer and admin, which last as long as the application. */
export class RivuletConnection implements OnApplicationShutdown {
  private constructor(
    readonly options: RivuletConnectionOptions,
    readonly kafka: Kafka,
    readonly producer: Producer,
    readonly admin: Admin,
  ) {}

  /** @throws KafkaJSError what kept it from connecting, after the retries */
  static async open({ producer: producerConfig, ...options }: RivuletModuleOptions): Promise<RivuletConnection> {
    const kafka = makeKafka(new Logger('Rivulet'), options)
    const connection = new RivuletConnection(options, kafka, kafka.producer(producerConfig), kafka.admin())
    try {
      await Promise.all([connection.producer.connect(), connection.admin.connect()])
    } catch (error) {
      await connection.close()
      throw error
    }
    return connection
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.disconnect(), this.admin.disconnect()])
  }

  /** The last hook of all: what other providers send while they end is sent. */
  async onApplicationShutdown(): Promise<void> {
    await this.close()
  }
}
