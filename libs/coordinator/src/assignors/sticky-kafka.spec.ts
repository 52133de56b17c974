import { describe, expect, it } from '@jest/globals'
import type { Owners } from '../../spec-support/assignor-groups.js'
import { factsOf, kafkaAssignments, movesOf, parseOwners, unevenness } from '../../spec-support/assignor-groups.js'
import type { TargetAssignment, TopicPartition } from '../types.js'
import type { AssignorInput } from './assignor.js'
import { sticky } from './sticky.js'

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** A group after a change, and what Kafka's assignors made of it: cooperative-sticky (run until nothing moves), uniform. */
interface Step {
  readonly members: AssignorInput['members']
  readonly topics: AssignorInput['topics']
  readonly kafka: readonly [TargetAssignment, TargetAssignment]
}

/** What one assignor did in one step. */
interface Score {
  readonly moves: number
  readonly unevenness: number
}

const histories = readHistories()
const nothing: TargetAssignment = new Map()

describe("sticky and Kafka's cooperative-sticky and uniform, on the same histories", () => {
  it('have histories to compare: members that come, go and change their minds, and partitions that are added', () => {
    expect(histories).toHaveLength(32)
    expect(histories.flat().length).toBeGreaterThan(600)
  })

  it.each([
    ['cooperative-sticky', 0],
    ['uniform', 1],
  ] as const)("from %s's own assignment, is never less even, and never moves more for what is as even", (_, column) => {
    const worse = histories.flatMap((history, number) =>
      history.flatMap(({ members, topics, kafka }, i) => {
        const input = { members, topics, previous: history[i - 1]?.kafka[column] ?? nothing }
        const ours = score(input, sticky(input))
        const theirs = score(input, kafka[column])
        const isAsGood =
          ours.unevenness < theirs.unevenness || (ours.unevenness === theirs.unevenness && ours.moves <= theirs.moves)
        return isAsGood ? [] : [{ history: number, step: i, ours, theirs }]
      }),
    )
    expect(worse).toEqual([])
  })

  it('by itself, is never less even at any step, and moves less in all', () => {
    const total = { ours: 0, cooperativeSticky: 0, uniform: 0 }
    for (const history of histories) {
      let previous = nothing
      for (const [i, { members, topics, kafka }] of history.entries()) {
        const target = sticky({ members, topics, previous })
        const ours = score({ members, topics, previous }, target)
        const [cooperativeSticky, uniform] = [0, 1].map((column) => {
          const before = history[i - 1]?.kafka[column] ?? nothing
          return score({ members, topics, previous: before }, kafka[column] ?? nothing)
        })
        previous = target
        expect(ours.unevenness).toBeLessThanOrEqual(cooperativeSticky?.unevenness ?? 0)
        expect(ours.unevenness).toBeLessThanOrEqual(uniform?.unevenness ?? 0)
        total.ours += ours.moves
        total.cooperativeSticky += cooperativeSticky?.moves ?? 0
        total.uniform += uniform?.moves ?? 0
      }
    }
    expect(total.ours).toBeLessThan(total.cooperativeSticky)
    expect(total.ours).toBeLessThan(total.uniform)
  })
})

const score = (input: AssignorInput, target: TargetAssignment): Score => ({
  moves: movesOf(input, target),
  unevenness: unevenness(target),
})

function readHistories(): Step[][] {
  const all: Step[][] = []
  let counts: number[] = []
  let members = new Map<string, { topics: string[]; instanceId: null }>()
  for (const [kind = '', subject = '', object = '', ...owners] of kafkaAssignments('sticky.txt')) {
    if (kind === '#') {
      counts = subject.split(',').map(Number)
      members = new Map()
      all.push([])
      continue
    }
    if (kind === 'partitions') counts[Number(subject)] = Number(object)
    else if (kind === 'leave') members.delete(memberId(subject))
    else members.set(memberId(subject), { topics: object.split(',').map((topic) => `t${topic}`), instanceId: null })
    const ids = [...members.keys()]
    const [cooperativeSticky, uniform] = [0, 1].map((column) =>
      targetOf(
        ids,
        parseOwners(owners[column] ?? '', counts, (digit) => memberId(String(DIGITS.indexOf(digit)))),
      ),
    )
    const topics = new Map(counts.map((count, i) => [`t${i}`, factsOf(`t${i}`, count)]))
    all.at(-1)?.push({ members: new Map(members), topics, kafka: [cooperativeSticky ?? nothing, uniform ?? nothing] })
  }
  return all
}

/** Sorted otherwise than they joined, by the same rule as in kafka-assignments.java. */
function memberId(number: string): string {
  return `m${((Number(number) * 2654435761 + 97) % 2 ** 24).toString(16)}`
}

function targetOf(ids: readonly string[], owners: Owners): TargetAssignment {
  const target = new Map<string, TopicPartition[]>(ids.map((id) => [id, []]))
  for (const [name, owner] of owners) {
    const [topic = '', partition] = name.split('-')
    target.get(owner)?.push({ topic, topicId: `id of ${topic}`, partition: Number(partition) })
  }
  return target
}
