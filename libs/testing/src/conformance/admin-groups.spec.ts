import { afterAll, beforeAll, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { waitFor } from '../topologies/index.js'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped, failureOf } from './support/calls.js'

const { AssignerProtocol } = kafkajs

type Admin = kafkajs.Admin
type Offsets = Awaited<ReturnType<Admin['fetchOffsets']>>

const byName = (offsets: Offsets) =>
  offsets
    .map(({ topic, partitions }) => ({ topic, partitions: partitions.toSorted((a, b) => a.partition - b.partition) }))
    .toSorted((a, b) => (a.topic < b.topic ? -1 : 1))

/** As fetchOffsets gives it: the partition's number is the place in the list. */
const offsetsOf = (topic: string, offsets: string[]) => ({
  topic,
  partitions: offsets.map((offset, partition) => ({ partition, offset, metadata: null })),
})

const described = (groupId: string, state: 'Dead' | 'Empty') => ({
  errorCode: 0,
  groupId,
  state,
  protocolType: state === 'Dead' ? '' : 'consumer',
  protocol: '',
  members: [],
})

const refusal = (groupId: string, type: string, errorCode: number) =>
  expect.objectContaining({
    groupId,
    errorCode,
    error: expect.objectContaining({ name: 'KafkaJSProtocolError', type, code: errorCode, retriable: false }),
  })

