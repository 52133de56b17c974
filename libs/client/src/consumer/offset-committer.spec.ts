import { describe, expect, it } from '@jest/globals'
import type { CommitOutcome, OffsetCommit } from '@rivulet/coordinator'
import { KafkaError } from '@rivulet/protocol'
import { deferred } from '../../spec-support/consumers.js'
import { createLogger } from '../logger.js'
import { retrySettings } from '../retry.js'
import { logLevel } from '../types.js'
import { OffsetCommitter } from './offset-committer.js'

const commit = (partition: number, offset: number): OffsetCommit => ({
  topic: 't',
  topicId: 'id',
  partition,
  offset,
  leaderEpoch: null,
  metadata: null,
  grant: 1,
})

/** A committer whose calls are answered by hand: each call is noted as "partition:offset …". */
function committer({ retries = 0 } = {}) {
  const calls: string[] = []
  const answers: ReturnType<typeof deferred<readonly CommitOutcome[]>>[] = []
  const answered: string[] = []
  const made = new OffsetCommitter({
    send: (commits) => {
      calls.push(commits.map(({ partition, offset }) => `${partition}:${offset}`).join(' '))
      const answer = deferred<readonly CommitOutcome[]>()
      answers.push(answer)
      return answer.promise
    },
    retry: retrySettings({ retries, initialRetryTime: 1 }),
    logger: createLogger({ level: logLevel.NOTHING }),
    onAnswer: (commits, outcomes) => {
      answered.push(commits.map(({ partition }, i) => `${partition} ${outcomes[i]?.type ?? 'ok'}`).join(', '))
    },
  })
  const answer = (call: number, ...outcomes: CommitOutcome[]): void => answers[call]?.resolve(outcomes)
  const fail = (call: number, error: Error): void => answers[call]?.reject(error)
  return { made, calls, answered, answer, fail }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the offset committer', () => {
  it('sends at once what comes alone', async () => {
    const { made, calls, answer, answered } = committer()
    const done = made.commit([commit(0, 5)])
    expect(calls).toEqual(['0:5'])
    answer(0, null)
    expect(await done).toEqual([null])
    expect(answered).toEqual(['0 ok'])
  })

  it('puts what comes meanwhile into the next call, of each partition the last', async () => {
    const { made, calls, answer } = committer()
    const first = made.commit([commit(0, 5)])
    const others = Promise.all([
      made.commit([commit(0, 6), commit(1, 1)]),
      made.commit([commit(0, 7)]),
      made.commit([commit(2, 9)]),
    ])
    expect(calls).toEqual(['0:5'])
    answer(0, null)
    await first
    await turn()
    expect(calls).toEqual(['0:5', '0:7 1:1 2:9'])
    const refused = new KafkaError('ILLEGAL_GENERATION')
    answer(1, null, refused, null)
    expect(await others).toEqual([[null, refused], [null], [null]])
  })

  it('sends again what is retriable, before anything that came later', async () => {
    const { made, calls, answer, fail } = committer({ retries: 1 })
    const first = made.commit([commit(0, 5)])
    const second = made.commit([commit(0, 6)])
    fail(0, new KafkaError('NETWORK_EXCEPTION'))
    while (calls.length < 2) await turn()
    answer(1, null)
    await first
    await turn()
    answer(2, null)
    await second
    expect(calls).toEqual(['0:5', '0:5', '0:6'])
  })

  it('gives up when the retries are used up, and goes on with what came later', async () => {
    const { made, calls, answer, fail } = committer()
    const first = made.commit([commit(0, 5)])
    const second = made.commit([commit(0, 6)])
    fail(0, new KafkaError('NETWORK_EXCEPTION'))
    await expect(first).rejects.toMatchObject({ name: 'KafkaJSNumberOfRetriesExceeded', retryCount: 0 })
    answer(1, null)
    expect(await second).toEqual([null])
    expect(calls).toEqual(['0:5', '0:6'])
  })

  it('does not send again what cannot succeed', async () => {
    const { made, calls, fail } = committer({ retries: 5 })
    const done = made.commit([commit(0, 5)])
    fail(0, new KafkaError('GROUP_AUTHORIZATION_FAILED'))
    await expect(done).rejects.toMatchObject({
      name: 'KafkaJSNonRetriableError',
      cause: { type: 'GROUP_AUTHORIZATION_FAILED' },
    })
    expect(calls).toHaveLength(1)
  })

  it('stop ends the wait for another try', async () => {
    const made = new OffsetCommitter({
      send: () => Promise.reject(new KafkaError('NETWORK_EXCEPTION')),
      retry: retrySettings({ retries: 5, initialRetryTime: 60_000 }),
      logger: createLogger({ level: logLevel.NOTHING }),
      onAnswer: () => undefined,
    })
    const done = made.commit([commit(0, 5)])
    await turn()
    made.stop()
    await expect(done).rejects.toMatchObject({ name: 'KafkaJSConnectionError' })
  })

  it('commits nothing without a call', async () => {
    const { made, calls } = committer()
    expect(await made.commit([])).toEqual([])
    expect(calls).toEqual([])
  })
})
