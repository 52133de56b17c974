import type { ErrorName, KafkaError } from '@rivulet/protocol'

import { firstRetryTime, nextRetryTime, type RetrySettings } from '../retry.js'

/**
 * After these answers the batch is certainly not in the log (unless an earlier attempt put it there). After any other one,
 * a lost connection for example, that is open.
 */
const NOT_WRITTEN: ReadonlySet<ErrorName> = new Set([
  'OUT_OF_MEMORY',
  'NAMESPACE_FULL',
  'NOT_ENOUGH_REPLICAS',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'UNSUPPORTED_VERSION',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_PRODUCER_EPOCH',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
])

/** The log has no room: waiting helps once somebody makes some, however often it was tried. */
const NO_ROOM: ReadonlySet<ErrorName> = new Set(['OUT_OF_MEMORY', 'NAMESPACE_FULL'])

/** Whether the log refused because it has no room. */
export const isNoRoom = (error: KafkaError): boolean => NO_ROOM.has(error.type)

/** Room is looked for at least this often, ms. */
const NO_ROOM_RETRY_TIME = 1000

/** What is known of a batch when an attempt has failed. */
export interface FailedAttempt {
  readonly error: KafkaError
  readonly acks: number
  /** Times that the batch was sent again. */
  readonly retries: number
  /** The last wait before a retry, in ms; 0 before the first. */
  readonly retryTime: number
  /** An earlier attempt left open whether the log has the batch. */
  readonly maybeStored: boolean
  /** The batch has been sent under a new epoch already, because of a lost tail. */
  readonly restarted: boolean
  /** Until the batch's delivery deadline, in ms. */
  readonly timeLeft: number
}

export type Outcome = {
  /** Whether the log may have the batch now. */
  readonly maybeStored: boolean
} & (
  | { readonly kind: 'retry'; readonly delay: number; readonly counts: boolean }
  /** The log has lost its tail: on under a new epoch, at once. */
  | { readonly kind: 'restart' }
  /** Another producer uses the id: on as a new one, at once. */
  | { readonly kind: 'renew' }
  | { readonly kind: 'topic-gone' }
  | { readonly kind: 'fail'; readonly reason: 'final' | 'retries' | 'deadline' }
)

const waitAfter = (retryTime: number, settings: RetrySettings): number =>
  retryTime === 0 ? firstRetryTime(settings) : nextRetryTime(settings, retryTime)

/** What becomes of a batch after an attempt has failed. */
export function outcomeOf(attempt: FailedAttempt, settings: RetrySettings): Outcome {
  const { error, acks, timeLeft } = attempt
  const maybeStored = attempt.maybeStored || !NOT_WRITTEN.has(error.type)

  // Without a producer id a repetition would not be recognised, and nobody waits for the answer.
  if (acks === 0 && error.type !== 'UNKNOWN_TOPIC_ID') return { kind: 'fail', reason: 'final', maybeStored: false }
  switch (error.type) {
    case 'UNKNOWN_TOPIC_ID':
      return { kind: 'topic-gone', maybeStored: false }
    case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
      // All that came before was answered, so a gap means that the server has lost a tail of the log. It has not got this
      // batch either, even if an attempt before reached it: it would have known it by its sequence number.
      if (!attempt.restarted) return { kind: 'restart', maybeStored: false }
      return retryOrFail(attempt, false, settings)
    case 'INVALID_PRODUCER_EPOCH':
      // Epochs of one's own id only grow, so somebody else must have drawn the same one. As another producer all is well,
      // but the log would not recognise what an attempt under the old id may have written.
      if (!attempt.maybeStored) return { kind: 'renew', maybeStored: false }
      return { kind: 'fail', reason: 'final', maybeStored }
    default:
  }
  if (!error.retriable) return { kind: 'fail', reason: 'final', maybeStored }
  if (isNoRoom(error)) {
    if (timeLeft <= 0) return { kind: 'fail', reason: 'deadline', maybeStored }
    const delay = Math.min(waitAfter(attempt.retryTime, settings), NO_ROOM_RETRY_TIME, timeLeft)
    return { kind: 'retry', delay, counts: false, maybeStored }
  }
  return retryOrFail(attempt, maybeStored, settings)
}

function retryOrFail(attempt: FailedAttempt, maybeStored: boolean, settings: RetrySettings): Outcome {
  if (attempt.timeLeft <= 0) return { kind: 'fail', reason: 'deadline', maybeStored }
  if (attempt.retries >= settings.retries) return { kind: 'fail', reason: 'retries', maybeStored }
  const delay = Math.min(waitAfter(attempt.retryTime, settings), attempt.timeLeft)
  return { kind: 'retry', delay, counts: true, maybeStored }
}
