import { describe, expect, it } from '@jest/globals'
import type { GroupAssigner, MemberOptions, TopicFacts } from '../types.js'
import { MemberProfile, type News } from './member-profile.js'

const orders: TopicFacts = { topic: 'orders', topicId: 'id1', partitions: 3 }
const gone = (topic: string): TopicFacts => ({ topic, topicId: '-', partitions: 0 })
const factsOf = (...facts: TopicFacts[]): Map<string, TopicFacts> => new Map(facts.map((one) => [one.topic, one]))

class TalkingAssigner implements GroupAssigner {
  readonly name = 'talking'
  word = 'hello'
  metadata = (): Buffer => Buffer.from(this.word)
  assign = () => new Map()
}

function profile(assigner = new TalkingAssigner()): MemberProfile {
  const options: MemberOptions = {
    groupId: 'g',
    clientId: 'client',
    instanceId: 'i',
    sessionTimeout: 30_000,
    rebalanceTimeout: 60_000,
    heartbeatInterval: 3000,
    assigners: [assigner],
    subscription: { topics: ['orders'], patterns: [] },
  }
  return new MemberProfile(options, '/host')
}

/** Tells the group everything, as a sync that was answered. */
function tell(of: MemberProfile): News | null {
  const { news } = of
  if (news !== null) of.told(news)
  return news
}

describe('MemberProfile', () => {
  it('tells everything at first, and nothing twice', () => {
    const me = profile()
    me.describe(['orders'], factsOf(orders))
    expect(tell(me)).toEqual({
      record: {
        clientId: 'client',
        clientHost: '/host',
        instanceId: 'i',
        topics: ['orders'],
        assigners: [{ name: 'talking', metadata: Buffer.from('hello').toString('base64') }],
        sessionTimeout: 30_000,
        rebalanceTimeout: 60_000,
      },
      raiseEpoch: true,
      topics: [orders],
    })
    me.describe(['orders'], factsOf(orders))
    expect(me.news).toBeNull()
  })

  it('asks for another assignment when it wants other topics', () => {
    const me = profile()
    me.describe(['orders'], factsOf(orders))
    tell(me)
    me.describe(['orders', 'payments'], factsOf(orders))
    expect(me.news).toMatchObject({ record: { topics: ['orders', 'payments'] }, raiseEpoch: true, topics: [] })
  })

  it('does not ask for one when only an assigner has something else to say', () => {
    const assigner = new TalkingAssigner()
    const me = profile(assigner)
    me.describe(['orders'], factsOf(orders))
    tell(me)
    assigner.word = 'goodbye'
    me.describe(['orders'], factsOf(orders))
    expect(me.news).toMatchObject({ record: { topics: ['orders'] }, raiseEpoch: false, topics: [] })
  })

  it.each([
    ['has more partitions', { ...orders, partitions: 4 }],
    ['was made again', { ...orders, topicId: 'id2' }],
  ])('tells of a topic that %s, without its record', (_, changed) => {
    const me = profile()
    me.describe(['orders'], factsOf(orders))
    tell(me)
    me.describe(['orders'], factsOf(changed))
    expect(tell(me)).toEqual({ record: null, raiseEpoch: false, topics: [changed] })
    expect(me.news).toBeNull()
  })

  it('tells of a topic that is back as it was', () => {
    const me = profile()
    me.describe(['orders'], factsOf(orders))
    tell(me)
    me.describe(['orders'], factsOf())
    expect(me.news).toBeNull()
    me.reportGone('orders', 'id1')
    tell(me)
    me.describe(['orders'], factsOf(orders))
    expect(me.news).toMatchObject({ topics: [orders] })
  })

  it('tells once that a topic is gone', () => {
    const me = profile()
    me.describe(['orders'], factsOf(orders))
    tell(me)
    me.describe(['orders'], factsOf())
    me.reportGone('orders', 'id1')
    expect(tell(me)).toEqual({ record: null, raiseEpoch: false, topics: [gone('orders')] })
    me.reportGone('orders', 'id1')
    expect(me.news).toBeNull()
  })

  it('keeps what became news while it was telling', () => {
    const me = profile()
    me.describe(['orders'], factsOf(orders))
    const first = me.news
    me.describe(['orders', 'payments'], factsOf(orders))
    me.reportGone('refunds', 'id0')
    if (first !== null) me.told(first)
    expect(me.news).toMatchObject({
      record: { topics: ['orders', 'payments'] },
      raiseEpoch: true,
      topics: [gone('refunds')],
    })
  })

  it('tells everything again when the group has forgotten it', () => {
    const me = profile()
    me.describe(['orders'], factsOf(orders))
    const first = tell(me)
    me.forgotten()
    expect(me.news).toEqual(first)
  })
})
