import { describe, expect, it } from '@jest/globals'
import { makeInput, show } from '../../spec-support/assignor-groups.js'
import { groupAssigners } from './group-assigners.js'

describe('the group assigners', () => {
  const input = makeInput({
    topics: { a: 3, b: 3 },
    members: { x: ['a', 'b'], y: ['a', 'b'] },
    previous: { y: ['a-0', 'a-1', 'a-2'] },
  })

  it.each([
    [groupAssigners.range, 'range', { x: ['a-0', 'a-1', 'b-0', 'b-1'], y: ['a-2', 'b-2'] }],
    [groupAssigners.roundRobin, 'roundrobin', { x: ['a-0', 'a-2', 'b-1'], y: ['a-1', 'b-0', 'b-2'] }],
    [groupAssigners.cooperativeSticky, 'cooperative-sticky', { x: ['b-0', 'b-1', 'b-2'], y: ['a-0', 'a-1', 'a-2'] }],
    [groupAssigners.uniform, 'uniform', { x: ['b-0', 'b-1', 'b-2'], y: ['a-0', 'a-1', 'a-2'] }],
  ])("have Kafka's names and need no metadata", (assigner, name, expected) => {
    expect(assigner.name).toBe(name)
    expect(assigner.metadata(['a'])).toHaveLength(0)
    expect(show(assigner.assign(input))).toEqual(expected)
  })
})
