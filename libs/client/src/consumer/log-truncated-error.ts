import { KafkaError } from '@rivulet/protocol'
import { KafkaJSProtocolError } from '../errors.js'

/**
 * The server has lost a tail of the log that the consumer had read (a failover to a replica that was behind), and the
 * reset policy `none` leaves it to the application what to do: `seek` to `divergence` reads what was written since.
 * Mirrors Kafka's LogTruncationException. `type` is LOG_TRUNCATED.
 */
export class KafkaJSLogTruncated extends KafkaJSProtocolError {
  override name = 'KafkaJSLogTruncated'
  readonly topic: string
  readonly partition: number
  /** The consumer's position, in the part that was lost, in decimal. */
  readonly position: string
  /** The first offset at which the log as it is now differs from what was read, in decimal. */
  readonly divergence: string

  constructor(metadata: { topic: string; partition: number; position: number; divergence: number }) {
    const { topic, partition, position, divergence } = metadata
    const cause = new KafkaError(
      'LOG_TRUNCATED',
      `${topic}-${partition}: the position ${position} is from a tail of the log that the server has lost; ` +
        `from offset ${divergence} on the log holds other records: seek there to read them`,
      metadata,
    )
    super(cause, { cause })
    this.topic = topic
    this.partition = partition
    this.position = String(position)
    this.divergence = String(divergence)
  }
}
