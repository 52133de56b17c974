import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { CommitOutcome } from '@rivulet/coordinator'
import { deferred } from '../../../spec-support/consumers.js'
import { Instrumentation } from '../../instrumentation.js'
import { createLogger } from '../../logger.js'
import { retrySettings } from '../../retry.js'
import { logLevel } from '../../types.js'
import { BufferBudget } from '../buffer-budget.js'
import { RIVULET_CONSUMER_EVENTS } from '../consumer-events.js'
import { GroupCommits } from '../group-commits.js'
import { GroupEvents } from '../group-events.js'
import { SubscriptionState } from '../subscription-state.js'

describe('a seek back while a commit is under way', () => {
  it('is committed, and so is what is done again afterwards', async () => {
    const sent: number[] = []
    const answers: ReturnType<typeof deferred<readonly CommitOutcome[]>>[] = []
    const logger = createLogger({ level: logLevel.NOTHING })
    const subscription = new SubscriptionState(new BufferBudget(1000))
    const instrumentation = new Instrumentation('consumer', RIVULET_CONSUMER_EVENTS, logger)
    const commits = new GroupCommits({
      membership: {
        owned: [],
        heartbeat: () => Promise.resolve(),
        commit: ([first]) => {
          sent.push(first?.offset ?? -1)
          const answer = deferred<readonly CommitOutcome[]>()
          answers.push(answer)
          return answer.promise
        },
      },
      topics: { get: () => Promise.resolve(null) },
      subscription,
      works: () => [],
      run: { autoCommit: true, autoCommitInterval: null, autoCommitThreshold: null },
      retry: retrySettings({ retries: 0 }),
      events: new GroupEvents('g', () => ({ memberId: 'm', epoch: 1 }), instrumentation, logger),
      logger,
      onCrash: () => undefined,
    })
    const ownership = { topicId: 'id', grant: 1 }
    subscription.assign([{ topic: 'orders', partition: 0, policy: 'earliest', ownership }])
    const [assigned] = subscription.partitions
    if (assigned === undefined) throw new Error('there is no partition')

    assigned.positionAt(0, [])
    assigned.resolve(10)
    const first = commits.commitResolved()
    subscription.seek('orders', 0, { kind: 'offset', offset: 5 })
    commits.sought(assigned, 5)
    assigned.positionAt(5, [])
    answers[0]?.resolve([null])
    await first
    assigned.resolve(10)
    const again = commits.commitResolved()
    answers[1]?.resolve([null])
    await turn()
    answers[2]?.resolve([null])
    await again
    expect(sent).toEqual([10, 5, 10])
  })
})
