import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { RedisGroupStore } from '@rivulet/coordinator'
import type { MemberRecord, TopicPartition } from '@rivulet/coordinator'
import type { Topic } from '@rivulet/storage'
import { TestStorage, testRedisUrl, uniqueNamespace, waitFor } from '@rivulet/testing'
import { Kafka, logLevel } from '../index.js'
import type { LogEntry, MemberDescription } from '../types.js'
import { AssignerProtocol } from '../consumer/assigners/assigner-protocol.js'

const { MemberMetadata, MemberAssignment } = AssignerProtocol

const namespace = uniqueNamespace('admin-groups')
const entries: LogEntry[] = []
const kafka = new Kafka({
  brokers: [testRedisUrl()],
  namespace,
  logLevel: logLevel.WARN,
  logCreator: () => (entry) => entries.push(entry),
})
const admin = kafka.admin()
let test: TestStorage
let groups: RedisGroupStore

beforeAll(async () => {
  test = await TestStorage.open({ namespace })
  groups = new RedisGroupStore(test.storage)
  await admin.connect()
})
afterAll(async () => {
  await admin.disconnect()
  await test.close()
})

let counter = 0
const uniqueGroup = (): string => `{group}: ${counter++}`

const errorOf = (call: Promise<unknown>): Promise<unknown> => call.then(String, (error: unknown) => error)

interface Join {
  readonly metadata?: Buffer
  readonly sessionTimeout?: number
  readonly clientId?: string
}

const recordOf = (
  topics: readonly Topic[],
  { metadata, sessionTimeout = 30_000, clientId = 'shop' }: Join = {},
): MemberRecord => ({
  clientId,
  clientHost: '/here',
  instanceId: null,
  topics: topics.map(({ name }) => name),
  assigners: [{ name: 'mine', metadata: metadata?.toString('base64') ?? '' }],
  sessionTimeout,
  rebalanceTimeout: 60_000,
})

const sync = (
  groupId: string,
  memberId: string,
  topics: readonly Topic[],
  record: MemberRecord | null,
  sessionTimeout = 30_000,
) =>
  groups.sync(groupId, {
    memberId,
    epoch: 0,
    assignmentEpoch: 0,
    sessionTimeout,
    stallAfter: 60_000,
    record,
    raiseEpoch: false,
    topics: topics.map(({ name, id, partitions }) => ({ topic: name, topicId: id, partitions: partitions.length })),
    owned: [],
    release: [],
  })

const assign = async (
  groupId: string,
  epoch: number,
  topics: readonly Topic[],
  target: Record<string, readonly TopicPartition[]>,
) => {
  const installed = await groups.install(groupId, epoch, {
    assigner: 'mine',
    leaderId: Object.keys(target)[0] ?? '',
    target: new Map(Object.entries(target)),
    topics: topics.map(({ name, id, partitions }) => ({ topic: name, topicId: id, partitions: partitions.length })),
    protocols: ['mine'],
  })
  expect(installed).toBe(true)
}

/** A group whose only member, 'm', owns all partitions of the topics. */
const groupReading = async (topics: readonly Topic[], join: Join = {}): Promise<string> => {
  const groupId = uniqueGroup()
  const { epoch } = await sync(groupId, 'm', topics, recordOf(topics, join), join.sessionTimeout)
  await assign(groupId, epoch, topics, { m: topics.flatMap(({ partitions }) => partitions) })
  await sync(groupId, 'm', topics, null, join.sessionTimeout)
  return groupId
}

const described = async (groupId: string) => {
  const [group] = (await admin.describeGroups([groupId])).groups
  if (group === undefined) throw new Error(`Group ${groupId} is not described`)
  return group
}

const decode = ({ memberMetadata, memberAssignment }: MemberDescription) => ({
  metadata: MemberMetadata.decode(memberMetadata),
  assignment: MemberAssignment.decode(memberAssignment),
})

const noData = Buffer.alloc(0)

