import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Deferred } from './deferred.js'
import { ListenerQueue } from './listener-queue.js'

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] })
})

afterEach(() => {
  jest.useRealTimers()
})

function queue() {
  const errors: unknown[] = []
  const calls: string[] = []
  const all = new ListenerQueue(
    1000,
    (error) => errors.push(error),
    () => calls.push('late'),
  )
  return { all, calls, errors }
}

describe('ListenerQueue', () => {
  it('makes a call when the one before has ended', async () => {
    const { all, calls } = queue()
    const first = new Deferred()
    void all.add(async () => {
      calls.push('first begins')
      await first.promise
      calls.push('first ends')
    })
    void all.add(() => void calls.push('second'))
    await jest.advanceTimersByTimeAsync(500)
    expect(calls).toEqual(['first begins'])
    first.resolve()
    await jest.advanceTimersByTimeAsync(0)
    expect(calls).toEqual(['first begins', 'first ends', 'second'])
  })

  it('goes on beside a call that holds up no other, but begins it in its turn', async () => {
    const { all, calls } = queue()
    const [held, long] = [new Deferred(), new Deferred()]
    void all.add(() => held.promise)
    const outcome = all.add(
      () => {
        calls.push('long')
        return long.promise
      },
      { holdsUp: false },
    )
    void all.add(() => void calls.push('next'))
    await jest.advanceTimersByTimeAsync(0)
    expect(calls).toEqual([])
    held.resolve()
    await jest.advanceTimersByTimeAsync(0)
    expect(calls).toEqual(['long', 'next'])
    long.resolve()
    await expect(outcome).resolves.toBe('ended')
  })

  it('waits for no call longer than the limit', async () => {
    const { all, calls } = queue()
    const outcome = all.add(() => new Promise(() => undefined))
    void all.add(() => void calls.push('next'))
    await jest.advanceTimersByTimeAsync(999)
    expect(calls).toEqual([])
    await jest.advanceTimersByTimeAsync(1)
    await expect(outcome).resolves.toBe('late')
    expect(calls).toEqual(['late', 'next'])
  })

  it('counts the limit from the call, not from when it was added', async () => {
    const { all } = queue()
    const held = new Deferred()
    void all.add(() => held.promise)
    let outcome = ''
    void all.add(() => new Promise(() => undefined), { holdsUp: false }).then((how) => (outcome = how))
    await jest.advanceTimersByTimeAsync(900)
    held.resolve()
    await jest.advanceTimersByTimeAsync(900)
    expect(outcome).toBe('')
    await jest.advanceTimersByTimeAsync(100)
    expect(outcome).toBe('late')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('reports what a call %s, and goes on', async (_, call) => {
    const { all, calls, errors } = queue()
    await expect(all.add(call)).resolves.toBe('ended')
    await all.add(() => void calls.push('next'))
    expect([errors, calls]).toEqual([[new Error('no')], ['next']])
  })

  it('makes no call once it is closed, and waits for none', async () => {
    const { all, calls, errors } = queue()
    const running = new Deferred()
    const first = all.add(() => running.promise)
    const second = all.add(() => void calls.push('second'))
    await jest.advanceTimersByTimeAsync(0)
    all.close()
    await expect(first).resolves.toBe('ended')
    await expect(second).resolves.toBe('closed')
    running.reject(new Error('too late to matter'))
    await jest.advanceTimersByTimeAsync(0)
    expect([calls, errors, jest.getTimerCount()]).toEqual([[], [], 0])
  })
})
