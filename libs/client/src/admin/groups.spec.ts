import { describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import type { ErrorName } from '@rivulet/protocol'
import { deleteGroups } from './groups.js'
import type { Progress } from './progress.js'

/** Deletes as it is told: each call for a group ends with the next of its outcomes, null is success. */
const scripted = (outcomes: Record<string, (ErrorName | null)[]>) => ({
  delete: async (groupId: string): Promise<void> => {
    const outcome = outcomes[groupId]?.shift() ?? null
    if (outcome !== null) throw new KafkaError(outcome)
  },
})

const typeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'none',
    (error: unknown) => error,
  )

describe('deleting groups', () => {
  it('takes a group that is gone after a lost answer for deleted', async () => {
    const groups = scripted({ b: ['NETWORK_EXCEPTION', 'GROUP_ID_NOT_FOUND'] })
    const progress: Progress = new Map()
    expect(await typeOf(deleteGroups(groups, ['b', 'a'], progress))).toMatchObject({ type: 'NETWORK_EXCEPTION' })
    expect(await deleteGroups(groups, ['b', 'a'], progress)).toEqual([
      { groupId: 'b', errorCode: 0 },
      { groupId: 'a', errorCode: 0 },
    ])
  })

  it('reports no group before those that may yet be deleted were tried again', async () => {
    const groups = scripted({ a: ['GROUP_ID_NOT_FOUND'], b: ['LEADER_NOT_AVAILABLE'], c: ['NON_EMPTY_GROUP'] })
    const progress: Progress = new Map()
    const names = ['c', 'b', 'a']
    expect(await typeOf(deleteGroups(groups, names, progress))).toMatchObject({ type: 'LEADER_NOT_AVAILABLE' })
    expect(await typeOf(deleteGroups(groups, names, progress))).toMatchObject({
      name: 'KafkaJSDeleteGroupsError',
      groups: [
        { groupId: 'c', errorCode: 68 },
        { groupId: 'a', errorCode: 69 },
      ],
    })
  })
})