describe('describing a group', () => {
  it('shows what happens to it by the names of kafkajs', async () => {
    const topic = await test.createTopic({}, 2)
    const [first, second] = topic.partitions
    if (first === undefined || second === undefined) throw new Error('The topic has too few partitions')
    const groupId = uniqueGroup()
    const joined = await sync(groupId, 'm', [topic], recordOf([topic]))
    expect(await described(groupId)).toMatchObject({
      state: 'PreparingRebalance',
      protocol: '',
      protocolType: 'consumer',
    })
    await assign(groupId, joined.epoch, [topic], { m: [first, second] })
    const waiting = await described(groupId)
    expect(waiting).toMatchObject({ state: 'CompletingRebalance', protocol: 'mine' })
    expect(waiting.members.map(decode)).toEqual([
      {
        metadata: { version: 0, topics: [topic.name], userData: noData },
        assignment: { version: 0, assignment: {}, userData: noData },
      },
    ])
    await sync(groupId, 'm', [topic], null)
    const settled = await described(groupId)
    expect(settled).toMatchObject({
      state: 'Stable',
      members: [{ memberId: 'm', clientId: 'shop', clientHost: '/here' }],
    })
    expect(settled.members.map(decode)).toMatchObject([{ assignment: { assignment: { [topic.name]: [0, 1] } } }])
    await groups.leave(groupId, 'm')
    expect(await described(groupId)).toMatchObject({ state: 'Empty', protocol: '', members: [] })
  })

  it("gives an application's assigner's metadata back as it was", async () => {
    const topic = await test.createTopic()
    const metadata = MemberMetadata.encode({ version: 7, topics: ['any'], userData: Buffer.from('mine') })
    const groupId = await groupReading([topic], { metadata })
    expect((await described(groupId)).members[0]?.memberMetadata).toEqual(metadata)
  })

  it('leaves out members whose session has expired, so that offsets can be set and the group deleted', async () => {
    const topic = await test.createTopic()
    const groupId = await groupReading([topic], { sessionTimeout: 100 })
    await waitFor(async () => (await described(groupId)).state === 'Empty', { what: 'the session to expire' })
    await admin.setOffsets({ groupId, topic: topic.name, partitions: [{ partition: 0, offset: '1' }] })
    expect(await admin.deleteGroups([groupId])).toEqual([{ groupId, errorCode: 0 }])
  })

  it('keeps the order of the names', async () => {
    const [a, b] = [uniqueGroup(), await groupReading([await test.createTopic()])]
    const names = async (...groupIds: string[]) =>
      (await admin.describeGroups(groupIds)).groups.map(({ groupId }) => groupId)
    expect(await names(a, b, a)).toEqual([a, b, a])
    expect(await names(b, a)).toEqual([b, a])
  })
})

describe("a group's offsets", () => {
  it('keep their metadata when those that are not set are resolved', async () => {
    const topic = await test.createTopic({}, 2)
    const groupId = uniqueGroup()
    const commit = { ...topic.partitions[0], topic: topic.name, topicId: topic.id, partition: 0, offset: 4 }
    await groups.commit(groupId, null, [{ ...commit, leaderEpoch: null, metadata: 'mark', grant: 0 }])
    const resolved = [
      {
        topic: topic.name,
        partitions: [
          { partition: 0, offset: '4', metadata: 'mark' },
          { partition: 1, offset: '0', metadata: null },
        ],
      },
    ]
    expect(await admin.fetchOffsets({ groupId, topics: [topic.name], resolveOffsets: true })).toEqual(resolved)
    expect(await admin.fetchOffsets({ groupId })).toEqual(resolved)
  })

  it('come in the order of topics and partitions where no topics are named', async () => {
    const topics = [await test.createTopic({}, 12), await test.createTopic()]
    const groupId = uniqueGroup()
    for (const { name, partitions } of topics) {
      const seeks = partitions.map(({ partition }) => ({ partition, offset: '1' })).toReversed()
      await admin.setOffsets({ groupId, topic: name, partitions: seeks })
    }
    const offsets = await admin.fetchOffsets({ groupId })
    expect(offsets.map(({ topic }) => topic)).toEqual(topics.map(({ name }) => name).toSorted())
    const numbers = offsets.find(({ topic }) => topic === topics[0]?.name)?.partitions.map(({ partition }) => partition)
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, index) => index))
  })

  it('are not set where there is no such partition, which the log tells', async () => {
    const topic = await test.createTopic()
    const groupId = uniqueGroup()
    entries.length = 0
    await admin.setOffsets({ groupId, topic: topic.name, partitions: [{ partition: 5, offset: '1' }] })
    expect(await admin.fetchOffsets({ groupId })).toEqual([])
    expect(entries).toMatchObject([{ namespace: 'Admin', log: { topic: topic.name, partition: 5 } }])
  })

  it.each([
    ['a negative offset', { partition: 0, offset: '-3' }],
    ['an offset that is no number', { partition: 0, offset: 'x' }],
    ['no offset', { partition: 0 }],
    ['a partition that is no number', { partition: 'a', offset: '1' }],
    ['nothing', null],
  ])('are not set to %s', async (_, entry) => {
    const call: unknown = Reflect.apply(admin.setOffsets, admin, [{ groupId: 'g', topic: 'a', partitions: [entry] }])
    expect(await errorOf(Promise.resolve(call))).toMatchObject({ name: 'KafkaJSNonRetriableError' })
  })
})

