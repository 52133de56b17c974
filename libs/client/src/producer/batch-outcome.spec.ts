import { describe, expect, it } from '@jest/globals'
import { type ErrorName, ERRORS, isErrorName, KafkaError } from '@rivulet/protocol'
import * as fc from 'fast-check'

import { type FailedAttempt, outcomeOf } from './batch-outcome.js'

const settings = { retries: 3, initialRetryTime: 100, factor: 0, multiplier: 2, maxRetryTime: 300 }

const attempt = (type: ErrorName, more: Partial<FailedAttempt> = {}): FailedAttempt => ({
  error: new KafkaError(type),
  acks: -1,
  retries: 0,
  retryTime: 0,
  maybeStored: false,
  restarted: false,
  timeLeft: 60_000,
  ...more,
})

describe('what becomes of a batch after a failed attempt', () => {
  it('is sent again after a lost connection, with growing waits, as often as retries says', () => {
    const outcomes = [
      outcomeOf(attempt('NETWORK_EXCEPTION'), settings),
      outcomeOf(attempt('NETWORK_EXCEPTION', { retries: 1, retryTime: 100, maybeStored: true }), settings),
      outcomeOf(attempt('NETWORK_EXCEPTION', { retries: 2, retryTime: 200, maybeStored: true }), settings),
      outcomeOf(attempt('NETWORK_EXCEPTION', { retries: 3, retryTime: 300, maybeStored: true }), settings),
    ]
    expect(outcomes).toEqual([
      { kind: 'retry', delay: 100, counts: true, maybeStored: true },
      { kind: 'retry', delay: 200, counts: true, maybeStored: true },
      { kind: 'retry', delay: 300, counts: true, maybeStored: true },
      { kind: 'fail', reason: 'retries', maybeStored: true },
    ])
  })

  it.each(['OUT_OF_MEMORY', 'NAMESPACE_FULL'] as const)('waits for room until the deadline after %s', (type) => {
    const outcome = outcomeOf(attempt(type, { retries: 3, retryTime: 300 }), settings)
    expect(outcome).toEqual({ kind: 'retry', delay: 300, counts: false, maybeStored: false })
    const late = outcomeOf(attempt(type, { timeLeft: 0 }), settings)
    expect(late).toEqual({ kind: 'fail', reason: 'deadline', maybeStored: false })
  })

  it('never waits beyond the deadline', () => {
    expect(outcomeOf(attempt('NETWORK_EXCEPTION', { timeLeft: 40 }), settings)).toMatchObject({
      kind: 'retry',
      delay: 40,
    })
    expect(outcomeOf(attempt('NETWORK_EXCEPTION', { timeLeft: -1 }), settings)).toMatchObject({ reason: 'deadline' })
  })

  it('goes on under a new epoch after a gap: the log has lost a tail, and the batch with it', () => {
    const outcome = outcomeOf(attempt('OUT_OF_ORDER_SEQUENCE_NUMBER', { maybeStored: true }), settings)
    expect(outcome).toEqual({ kind: 'restart', maybeStored: false })
  })

  it('does not restart again and again', () => {
    const again = outcomeOf(attempt('OUT_OF_ORDER_SEQUENCE_NUMBER', { restarted: true }), settings)
    expect(again).toMatchObject({ kind: 'retry', counts: true })
    const last = outcomeOf(attempt('OUT_OF_ORDER_SEQUENCE_NUMBER', { restarted: true, retries: 3 }), settings)
    expect(last).toMatchObject({ kind: 'fail', reason: 'retries' })
  })

  it('goes on as another producer where the id is in use, unless the log may have the batch', () => {
    expect(outcomeOf(attempt('INVALID_PRODUCER_EPOCH'), settings)).toEqual({ kind: 'renew', maybeStored: false })
    const unknown = outcomeOf(attempt('INVALID_PRODUCER_EPOCH', { maybeStored: true }), settings)
    expect(unknown).toEqual({ kind: 'fail', reason: 'final', maybeStored: true })
  })

  it('fails with the topic, although Kafka calls that error retriable', () => {
    expect(outcomeOf(attempt('UNKNOWN_TOPIC_ID'), settings)).toMatchObject({ kind: 'topic-gone' })
  })

  it('sends nothing again with acks=0: a repetition would not be recognised', () => {
    const outcome = outcomeOf(attempt('NETWORK_EXCEPTION', { acks: 0 }), settings)
    expect(outcome).toEqual({ kind: 'fail', reason: 'final', maybeStored: false })
  })

  it('for every error: repeats only what is retriable, and never forgets that the log may have the batch', () => {
    const names = fc.constantFrom(...Object.keys(ERRORS).filter(isErrorName))
    const others = fc.record({
      retries: fc.nat(4),
      maybeStored: fc.boolean(),
      restarted: fc.boolean(),
      timeLeft: fc.integer(),
    })
    fc.assert(
      fc.property(names, others, (name, more) => {
        const outcome = outcomeOf(attempt(name, more), settings)
        const forgets = name === 'UNKNOWN_TOPIC_ID' || name === 'OUT_OF_ORDER_SEQUENCE_NUMBER'
        const remembers = forgets || !more.maybeStored || outcome.maybeStored
        const mayRepeat = ERRORS[name].retriable || name === 'OUT_OF_ORDER_SEQUENCE_NUMBER'
        return remembers && (outcome.kind !== 'retry' || (mayRepeat && outcome.delay <= more.timeLeft))
      }),
    )
  })
})
