import { describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { KafkaJSNumberOfRetriesExceeded } from '../errors.js'
import { retrySettings } from '../retry.js'
import { RetryState } from './retry-state.js'

const settings = retrySettings({ retries: 2, initialRetryTime: 100, factor: 0, multiplier: 2 })

describe('a row of failures', () => {
  it('is tried again after waits that grow, and ends as kafkajs ends it', () => {
    const state = new RetryState(settings)
    const error = new KafkaError('NETWORK_EXCEPTION')
    expect(state.failed(error)).toMatchObject({ kind: 'retry', wait: 100 })
    expect(state.failed(error)).toMatchObject({ kind: 'retry', wait: 200, error: { name: 'KafkaJSConnectionError' } })
    expect(state.failed(error)).toMatchObject({
      kind: 'give-up',
      error: { name: 'KafkaJSNumberOfRetriesExceeded', retryCount: 2, cause: { name: 'KafkaJSConnectionError' } },
    })
  })

  it('begins anew after a success', () => {
    const state = new RetryState(settings)
    state.failed(new Error('once'))
    state.succeeded()
    expect(state.failed(new Error('again'))).toMatchObject({ wait: 100 })
  })

  it.each([
    ['an error of the protocol', new KafkaError('TOPIC_AUTHORIZATION_FAILED'), { type: 'TOPIC_AUTHORIZATION_FAILED' }],
    ['an error of programming', new TypeError('no function'), { name: 'TypeError' }],
  ])('ends at once with %s, which is the cause', (_, error, cause) => {
    expect(new RetryState(settings).failed(error)).toMatchObject({
      kind: 'give-up',
      error: { name: 'KafkaJSNonRetriableError', retriable: false, cause },
    })
  })

  it('is not wrapped twice', () => {
    const error = new KafkaJSNumberOfRetriesExceeded('enough', { retryCount: 3, retryTime: 1 })
    expect(new RetryState(settings).failed(error)).toEqual({ kind: 'give-up', error })
  })
})