describe('deleting offsets', () => {
  const committed = async (groupId: string) =>
    (await admin.fetchOffsets({ groupId })).map(({ topic, partitions }) => [topic, partitions.map((p) => p.partition)])

  it('takes those of the partitions that are named, or of the whole topic, and no others', async () => {
    const [topic, other] = [await test.createTopic({}, 3), await test.createTopic()]
    const groupId = uniqueGroup()
    await admin.resetOffsets({ groupId, topic: topic.name, earliest: true })
    await admin.resetOffsets({ groupId, topic: other.name, earliest: true })
    await admin.deleteOffsets({ groupId, topic: topic.name, partitions: [0, 2] })
    expect(await committed(groupId)).toEqual(
      expect.arrayContaining([
        [topic.name, [1]],
        [other.name, [0]],
      ]),
    )
    await admin.deleteOffsets({ groupId, topic: topic.name })
    expect(await committed(groupId)).toEqual([[other.name, [0]]])
  })

  it('is refused where there is nothing to delete, and under the hands of members', async () => {
    const topic = await test.createTopic()
    const deletion = (groupId: string, name: string, partitions?: number[]) =>
      errorOf(admin.deleteOffsets({ groupId, topic: name, ...(partitions === undefined ? {} : { partitions }) }))
    expect(await deletion(uniqueGroup(), topic.name)).toMatchObject({ type: 'GROUP_ID_NOT_FOUND', code: 69 })
    expect(await deletion(uniqueGroup(), 'not-there')).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
    const groupId = await groupReading([topic])
    expect(await deletion(groupId, topic.name, [1])).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(await deletion(groupId, topic.name)).toMatchObject({ type: 'NON_EMPTY_GROUP', code: 68 })
  })
})

describe("a group's lag", () => {
  const nobody = { memberId: null, clientId: null }

  it('is how many offsets lie between what is committed and the end of the log', async () => {
    const topic = await test.createTopic({}, 4)
    const producer = kafka.producer()
    await producer.connect()
    const messages = [0, 0, 0, 1].map((partition) => ({ partition, value: 'x' }))
    await producer.send({ topic: topic.name, messages })
    await producer.disconnect()
    const groupId = uniqueGroup()
    const partitions = ['1', '9', '-2'].map((offset, partition) => ({ partition, offset }))
    await admin.setOffsets({ groupId, topic: topic.name, partitions })
    const lag = [
      {
        topic: topic.name,
        partitions: [
          { partition: 0, offset: '1', high: '3', lag: '2', ...nobody },
          { partition: 1, offset: '9', high: '1', lag: '0', ...nobody },
          { partition: 2, offset: '-2', high: '0', lag: null, ...nobody },
          { partition: 3, offset: '-1', high: '0', lag: null, ...nobody },
        ],
      },
    ]
    expect(await admin.fetchLag({ groupId })).toEqual(lag)
    expect(await admin.fetchLag({ groupId, topics: [topic.name] })).toEqual(lag)
  })

  it('names who reads, in topics without offsets, too', async () => {
    const [topic, other] = [await test.createTopic(), await test.createTopic()]
    const groupId = await groupReading([topic], { clientId: 'till' })
    const owner = { memberId: 'm', clientId: 'till' }
    const unread = { partition: 0, offset: '-1', high: '0', lag: null }
    expect(await admin.fetchLag({ groupId })).toEqual([{ topic: topic.name, partitions: [{ ...unread, ...owner }] }])
    expect(await admin.fetchLag({ groupId, topics: [other.name, topic.name] })).toEqual([
      { topic: other.name, partitions: [{ ...unread, ...nobody }] },
      { topic: topic.name, partitions: [{ ...unread, ...owner }] },
    ])
  })

  it('is nothing for a group that is not there, and an error for a topic that is not', async () => {
    expect(await admin.fetchLag({ groupId: uniqueGroup() })).toEqual([])
    expect(await errorOf(admin.fetchLag({ groupId: 'g', topics: ['not-there'] }))).toMatchObject({
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })
})
