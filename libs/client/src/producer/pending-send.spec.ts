import { describe, expect, it } from '@jest/globals'

import { KafkaJSError } from '../errors.js'
import type { RecordMetadata } from '../types.js'
import { PendingSend } from './pending-send.js'

const metadata = (topicName: string, partition: number): RecordMetadata => ({ topicName, partition, errorCode: 0 })

function begin(acks: number, topics: number): { send: PendingSend; settled: Promise<RecordMetadata[]> } {
  let begun: PendingSend | undefined
  const settled = new Promise<RecordMetadata[]>((resolve, reject) => {
    begun = new PendingSend(acks, topics, resolve, reject)
  })
  if (begun === undefined) throw new Error('A promise runs its function at once')
  return { send: begun, settled }
}

describe('a send', () => {
  it('resolves with the results by partition, in whatever order they came', async () => {
    const { send, settled } = begin(-1, 1)
    const results = send.expect(0, 3)
    send.done()
    for (const place of [2, 0, 1]) {
      results[place] = metadata('t', place)
      send.done()
    }
    expect(await settled).toEqual([metadata('t', 0), metadata('t', 1), metadata('t', 2)])
  })

  it('resolves with the topics as they were named, although one was found later', async () => {
    const { send, settled } = begin(-1, 2)
    const second = send.expect(1, 1)
    send.done()
    second[0] = metadata('second', 0)
    send.done()
    const first = send.expect(0, 1)
    send.done()
    first[0] = metadata('first', 0)
    send.done()
    expect(await settled).toEqual([metadata('first', 0), metadata('second', 0)])
  })

  it('has no results with acks=0', async () => {
    const { send, settled } = begin(0, 1)
    send.expect(0, 2)
    for (let settledParts = 0; settledParts < 3; settledParts++) send.done()
    expect(await settled).toEqual([])
  })

  it('settles when the continuation of a part is settled, too', async () => {
    const { send, settled } = begin(-1, 1)
    const results = send.expect(0, 1)
    send.expectAnother()
    send.done()
    results[0] = metadata('t', 0)
    send.done()
    let isSettled = false
    void settled.then(() => (isSettled = true))
    await Promise.resolve()
    expect(isSettled).toBe(false)
    send.done()
    expect(await settled).toEqual([metadata('t', 0)])
  })

  it('rejects with what failed and what is stored, without gaps', async () => {
    const { send, settled } = begin(-1, 1)
    const results = send.expect(0, 3)
    send.done()
    results[2] = metadata('t', 7)
    send.done()
    send.failed('t', 5, new KafkaJSError('no room'))
    results[0] = metadata('t', 1)
    send.done()
    await expect(settled).rejects.toMatchObject({
      name: 'KafkaJSSendError',
      results: [metadata('t', 1), metadata('t', 7)],
      failures: [{ topic: 't', partition: 5 }],
    })
  })
})
