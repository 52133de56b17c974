import { groupState } from '@rivulet/coordinator'
import type { GroupSnapshot, GroupState, GroupStore, MemberRecord, OwnedPartition } from '@rivulet/coordinator'
import { KafkaError } from '@rivulet/protocol'
import { AssignerProtocol } from '../consumer/assigners/assigner-protocol.js'
import { KafkaJSDeleteGroupsError, toKafkaJSError } from '../errors.js'
import type {
  Assignment,
  ConsumerGroupState,
  DeleteGroupsResult,
  GroupDescription,
  GroupOverview,
  MemberDescription,
} from '../types.js'
import { changeEach } from './progress.js'
import type { Progress } from './progress.js'

/** The names that kafkajs knows: those of groups that rebalance all at once. */
const KAFKAJS_STATES: Readonly<Record<GroupState, ConsumerGroupState>> = {
  Empty: 'Empty',
  Assigning: 'PreparingRebalance',
  Reconciling: 'CompletingRebalance',
  Stable: 'Stable',
  Dead: 'Dead',
}

const PROTOCOL_TYPE = 'consumer'

const noData = Buffer.alloc(0)

/** All groups, by their ids. */
export async function listGroups(groups: GroupStore): Promise<{ groups: GroupOverview[] }> {
  const groupIds = await groups.list()
  return { groups: groupIds.map((groupId) => ({ groupId, protocolType: PROTOCOL_TYPE })) }
}

/** The state of a group, as kafkajs names it. */
export const kafkajsState = (snapshot: GroupSnapshot | null): ConsumerGroupState => KAFKAJS_STATES[groupState(snapshot)]

/** A group as kafkajs shows it; one that does not exist is dead. */
export async function describeGroup(groups: GroupStore, groupId: string): Promise<GroupDescription> {
  const snapshot = await groups.snapshot(groupId)
  const members = snapshot === null ? [] : [...snapshot.members].map((member) => toMember(snapshot, ...member))
  const description = {
    // kafkajs's types do not name it, but it is there.
    errorCode: 0,
    groupId,
    state: kafkajsState(snapshot),
    protocolType: snapshot === null ? '' : PROTOCOL_TYPE,
    protocol: snapshot === null || members.length === 0 ? '' : snapshot.assigner,
    members,
  }
  return description
}

function toMember(snapshot: GroupSnapshot, memberId: string, record: MemberRecord): MemberDescription {
  return {
    memberId,
    clientId: record.clientId,
    clientHost: record.clientHost,
    memberMetadata: metadataOf(record, snapshot.assigner),
    memberAssignment: assignmentOf(snapshot.owned.get(memberId) ?? []),
  }
}

/** What the member told the assigner. Rivulet's own assigners are told nothing but the topics, which stand beside it. */
function metadataOf({ assigners, topics }: MemberRecord, assigner: string): Buffer {
  const told = Buffer.from(assigners.find(({ name }) => name === assigner)?.metadata ?? '', 'base64')
  if (told.length > 0) return told
  return AssignerProtocol.MemberMetadata.encode({ version: 0, topics: [...topics], userData: noData })
}

/** What the member owns now. While the group reconciles that is not yet what it shall own. */
function assignmentOf(owned: readonly OwnedPartition[]): Buffer {
  const assignment: Assignment = {}
  for (const { topic, partition } of owned.toSorted(byTopicAndPartition)) (assignment[topic] ??= []).push(partition)
  return AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData: noData })
}

const byTopicAndPartition = (a: OwnedPartition, b: OwnedPartition): number =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1

/**
 * Deletes the groups that can be deleted, and their offsets.
 *
 * @throws KafkaJSDeleteGroupsError with an error for each group that could not be deleted
 */
export async function deleteGroups(
  groups: Pick<GroupStore, 'delete'>,
  groupIds: readonly string[],
  progress: Progress,
): Promise<DeleteGroupsResult[]> {
  const failures = await changeEach(progress, groupIds, async (groupId, inDoubt) => {
    try {
      await groups.delete(groupId)
    } catch (error) {
      if (inDoubt && error instanceof KafkaError && error.type === 'GROUP_ID_NOT_FOUND') return
      throw error
    }
  })
  const again = failures.find(({ error }) => error.retriable)
  if (again !== undefined) throw again.error
  if (failures.length > 0) throw toDeleteGroupsError(failures, groupIds)
  return groupIds.map((groupId) => ({ groupId, errorCode: 0 }))
}

/** The failures in the order in which the groups were named. */
function toDeleteGroupsError(
  failures: readonly { readonly name: string; readonly error: KafkaError }[],
  groupIds: readonly string[],
): KafkaJSDeleteGroupsError {
  const errors = new Map(failures.map(({ name, error }) => [name, error]))
  return new KafkaJSDeleteGroupsError(
    'Error while deleting groups',
    groupIds.flatMap((groupId) => {
      const error = errors.get(groupId)
      return error === undefined ? [] : [{ groupId, errorCode: error.code, error: toKafkaJSError(error) }]
    }),
  )
}
