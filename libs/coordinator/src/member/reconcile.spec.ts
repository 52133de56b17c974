import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { OwnedPartition, SyncResult, TopicPartition } from '../types.js'
import { partitionName } from '../partition-name.js'
import { reconcile, type Holding } from './reconcile.js'

const partition = (number: number): TopicPartition => ({ topic: 't', topicId: 'id', partition: number })
const owned = (number: number, grant: number): OwnedPartition => ({ ...partition(number), grant })

/** What a member had, and what the group answered: partitions as [number, grant]. */
interface Case {
  readonly had?: readonly (readonly [number, number])[]
  readonly revoking?: readonly (readonly [number, number])[]
  readonly target?: readonly number[]
  readonly confirmed?: readonly (readonly [number, number])[]
  readonly granted?: readonly (readonly [number, number])[]
  readonly waiting?: readonly number[]
  readonly epochs?: readonly [number, number]
}

function holding({ had = [], revoking = [] }: Case): Holding {
  return {
    owned: had.map(([number, grant]) => owned(number, grant)),
    revoking: new Map(revoking.map(([number, grant]) => [partitionName(partition(number)), grant])),
  }
}

function answer({ target = [], confirmed = [], granted = [], waiting = [], epochs = [5, 5] }: Case): SyncResult {
  const given = granted.map(([number, grant]) => ({ ...owned(number, grant), committed: null }))
  return {
    epoch: epochs[0],
    assignmentEpoch: epochs[1],
    assign: false,
    nextExpiry: 1000,
    leaderId: 'leader',
    assigner: 'range',
    target: target.map(partition),
    owned: [...confirmed.map(([number, grant]) => owned(number, grant)), ...given],
    granted: given,
    waiting: waiting.map(partition),
  }
}

function outcome(input: Case) {
  const { owned: next, lost, revoke, assigned, waiting, settled } = reconcile(holding(input), answer(input))
  const pairs = (partitions: Iterable<OwnedPartition>): string[] =>
    [...partitions].map(({ partition: number, grant }) => `${number}@${grant}`).sort()
  return {
    owned: pairs(next.values()),
    lost: pairs(lost),
    revoke: pairs(revoke),
    assigned: pairs(assigned),
    waiting: [...waiting].sort(),
    settled,
  }
}

const nothing = { owned: [], lost: [], revoke: [], assigned: [], waiting: [], settled: false }

describe('reconcile', () => {
  const cases: [string, Case, Partial<ReturnType<typeof outcome>>][] = [
    ['nothing is wanted, nothing is owned: settled', {}, { settled: true }],
    [
      'what is free is given',
      {
        target: [0, 1],
        granted: [
          [0, 1],
          [1, 2],
        ],
      },
      { owned: ['0@1', '1@2'], assigned: ['0@1', '1@2'], settled: true },
    ],
    [
      'what others hold is waited for',
      { target: [0, 1], granted: [[0, 1]], waiting: [1] },
      { owned: ['0@1'], assigned: ['0@1'], waiting: ['id:1'] },
    ],
    [
      'what is to go to others is revoked, and owned until it is let go of',
      {
        had: [
          [0, 1],
          [1, 2],
        ],
        confirmed: [
          [0, 1],
          [1, 2],
        ],
        target: [0],
      },
      { owned: ['0@1', '1@2'], revoke: ['1@2'] },
    ],
    [
      'what is being revoked is not revoked again',
      {
        had: [
          [0, 1],
          [1, 2],
        ],
        revoking: [[1, 2]],
        confirmed: [
          [0, 1],
          [1, 2],
        ],
        target: [0],
      },
      { owned: ['0@1', '1@2'] },
    ],
    [
      'what is being revoked is not settled although the target gives it back',
      { had: [[0, 1]], revoking: [[0, 1]], confirmed: [[0, 1]], target: [0] },
      { owned: ['0@1'] },
    ],
    [
      'what the group does not confirm is lost',
      {
        had: [
          [0, 1],
          [1, 2],
        ],
        confirmed: [[0, 1]],
        target: [0],
      },
      { owned: ['0@1'], lost: ['1@2'], settled: true },
    ],
    [
      'what has another grant was lost and is given anew',
      { had: [[0, 1]], target: [0], granted: [[0, 9]] },
      { owned: ['0@9'], lost: ['0@1'], assigned: ['0@9'], settled: true },
    ],
    [
      'what was lost while it was being revoked, and is given anew, is owned',
      { had: [[0, 1]], revoking: [[0, 1]], target: [0], granted: [[0, 9]] },
      { owned: ['0@9'], lost: ['0@1'], assigned: ['0@9'], settled: true },
    ],
    [
      'what is given anew and unwanted again waits until its first revocation is over',
      { had: [[0, 9]], revoking: [[0, 1]], confirmed: [[0, 9]], target: [] },
      { owned: ['0@9'] },
    ],
    [
      'the target of an older epoch is not settled',
      { had: [[0, 1]], confirmed: [[0, 1]], target: [0], epochs: [6, 5] },
      { owned: ['0@1'] },
    ],
    [
      'what the group believes to be its own and it does not know of is not its own',
      { target: [0], confirmed: [[0, 1]] },
      {},
    ],
  ]

  it.each(cases)('%s', (_, input, expected) => {
    expect(outcome(input)).toEqual({ ...nothing, ...expected })
  })

  const numbers = fc.uniqueArray(fc.nat(5))
  const pairs = fc.uniqueArray(fc.tuple(fc.nat(5), fc.nat(3)), { selector: ([number]) => number })
  const anyCase = fc
    .record({ had: pairs, revoking: pairs, target: numbers, confirmed: pairs, granted: pairs, waiting: numbers })
    .map((input): Case => {
      const confirmed = input.confirmed.filter(([number]) => !input.granted.some(([other]) => other === number))
      // A grant is greater than all before it.
      return { ...input, confirmed, granted: input.granted.map(([number, grant]) => [number, grant + 10] as const) }
    })

  it('leaves every partition that was owned owned or lost, and tells of every one that is new', () => {
    fc.assert(
      fc.property(anyCase, (input) => {
        const before = outcome({ ...input, target: [] })
        const had = (input.had ?? []).map(([number, grant]) => `${number}@${grant}`)
        const kept = before.owned.filter((one) => had.includes(one))
        expect([...kept, ...before.lost].sort()).toEqual([...had].sort())
        expect([...kept, ...before.assigned].sort()).toEqual(before.owned)
      }),
    )
  })

  it('revokes only what is owned, not wanted, and not being revoked', () => {
    fc.assert(
      fc.property(anyCase, (input) => {
        const { owned: next, revoke } = outcome(input)
        const number = (one: string): number => Number(one.split('@')[0])
        const expected = next.filter(
          (one) => !input.target?.includes(number(one)) && !input.revoking?.some(([other]) => other === number(one)),
        )
        expect(revoke).toEqual(expected)
      }),
    )
  })

  it('is settled only when exactly the target is owned', () => {
    fc.assert(
      fc.property(anyCase, (input) => {
        const { owned: next, settled } = outcome(input)
        const isTarget =
          next.map((one) => Number(one.split('@')[0])).join() === [...(input.target ?? [])].sort((a, b) => a - b).join()
        const isHeldUp = next.some((one) => input.revoking?.some(([number, grant]) => one === `${number}@${grant}`))
        expect(settled).toBe(isTarget && !isHeldUp)
      }),
    )
  })
})
