import { BadRequestException, InternalServerErrorException } from '@nestjs/common'
import { expect, it } from '@jest/globals'
import { afterFailure, parseFailureOptions } from './failure-policy.js'

it.each([1, 2, 3, 4])('tries again after attempt %i of 5', (attempt) => {
  expect(afterFailure(parseFailureOptions({}), attempt, new Error('x'))).toBe('retry')
})

it('gives up after the last attempt', () => {
  expect(afterFailure(parseFailureOptions({}), 5, new Error('x'))).toBe('give-up')
  expect(afterFailure(parseFailureOptions({ attempts: 1 }), 1, new Error('x'))).toBe('give-up')
})

it.each([
  ['an error that says so', { status: 'error', retriable: false }, 'give-up'],
  ['an error that says the opposite', { retriable: true }, 'retry'],
  ['a failed validation', new BadRequestException(), 'give-up'],
  ['a failure of the server', new InternalServerErrorException(), 'retry'],
  ['a text', 'x', 'retry'],
  ['nothing', undefined, 'retry'],
] as const)('knows by default whether another attempt may help: %s', (_, error, outcome) => {
  expect(afterFailure(parseFailureOptions({}), 1, error)).toBe(outcome)
})

it('asks the function that is given', () => {
  const policy = parseFailureOptions({ isRetriable: (error) => error === 'again' })
  expect(afterFailure(policy, 1, 'again')).toBe('retry')
  expect(afterFailure(policy, 1, 'never')).toBe('give-up')
})

it.each([
  ['is the topic with .dlt by default', undefined, 'orders.dlt'],
  ['is the name that is given', 'dead', 'dead'],
  ['is what the function makes of the topic', (topic: string) => `dead-${topic}`, 'dead-orders'],
  ['is none where there are to be no dead letters', false, null],
] as const)('the topic of dead letters %s', (_, deadLetterTopic, expected) => {
  const policy = parseFailureOptions(deadLetterTopic === undefined ? {} : { deadLetterTopic })
  expect(policy.deadLetterTopic('orders')).toBe(expected)
})

it.each([0, -1, 1.5, Number.NaN])('refuses %p attempts', (attempts) => {
  expect(() => parseFailureOptions({ attempts })).toThrow(`not ${attempts}`)
})
