import { KafkaError } from '@rivulet/protocol'
import {
  isRetriable,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  toError,
  toKafkaJSError,
} from '../errors.js'
import { firstRetryTime, nextRetryTime, type RetrySettings } from '../retry.js'

/** What a failure leads to: another try after a wait (ms), or the end, with the error that kafkajs makes of it. */
export type AfterFailure =
  | { readonly kind: 'retry'; readonly wait: number; readonly error: Error }
  | { readonly kind: 'give-up'; readonly error: KafkaJSError }

/** Where a row of failures stands: how often it was tried again, and how long the next wait is. A success starts anew. */
export class RetryState {
  /** Tries after the first one. */
  count = 0
  /** The wait before the next try, in ms. */
  time: number

  constructor(private readonly settings: RetrySettings) {
    this.time = firstRetryTime(settings)
  }

  /** Counts a failure, and says what follows from it. */
  failed(thrown: unknown): AfterFailure {
    const error = thrown instanceof KafkaError ? toKafkaJSError(thrown) : toError(thrown)
    if (!isRetriable(error)) {
      return { kind: 'give-up', error: finalError(error) }
    }
    const { count: retryCount, time: retryTime } = this
    if (retryCount >= this.settings.retries) {
      return { kind: 'give-up', error: new KafkaJSNumberOfRetriesExceeded(error, { retryCount, retryTime }) }
    }
    this.count++
    this.time = nextRetryTime(this.settings, retryTime)
    return { kind: 'retry', wait: retryTime, error }
  }

  succeeded(): void {
    if (this.count === 0) return
    this.count = 0
    this.time = firstRetryTime(this.settings)
  }
}

/** What a group or an application's assigner failed with: errors that nobody knows are not tried again, as in kafkajs. */
export function toCrash(thrown: unknown): KafkaJSError {
  return thrown instanceof KafkaError || thrown instanceof KafkaJSError
    ? toKafkaJSError(thrown)
    : finalError(toError(thrown))
}

/** An error that is not tried again, as kafkajs wraps it; what it was is the cause. */
export function finalError(error: Error): KafkaJSNonRetriableError {
  if (error instanceof KafkaJSNonRetriableError) return error
  return new KafkaJSNonRetriableError(error, { cause: error instanceof KafkaJSError ? error : (error.cause ?? error) })
}