describeOnBoth('groups by the admin client', ({ create, uniqueTopic }) => {
  const client = create({ clientId: 'shop' })
  const admin = client.admin()
  const groups = new Set<string>()

  const uniqueGroup = (): string => {
    const groupId = uniqueTopic()
    groups.add(groupId)
    return groupId
  }

  const createTopic = async (numPartitions = 2): Promise<string> => {
    const topic = uniqueTopic()
    await admin.createTopics({ topics: [{ topic, numPartitions }] })
    return topic
  }

  /** A topic of two partitions, of which the first holds three records and has lost one of them. */
  const createLog = async (): Promise<string> => {
    const topic = await createTopic()
    const producer = client.producer()
    await producer.connect()
    await producer.send({ topic, messages: ['a', 'b', 'c'].map((value) => ({ partition: 0, value })) })
    await producer.disconnect()
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] })
    return topic
  }

  // kafkajs sets offsets by means of a consumer, which takes it five seconds each time: what needs it is done at the
  // same time, by an admin of its own for each.
  const stories: (() => void)[] = []
  const story = <T>(tell: (admin: Admin, groupId: string) => Promise<T>): (() => Promise<T>) => {
    let told: Promise<T> | undefined
    const begin = () =>
      (told ??= withAdmin(async (own) => {
        const groupId = uniqueGroup()
        return tell(own, groupId)
      }))
    stories.push(() => void begin().catch(() => {}))
    return begin
  }
  const withAdmin = async <T>(work: (own: Admin) => Promise<T>): Promise<T> => {
    const own = client.admin()
    await own.connect()
    try {
      return await work(own)
    } finally {
      await own.disconnect()
    }
  }

  beforeAll(async () => {
    await admin.connect()
    for (const begin of stories) begin()
  })
  afterAll(async () => {
    await admin.disconnect()
    // kafkajs's one fails where topics are gone that it has met.
    await withAdmin(async (own) => {
      const listed = (await own.listGroups()).groups.map(({ groupId }) => groupId)
      await own.deleteGroups(listed.filter((groupId) => groups.has(groupId)))
    })
  })

  it('describes groups that are not there as dead, each as often as it is named', async () => {
    const [a, b] = [uniqueGroup(), uniqueGroup()]
    const { groups: descriptions } = await admin.describeGroups([b, a, b])
    expect(descriptions.toSorted((one, other) => (one.groupId < other.groupId ? -1 : 1))).toEqual([
      described(a, 'Dead'),
      described(b, 'Dead'),
      described(b, 'Dead'),
    ])
    expect(await admin.describeGroups([])).toEqual({ groups: [] })
  })

  it('knows no offsets of groups that are not there', async () => {
    const [a, b] = [await createTopic(), await createTopic(1)]
    expect(await admin.fetchOffsets({ groupId: uniqueGroup() })).toEqual([])
    expect(await admin.fetchOffsets({ groupId: uniqueGroup(), topics: [] })).toEqual([])
    expect(await admin.fetchOffsets({ groupId: uniqueGroup(), topics: [b, a, b] })).toEqual([
      offsetsOf(b, ['-1']),
      offsetsOf(a, ['-1', '-1']),
      offsetsOf(b, ['-1']),
    ])
  })

  it('orders partitions by their numbers as texts where topics are asked for', async () => {
    const topics = [await createTopic(12)]
    const [offsets] = await admin.fetchOffsets({ groupId: uniqueGroup(), topics })
    expect(offsets?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it.each<[string, (topic: string) => Promise<unknown>]>([
    ['asking for its offsets', (topic) => admin.fetchOffsets({ groupId: 'g', topics: [topic] })],
    [
      'setting its offsets',
      (topic) => admin.setOffsets({ groupId: 'g', topic, partitions: [{ partition: 0, offset: '1' }] }),
    ],
    ['resetting its offsets', (topic) => admin.resetOffsets({ groupId: 'g', topic, earliest: true })],
  ])('does not wait for a topic that is not there when %s', async (_, call) => {
    const unknown = { name: 'KafkaJSProtocolError', type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3, retriable: true }
    expect(await failureOf(() => call(uniqueTopic()))).toMatchObject(unknown)
    const invalid = { name: 'KafkaJSProtocolError', type: 'INVALID_TOPIC_EXCEPTION', code: 17, retriable: false }
    expect(await failureOf(() => call('not/a/name'))).toMatchObject(invalid)
  })

  const someSeek = { partition: 0, offset: '1' }
  it.each<[string, () => unknown]>([
    ['offsets of no group', () => admin.fetchOffsets({ groupId: '' })],
    ['offsets of topics that are no list', () => callUntyped(admin, 'fetchOffsets', { groupId: 'g', topics: 'a' })],
    ['setting offsets of no group', () => admin.setOffsets({ groupId: '', topic: 'a', partitions: [someSeek] })],
    ['setting offsets of no topic', () => admin.setOffsets({ groupId: 'g', topic: '', partitions: [someSeek] })],
    ['setting no offsets', () => admin.setOffsets({ groupId: 'g', topic: 'a', partitions: [] })],
    ['setting offsets without partitions', () => callUntyped(admin, 'setOffsets', { groupId: 'g', topic: 'a' })],
    ['resetting offsets of no group', () => admin.resetOffsets({ groupId: '', topic: 'a', earliest: true })],
    ['resetting offsets of no topic', () => admin.resetOffsets({ groupId: 'g', topic: '', earliest: true })],
    ['groups to delete that are no list', () => callUntyped(admin, 'deleteGroups', 'g')],
    ['groups to delete that are no texts', () => callUntyped(admin, 'deleteGroups', [1])],
  ])('refuses %s', async (_, call) => {
    expect(await failureOf(call)).toMatchObject({ name: 'KafkaJSNonRetriableError', retriable: false })
  })

  const stored = story(async (own, groupId) => {
    const topic = await createLog()
    await own.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '2' }] })
    return { topic, groupId, all: await own.fetchOffsets({ groupId }), one: await fetchTopic(own, groupId, topic) }
  })

  const fetchTopic = async (own: Admin, groupId: string, topic: string) =>
    (await own.fetchOffsets({ groupId, topics: [topic] }))[0]

  it('sets offsets, and shows those that are not set where the topic is asked for', async () => {
    const { topic, all, one } = await stored()
    expect(all).toEqual([offsetsOf(topic, ['2'])])
    expect(one).toEqual(offsetsOf(topic, ['2', '-1']))
  })

  it('describes and lists a group that has nothing but offsets', async () => {
    const { groupId } = await stored()
    expect(await admin.describeGroups([groupId])).toEqual({ groups: [described(groupId, 'Empty')] })
    const { groups: listed } = await admin.listGroups()
    expect(listed.filter((group) => group.groupId === groupId)).toEqual([{ groupId, protocolType: 'consumer' }])
  })

  const everyTopic = story(async (own, groupId) => {
    const [a, b] = [await createTopic(), await createTopic()]
    await own.setOffsets({ groupId, topic: b, partitions: [someSeek] })
    await own.setOffsets({ groupId, topic: a, partitions: [someSeek, { partition: 1, offset: '5' }] })
    const before = await own.fetchOffsets({ groupId })
    await own.deleteTopics({ topics: [b] })
    // In Kafka the group hears of it after the call has ended.
    await waitFor(async () => (await own.fetchOffsets({ groupId })).length < 2, { what: 'the offsets to go' })
    return { a, b, before, after: await own.fetchOffsets({ groupId }) }
  })

  it('shows the offsets of every topic, until that is deleted', async () => {
    const { a, b, before, after } = await everyTopic()
    expect(byName(before)).toEqual([offsetsOf(a, ['1', '5']), offsetsOf(b, ['1'])])
    expect(byName(after)).toEqual([offsetsOf(a, ['1', '5'])])
  })

  const odd = story(async (own, groupId) => {
    const topic = await createTopic()
    const partitions = [
      { partition: 7, offset: '1' },
      { partition: 0, offset: '1' },
      { partition: 0, offset: '99' },
    ]
    await own.setOffsets({ groupId, topic, partitions })
    await callUntyped(own, 'setOffsets', { groupId, topic, partitions: [{ partition: 1, offset: 3 }] })
    return { topic, offsets: await own.fetchOffsets({ groupId }) }
  })

  it('takes the last of several offsets, offsets past the end, and numbers, and leaves out unknown partitions', async () => {
    const { topic, offsets } = await odd()
    expect(byName(offsets)).toEqual([offsetsOf(topic, ['99', '3'])])
  })

  const ends = story(async (own, groupId) => {
    const topic = await createLog()
    const partitions = [
      { partition: 0, offset: '-2' },
      { partition: 1, offset: '-1' },
    ]
    await own.setOffsets({ groupId, topic, partitions })
    return { topic, offsets: await fetchTopic(own, groupId, topic) }
  })

  it('keeps -1 and -2 as they are: the end and the start of the log', async () => {
    const { topic, offsets } = await ends()
    expect(offsets).toEqual(offsetsOf(topic, ['-2', '-1']))
  })

  const resolved = story(async (own, groupId) => {
    const topic = await createLog()
    await own.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '-2' }] })
    const answer = await own.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true })
    return { topic, answer, after: await own.fetchOffsets({ groupId }) }
  })

  it('resolves offsets to those of the log, and stores them', async () => {
    const { topic, answer, after } = await resolved()
    expect(answer).toEqual([offsetsOf(topic, ['1', '0'])])
    expect(byName(after)).toEqual([offsetsOf(topic, ['1', '0'])])
  })

  const resolvedToEnd = story(async (own, groupId) => {
    const topic = await createLog()
    return { topic, answer: await own.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true }) }
  })

  it('resolves what is not set to the end of the log', async () => {
    const { topic, answer } = await resolvedToEnd()
    expect(answer).toEqual([offsetsOf(topic, ['3', '0'])])
  })

  const reset = story(async (own, groupId) => {
    const topic = await createLog()
    await own.resetOffsets({ groupId, topic, earliest: true })
    const earliest = await fetchTopic(own, groupId, topic)
    await callUntyped(own, 'resetOffsets', { groupId, topic })
    return { topic, earliest, latest: await fetchTopic(own, groupId, topic) }
  })

  it('resets all offsets of a topic to the start of the log, or its end, which is the default', async () => {
    const { topic, earliest, latest } = await reset()
    expect(earliest).toEqual(offsetsOf(topic, ['-2', '-2']))
    expect(latest).toEqual(offsetsOf(topic, ['-1', '-1']))
  })

  const deleted = story(async (own, groupId) => {
    const topic = await createTopic()
    await own.setOffsets({ groupId, topic, partitions: [someSeek] })
    return { groupId, result: await own.deleteGroups([groupId]), offsets: await own.fetchOffsets({ groupId }) }
  })

  it('deletes groups, and with them their offsets', async () => {
    const { groupId, result, offsets } = await deleted()
    expect(result).toEqual([{ groupId, errorCode: 0 }])
    expect(offsets).toEqual([])
    expect(await admin.describeGroups([groupId])).toEqual({ groups: [described(groupId, 'Dead')] })
    expect((await admin.listGroups()).groups.map((group) => group.groupId)).not.toContain(groupId)
    expect(await admin.deleteGroups([])).toEqual([])
  })

  const deletedBesideUnknown = story(async (own, groupId) => {
    const topic = await createTopic()
    await own.setOffsets({ groupId, topic, partitions: [someSeek] })
    const unknown = uniqueGroup()
    return { groupId, unknown, failure: await failureOf(() => own.deleteGroups([unknown, groupId])) }
  })

  it('reports each group that cannot be deleted, and deletes the others', async () => {
    const { groupId, unknown, failure } = await deletedBesideUnknown()
    expect(failure).toMatchObject({ name: 'KafkaJSDeleteGroupsError', retriable: true })
    expect(failure).toHaveProperty('groups', [refusal(unknown, 'GROUP_ID_NOT_FOUND', 69)])
    expect(await admin.describeGroups([groupId])).toEqual({ groups: [described(groupId, 'Dead')] })
  })

  const lived = story(async (own, groupId) => {
    const topic = await createTopic()
    const consumer = client.consumer({ groupId, maxWaitTimeInMs: 50 })
    await consumer.connect()
    await consumer.subscribe({ topic })
    const joined = new Promise<kafkajs.ConsumerGroupJoinEvent>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, resolve)
    })
    await consumer.run({ eachMessage: () => Promise.resolve() })
    const { payload } = await joined
    const description = await own.describeGroups([groupId])
    const { groups: listed } = await own.listGroups()
    const offsets = await own.fetchOffsets({ groupId, topics: [topic] })
    const failures = {
      set: await failureOf(() => own.setOffsets({ groupId, topic, partitions: [someSeek] })),
      reset: await failureOf(() => own.resetOffsets({ groupId, topic, earliest: true })),
      resolve: await failureOf(() => own.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true })),
      delete: await failureOf(() => own.deleteGroups([groupId])),
    }
    await consumer.disconnect()
    return {
      topic,
      groupId,
      payload,
      description,
      listed,
      offsets,
      failures,
      left: await own.describeGroups([groupId]),
    }
  })

  it('describes the members of a group, in bytes of the consumer protocol', async () => {
    const { topic, groupId, payload, description } = await lived()
    expect(description.groups).toEqual([
      {
        errorCode: 0,
        groupId,
        state: 'Stable',
        protocolType: 'consumer',
        protocol: payload.groupProtocol,
        members: [
          {
            memberId: payload.memberId,
            clientId: 'shop',
            clientHost: expect.stringMatching(/^\/./),
            memberMetadata: expect.any(Buffer),
            memberAssignment: expect.any(Buffer),
          },
        ],
      },
    ])
    const member = description.groups[0]?.members[0]
    const nothing = Buffer.alloc(0)
    expect(AssignerProtocol.MemberMetadata.decode(member?.memberMetadata ?? nothing)).toMatchObject({ topics: [topic] })
    expect(AssignerProtocol.MemberAssignment.decode(member?.memberAssignment ?? nothing)).toMatchObject({
      assignment: { [topic]: [0, 1] },
    })
  })

  it('lists a group that has members, and shows its offsets', async () => {
    const { topic, groupId, listed, offsets } = await lived()
    expect(listed).toContainEqual({ groupId, protocolType: 'consumer' })
    expect(offsets).toEqual([offsetsOf(topic, ['-1', '-1'])])
  })

  it('changes no offsets under the hands of members, and deletes no group that has any', async () => {
    const { groupId, failures } = await lived()
    for (const failure of [failures.set, failures.reset, failures.resolve]) {
      expect(failure).toMatchObject({ name: 'KafkaJSNonRetriableError', retriable: false })
      expect(failure.message).toContain('Stable')
    }
    expect(failures.delete).toHaveProperty('groups', [refusal(groupId, 'NON_EMPTY_GROUP', 68)])
  })

  it('describes a group whose members have left as empty', async () => {
    const { groupId, left } = await lived()
    expect(left).toEqual({ groups: [described(groupId, 'Empty')] })
  })
})
