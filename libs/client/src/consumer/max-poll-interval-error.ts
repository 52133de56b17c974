import { KafkaJSError } from '../errors.js'

/**
 * A handler of a group made no progress for `maxPollIntervalMs`: no message or offset was resolved, and heartbeat was not
 * called. The consumer has left the group, so that others take over its partitions; it starts again unless
 * `restartOnFailure` says no.
 */
export class KafkaJSMaxPollIntervalExceeded extends KafkaJSError {
  override name = 'KafkaJSMaxPollIntervalExceeded'
  readonly topic: string
  readonly partition: number
  /** The first offset that the handler has not resolved, in decimal. */
  readonly offset: string

  constructor(topic: string, partition: number, offset: number, maxPollIntervalMs: number) {
    super(
      `The handler of ${topic}-${partition} has made no progress at offset ${offset} for ${maxPollIntervalMs} ms ` +
        '(maxPollIntervalMs): raise it, or call heartbeat() in the handler',
    )
    this.topic = topic
    this.partition = partition
    this.offset = String(offset)
  }
}
