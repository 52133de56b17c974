import { describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { KafkaJSConnectionError } from './errors.js'
import { SharedStorage } from './shared-storage.js'

/** Storages that are opened when the test says so. */
const create = () => {
  const opened: { closed: number; close(): Promise<void> }[] = []
  const attempts: { succeed(): void; fail(error: Error): void; signal: AbortSignal }[] = []
  const shared = new SharedStorage(
    (signal) =>
      new Promise<(typeof opened)[number]>((resolve, reject) => {
        const storage = {
          closed: 0,
          close: async () => {
            storage.closed++
          },
        }
        attempts.push({
          signal,
          fail: reject,
          succeed: () => {
            opened.push(storage)
            resolve(storage)
          },
        })
      }),
  )
  return { shared, opened, attempts }
}

describe('SharedStorage', () => {
  it('opens one storage for all, and closes it when the last lets go', async () => {
    const { shared, opened, attempts } = create()
    const both = Promise.all([shared.acquire(), shared.acquire()])
    attempts[0]?.succeed()
    const [a, b] = await both
    expect(a).toBe(b)
    expect(await shared.acquire()).toBe(a)
    await shared.release()
    await shared.release()
    expect(a.closed).toBe(0)
    await shared.release()
    expect([attempts.length, opened.length, a.closed]).toEqual([1, 1, 1])
  })

  it('opens another one after that', async () => {
    const { shared, attempts } = create()
    const first = shared.acquire()
    attempts[0]?.succeed()
    await (await first).close()
    await shared.release()
    const second = shared.acquire()
    attempts[1]?.succeed()
    expect(await second).not.toBe(await first)
  })

  it('shares a failure among those who wait for it, and tries anew for the next one', async () => {
    const { shared, attempts } = create()
    const waiting = [shared.acquire(), shared.acquire()].map((one) => one.catch((error: unknown) => error))
    attempts[0]?.fail(new KafkaError('NETWORK_EXCEPTION', 'nobody there'))
    for (const error of await Promise.all(waiting)) {
      expect(error).toBeInstanceOf(KafkaJSConnectionError)
      expect(error).toHaveProperty('message', 'nobody there')
    }
    const next = shared.acquire()
    attempts[1]?.succeed()
    await next
    await shared.release()
    expect((await next).closed).toBe(1)
  })

  it('gives up an attempt that nobody waits for any longer, and closes what comes of it', async () => {
    const { shared, attempts, opened } = create()
    const abort = new AbortController()
    const waiting = shared.acquire(abort.signal)
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(attempts[0]?.signal.aborted).toBe(true)
    attempts[0]?.succeed()
    await new Promise((resolve) => setImmediate(resolve))
    expect(opened.map(({ closed }) => closed)).toEqual([1])
  })

  it('keeps an attempt that somebody else waits for', async () => {
    const { shared, attempts } = create()
    const abort = new AbortController()
    const impatient = shared.acquire(abort.signal)
    const patient = shared.acquire()
    abort.abort(new Error('enough'))
    await expect(impatient).rejects.toThrow('enough')
    expect(attempts[0]?.signal.aborted).toBe(false)
    attempts[0]?.succeed()
    const storage = await patient
    expect(storage.closed).toBe(0)
    await shared.release()
    expect(storage.closed).toBe(1)
  })
})
