import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  arbitraryInput,
  kafkaAssignments,
  makeInput,
  ownersOf,
  parseOwners,
  reversed,
  show,
  subscribersOf,
} from '../../spec-support/assignor-groups.js'
import type { AssignorInput } from './assignor.js'
import { range } from './range.js'
import { roundRobin } from './round-robin.js'

describe('range', () => {
  it('cuts each topic into runs, the first ones longer', () => {
    const input = makeInput({ topics: { a: 7, b: 2 }, members: { x: ['a', 'b'], y: ['a', 'b'], z: ['a', 'b'] } })
    expect(show(range(input))).toEqual({ x: ['a-0', 'a-1', 'a-2', 'b-0'], y: ['a-3', 'a-4', 'b-1'], z: ['a-5', 'a-6'] })
  })

  it('gives the same partitions of topics of one size to the same member', () => {
    const members = { x: ['a', 'b'], y: ['a', 'b'], z: ['a', 'b'] }
    for (const partitions of range(makeInput({ topics: { a: 8, b: 8 }, members })).values()) {
      const ofA = partitions.filter(({ topic }) => topic === 'a').map(({ partition }) => partition)
      expect(partitions.filter(({ topic }) => topic === 'b').map(({ partition }) => partition)).toEqual(ofA)
    }
  })

  it('takes static members first, by their instance ids', () => {
    const members = { a: ['t'], b: { topics: ['t'], instanceId: 'i2' }, c: { topics: ['t'], instanceId: 'i1' } }
    expect(show(range(makeInput({ topics: { t: 3 }, members })))).toEqual({ c: ['t-0'], b: ['t-1'], a: ['t-2'] })
  })
})

describe('round robin', () => {
  it('deals all partitions, topic by topic, in turn', () => {
    const input = makeInput({ topics: { b: 3, a: 2 }, members: { y: ['a', 'b'], x: ['b', 'a'] } })
    expect(show(roundRobin(input))).toEqual({ x: ['a-0', 'b-0', 'b-2'], y: ['a-1', 'b-1'] })
  })

  it('passes over members that do not subscribe to a topic', () => {
    const input = makeInput({ topics: { a: 1, b: 2, c: 3 }, members: { x: ['a'], y: ['a', 'b'], z: ['a', 'b', 'c'] } })
    expect(show(roundRobin(input))).toEqual({ x: ['a-0'], y: ['b-0'], z: ['b-1', 'c-0', 'c-1', 'c-2'] })
  })
})

describe.each([
  ['range', range, 0],
  ['roundrobin', roundRobin, 1],
] as const)("%s and Kafka's of that name", (_, assignor, column) => {
  it.each(kafkaAssignments('range-round-robin.txt').map((words) => [words.slice(0, -2).join(' '), words] as const))(
    'have one result for %s',
    (_name, words) => {
      const { input, counts } = parseGroup(words)
      const ids = [...input.members.keys()]
      const theirs = parseOwners(words.at(column - 2) ?? '', counts, (digit) => ids[Number(digit)] ?? '')
      expect(new Map(ownersOf(assignor(input)))).toEqual(new Map(theirs))
    },
  )
})

describe.each([
  ['range', range],
  ['round robin', roundRobin],
])('%s', (_, assignor) => {
  const inputs = fc.boolean().chain((alike) => arbitraryInput({ alike }))

  it('gives each partition to one of its subscribers, and each member an entry', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const target = assignor(input)
        const subscribers = subscribersOf(input)
        const owners = ownersOf(target)
        expect([...owners.keys()].toSorted()).toEqual([...subscribers.keys()].toSorted())
        for (const [name, owner] of owners) expect(subscribers.get(name)).toContain(owner)
        expect([...target.keys()].toSorted()).toEqual([...input.members.keys()].toSorted())
      }),
    )
  })

  it('does not depend on the order of what it is given', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        expect(new Map(ownersOf(assignor(reversed(input))))).toEqual(new Map(ownersOf(assignor(input))))
      }),
    )
  })
})

function parseGroup(words: readonly string[]): { input: AssignorInput; counts: number[] } {
  const [topics = '', ...members] = words.slice(0, -2)
  const counts = topics.split(',').map(Number)
  const parsed = members.map((text) => {
    const [, memberId = '', instanceId, wanted = ''] = /^(\w+)(?:@(\w+))?:(.*)$/.exec(text) ?? []
    const names = wanted === '' ? [] : wanted.split(',').map((topic) => `t${topic}`)
    return [memberId, instanceId === undefined ? names : { topics: names, instanceId }] as const
  })
  const input = makeInput({
    topics: Object.fromEntries(counts.map((count, i) => [`t${i}`, count])),
    members: Object.fromEntries(parsed),
  })
  return { input, counts }
}
