import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { AssignorInput } from '../src/assignors/assignor.js'
import type { TargetAssignment, TopicFacts, TopicPartition } from '../src/types.js'

/** Who owns each partition, by "<topic>-<partition>". */
export type Owners = ReadonlyMap<string, string>

export interface GroupOf {
  /** The partitions of each topic. */
  readonly topics: Readonly<Record<string, number>>
  /** The topics of each member, and its instance id where it has one. */
  readonly members: Readonly<Record<string, readonly string[] | { topics: readonly string[]; instanceId: string }>>
  readonly previous?: Readonly<Record<string, readonly string[]>>
}

export function makeInput({ topics, members, previous = {} }: GroupOf): AssignorInput {
  const facts = new Map(Object.entries(topics).map(([topic, partitions]) => [topic, factsOf(topic, partitions)]))
  return {
    members: new Map(
      Object.entries(members).map(([memberId, member]) => [
        memberId,
        'instanceId' in member ? member : { topics: member, instanceId: null },
      ]),
    ),
    topics: facts,
    previous: new Map(Object.entries(previous).map(([memberId, names]) => [memberId, names.map(parsePartition)])),
  }
}

export const factsOf = (topic: string, partitions: number): TopicFacts => ({
  topic,
  topicId: `id of ${topic}`,
  partitions,
})

function parsePartition(name: string): TopicPartition {
  const [topic = '', partition] = name.split('-')
  return { topic, topicId: `id of ${topic}`, partition: Number(partition) }
}

export const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

/** A target as it is easily read. */
export function show(target: TargetAssignment): Record<string, string[]> {
  return Object.fromEntries([...target].map(([memberId, partitions]) => [memberId, partitions.map(nameOf)]))
}

/** @throws where two members own a partition */
export function ownersOf(target: TargetAssignment): Owners {
  const owners = new Map<string, string>()
  for (const [memberId, partitions] of target) {
    for (const name of partitions.map(nameOf)) {
      if (owners.has(name)) throw new Error(`${owners.get(name)} and ${memberId} both own ${name}`)
      owners.set(name, memberId)
    }
  }
  return owners
}

/** All partitions that a member subscribes to, each with its subscribers. */
export function subscribersOf({ members, topics }: AssignorInput): ReadonlyMap<string, readonly string[]> {
  const all = [...topics.values()].flatMap(({ topic, partitions }) => {
    const subscribers = [...members].flatMap(([memberId, member]) => (member.topics.includes(topic) ? [memberId] : []))
    return Array.from({ length: partitions }, (_, partition) => [`${topic}-${partition}`, subscribers] as const)
  })
  return new Map(all.filter(([, subscribers]) => subscribers.length > 0))
}

/** How uneven a target is: the sum of the squares of the members' loads. */
export const unevenness = (target: TargetAssignment): number =>
  [...target.values()].reduce((sum, { length }) => sum + length ** 2, 0)

/** How many partitions of members that could have kept them are with others now. */
export function movesOf(input: AssignorInput, target: TargetAssignment): number {
  const subscribers = subscribersOf(input)
  const owners = ownersOf(target)
  return [...ownersOf(input.previous)].filter(
    ([name, before]) => subscribers.get(name)?.includes(before) === true && owners.get(name) !== before,
  ).length
}

export interface ArbitraryGroup {
  readonly alike: boolean
  readonly mostTopics?: number
  readonly mostPartitions?: number
  readonly mostMembers?: number
}

/** Groups with a previous assignment, in part of members that are gone or unsubscribed, and of partitions that never were. */
export function arbitraryInput(options: ArbitraryGroup): fc.Arbitrary<AssignorInput> {
  const { alike, mostTopics = 5, mostPartitions = 12, mostMembers = 8 } = options
  return fc
    .array(fc.nat(mostPartitions), { minLength: 1, maxLength: mostTopics })
    .chain((counts) => {
      const names = counts.map((_, i) => `t${i}`)
      const subscription = alike ? fc.constant(names) : fc.subarray(names)
      const partitions = counts.reduce((sum, count) => sum + count + 1, 0)
      return fc.record({
        counts: fc.constant(counts),
        subscriptions: fc.array(subscription, { minLength: 1, maxLength: mostMembers }),
        choices: fc.array(fc.nat(99), { minLength: partitions, maxLength: partitions }),
      })
    })
    .map(({ counts, subscriptions, choices }) => {
      const members = subscriptions.map((topics, i) => [memberName(i), topics] as const)
      const previous = new Map(members.map(([memberId]): [string, string[]] => [memberId, []]))
      const choice = choices.values()
      for (const [i, count] of counts.entries()) {
        const subscribers = members.filter(([, topics]) => topics.includes(`t${i}`)).map(([memberId]) => memberId)
        const others = ['gone', ...members.map(([memberId]) => memberId)]
        for (let partition = 0; partition <= count; partition++) {
          const chosen = choice.next().value ?? 0
          const candidates = chosen < 90 && subscribers.length > 0 ? subscribers : others
          const owner = candidates[chosen % candidates.length] ?? ''
          previous.set(owner, [...(previous.get(owner) ?? []), `t${i}-${partition}`])
        }
      }
      return makeInput({
        topics: Object.fromEntries(counts.map((count, i) => [`t${i}`, count])),
        members: Object.fromEntries(members),
        previous: Object.fromEntries(previous),
      })
    })
}

/** Sorted otherwise than numbered. */
const memberName = (number: number): string => `m${(number * 7) % 11}`

/** The same in another order. */
export function reversed({ members, topics, previous }: AssignorInput): AssignorInput {
  return {
    members: new Map([...members].toReversed()),
    topics: new Map([...topics].toReversed()),
    previous: new Map([...previous].toReversed().map(([id, partitions]) => [id, partitions.toReversed()])),
  }
}

/** The lines of a file of spec-support/kafka-assignments (kafka-assignments.java says what is in them), in words. */
export function kafkaAssignments(file: 'range-round-robin.txt' | 'sticky.txt'): string[][] {
  const text = readFileSync(new URL(`./kafka-assignments/${file}`, import.meta.url), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
}

/** Owners as Kafka's files have them: a character for each partition, topic by topic. */
export function parseOwners(text: string, counts: readonly number[], memberOf: (digit: string) => string): Owners {
  const names = counts.flatMap((count, i) => Array.from({ length: count }, (_, partition) => `t${i}-${partition}`))
  const owners = names.map((name, i) => [name, text.charAt(i)] as const)
  return new Map(owners.filter(([, digit]) => digit !== '-').map(([name, digit]) => [name, memberOf(digit)]))
}
