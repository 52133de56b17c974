import { describe, expect, it } from '@jest/globals'
import { TopicSubscriptions } from './topic-subscriptions.js'

describe('topic subscriptions', () => {
  it('gather names and patterns of all calls, each name once', () => {
    const subscriptions = new TopicSubscriptions('latest')
    subscriptions.add(['a', /^b/], true)
    subscriptions.add(['a', 'c'], undefined)
    expect(subscriptions.subscription).toEqual({ topics: ['a', 'c'], patterns: [/^b/] })
  })

  it.each([
    ['fromBeginning', true, 'earliest'],
    ['without fromBeginning', false, 'latest'],
    ['nothing said', undefined, 'none'],
  ] as const)('%s comes before autoOffsetReset', (_, fromBeginning, expected) => {
    const subscriptions = new TopicSubscriptions('none')
    subscriptions.add(['a'], fromBeginning)
    expect(subscriptions.policyOf('a')).toBe(expected)
  })

  it('the last subscription that covers a topic decides', () => {
    const subscriptions = new TopicSubscriptions('latest')
    subscriptions.add(['ab', 'b'], false)
    subscriptions.add([/^a/], true)
    expect(['ab', 'b', 'other'].map((topic) => subscriptions.policyOf(topic))).toEqual(['earliest', 'latest', 'latest'])
    subscriptions.add(['ab'], false)
    expect(subscriptions.policyOf('ab')).toBe('latest')
  })

  it.each([/^a/g, /^a/y])('a pattern with state (%s) matches every time, and is left as it is', (pattern) => {
    const subscriptions = new TopicSubscriptions('latest')
    subscriptions.add([pattern], true)
    expect([1, 2, 3].map(() => subscriptions.policyOf('ab'))).toEqual(['earliest', 'earliest', 'earliest'])
    expect(pattern.lastIndex).toBe(0)
  })
})
