import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  arbitraryInput,
  factsOf,
  makeInput,
  movesOf,
  nameOf,
  ownersOf,
  reversed,
  show,
  subscribersOf,
  unevenness,
} from '../../spec-support/assignor-groups.js'
import type { TargetAssignment } from '../types.js'
import type { AssignorInput } from './assignor.js'
import { sticky } from './sticky.js'

const loadsOf = (target: TargetAssignment): number[] => [...target.values()].map(({ length }) => length)

describe('sticky', () => {
  const alike = arbitraryInput({ alike: true })
  const different = arbitraryInput({ alike: false })
  const inputs = fc.oneof(alike, different)

  it('gives each partition to one of its subscribers, and each member an entry', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const target = sticky(input)
        const subscribers = subscribersOf(input)
        const owners = ownersOf(target)
        expect([...owners.keys()].toSorted()).toEqual([...subscribers.keys()].toSorted())
        for (const [name, owner] of owners) expect(subscribers.get(name)).toContain(owner)
        expect([...target.keys()].toSorted()).toEqual([...input.members.keys()].toSorted())
      }),
      { numRuns: 300 },
    )
  })

  it('keeps loads within one of each other where subscriptions are equal', () => {
    fc.assert(
      fc.property(alike, (input) => {
        const loads = loadsOf(sticky(input))
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('does not depend on the order of what it is given', () => {
    fc.assert(fc.property(inputs, (input) => expect(show(sticky(reversed(input)))).toEqual(show(sticky(input)))))
  })

  it('moves nothing when nothing has changed', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const target = sticky(input)
        expect(show(sticky({ ...input, previous: target }))).toEqual(show(target))
      }),
    )
  })

  it('moves no partition to a member that has more than the one it was taken from', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const target = sticky(input)
        const owners = ownersOf(target)
        const subscribers = subscribersOf(input)
        const loadOf = (memberId = ''): number => target.get(memberId)?.length ?? 0
        for (const [name, before] of ownersOf(input.previous)) {
          if (subscribers.get(name)?.includes(before) !== true || owners.get(name) === before) continue
          expect(loadOf(owners.get(name))).toBeLessThanOrEqual(loadOf(before))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is as even as any assignment, and of those moves as little as any', () => {
    const groups = arbitraryInput({ alike: false, mostTopics: 4, mostPartitions: 3, mostMembers: 4 })
    const assignments = (input: AssignorInput): number =>
      [...subscribersOf(input).values()].reduce((all, { length }) => all * length, 1)
    fc.assert(
      fc.property(
        groups.filter((input) => assignments(input) < 2000),
        (input) => {
          const target = sticky(input)
          expect({ unevenness: unevenness(target), moves: movesOf(input, target) }).toEqual(bestOf(input))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('hands on through a third member where two share no topic', () => {
    const members = { x: ['a', 'b'], y: ['b', 'c'], z: ['c'] }
    const previous = { x: ['b-0', 'b-1', 'a-0', 'a-1'], y: ['c-0', 'c-1'], z: [] }
    const input = makeInput({ topics: { a: 2, b: 2, c: 2 }, members, previous })
    const target = sticky(input)
    expect(loadsOf(target)).toEqual([2, 2, 2])
    expect(movesOf(input, target)).toBe(4)
  })

  it('spreads the partitions of each topic, from the start and when members come', () => {
    const members = (...ids: string[]): Record<string, string[]> =>
      Object.fromEntries(ids.map((id) => [id, ['a', 'b']]))
    const topics = { a: 6, b: 6 }
    const two = sticky(makeInput({ topics, members: members('x', 'y') }))
    const three = sticky({ ...makeInput({ topics, members: members('x', 'y', 'z') }), previous: two })
    for (const [target, each] of [[two, 3] as const, [three, 2] as const]) {
      for (const partitions of target.values()) {
        expect(partitions.filter(({ topic }) => topic === 'a')).toHaveLength(each)
        expect(partitions.filter(({ topic }) => topic === 'b')).toHaveLength(each)
      }
    }
  })

  it('takes no account of owners of a topic that was deleted and made again', () => {
    const input = makeInput({ topics: { a: 4 }, members: { x: ['a'], y: ['a'] }, previous: { y: ['a-0', 'a-1'] } })
    const remade = new Map([['a', { ...factsOf('a', 4), topicId: 'another' }]])
    const target = sticky({ ...input, topics: remade })
    expect(show(target)).toEqual({ x: ['a-0', 'a-2'], y: ['a-1', 'a-3'] })
    expect([...target.values()].flat().every(({ topicId }) => topicId === 'another')).toBe(true)
  })

  it('leaves a partition that two claim to one of them', () => {
    const input = makeInput({ topics: { a: 2 }, members: { x: ['a'], y: ['a'] }, previous: { x: ['a-0'], y: ['a-0'] } })
    expect(show(sticky(input))).toEqual({ x: ['a-0'], y: ['a-1'] })
  })

  it('counts a topic once that a member names twice', () => {
    const input = makeInput({ topics: { a: 3 }, members: { x: ['a', 'a'], y: ['a'] } })
    expect(show(sticky(input))).toEqual({ x: ['a-0', 'a-2'], y: ['a-1'] })
  })

  it('gives nothing where there is nothing', () => {
    expect(show(sticky(makeInput({ topics: {}, members: {} })))).toEqual({})
    expect(show(sticky(makeInput({ topics: { a: 2 }, members: {} })))).toEqual({})
    expect(show(sticky(makeInput({ topics: {}, members: { x: ['gone'] } })))).toEqual({ x: [] })
  })

  it('moves only what 250 newcomers among 500 members and 10,000 partitions must get', () => {
    const topics = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`t${i}`, 100]))
    const ids = Array.from({ length: 500 }, (_, i) => `m${(i * 7919) % 1000}`)
    const group = (members: readonly string[]): AssignorInput =>
      makeInput({ topics, members: Object.fromEntries(members.map((id) => [id, Object.keys(topics)])) })
    const half = sticky(group(ids.slice(0, 250)))
    const target = sticky({ ...group(ids), previous: half })
    expect(new Set(loadsOf(target))).toEqual(new Set([20]))
    const kept = new Map([...half].map(([id, partitions]) => [id, new Set(partitions.map(nameOf))]))
    const moved = [...target].flatMap(([id, partitions]) =>
      partitions.filter((partition) => kept.get(id)?.has(nameOf(partition)) !== true),
    )
    expect(moved).toHaveLength(5000)
  })
})

/** The best of all assignments that there are. */
function bestOf(input: AssignorInput): { unevenness: number; moves: number } {
  const partitions = [...subscribersOf(input)]
  const before = ownersOf(input.previous)
  const loads = new Map([...input.members.keys()].map((memberId) => [memberId, 0]))
  let best = { unevenness: Infinity, moves: Infinity }
  const visit = (index: number, moves: number): void => {
    const partition = partitions[index]
    if (partition === undefined) {
      const now = [...loads.values()].reduce((sum, load) => sum + load ** 2, 0)
      if (now < best.unevenness || (now === best.unevenness && moves < best.moves)) best = { unevenness: now, moves }
      return
    }
    const [name, subscribers] = partition
    const owner = before.get(name)
    for (const memberId of subscribers) {
      const load = loads.get(memberId) ?? 0
      loads.set(memberId, load + 1)
      visit(index + 1, moves + (owner !== undefined && subscribers.includes(owner) && owner !== memberId ? 1 : 0))
      loads.set(memberId, load)
    }
  }
  visit(0, 0)
  return best
}
