import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'

import { BufferMemory } from './buffer-memory.js'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

const recorder = (log: string[], memory: BufferMemory, bytes: number, name: string) => ({
  admit: () => {
    log.push(name)
    memory.take(bytes)
  },
  expire: () => void log.push(`${name} expired`),
})

describe('BufferMemory', () => {
  it('lets newcomers in while less than the limit is used', () => {
    const memory = new BufferMemory(100, 1000)
    memory.take(99)
    expect(memory.available).toBe(true)
    memory.take(50)
    expect(memory.available).toBe(false)
    memory.release(60)
    expect(memory.available).toBe(true)
  })

  it('lets waiters in first come, first served, and nobody before them', () => {
    const memory = new BufferMemory(100, 1000)
    const log: string[] = []
    memory.take(150)
    memory.wait(recorder(log, memory, 80, 'a'))
    memory.wait(recorder(log, memory, 80, 'b'))
    memory.wait(recorder(log, memory, 1, 'c'))
    memory.release(40)
    expect(log).toEqual([])
    memory.release(60)
    expect(log).toEqual(['a'])
    expect(memory.available).toBe(false)
    memory.release(50)
    expect(log).toEqual(['a', 'b'])
    memory.release(100)
    expect(log).toEqual(['a', 'b', 'c'])
    expect(memory).toMatchObject({ used: 61, waiting: 0, available: true })
  })

  it('ends a wait after maxBlockMs, each by its own time', () => {
    const memory = new BufferMemory(100, 1000)
    const log: string[] = []
    memory.take(100)
    memory.wait(recorder(log, memory, 1, 'a'))
    jest.advanceTimersByTime(400)
    memory.wait(recorder(log, memory, 1, 'b'))
    jest.advanceTimersByTime(599)
    expect(log).toEqual([])
    jest.advanceTimersByTime(1)
    expect(log).toEqual(['a expired'])
    jest.advanceTimersByTime(400)
    expect(log).toEqual(['a expired', 'b expired'])
    expect(jest.getTimerCount()).toBe(0)
  })

  it('keeps no timer once nobody waits', () => {
    const memory = new BufferMemory(100, 1000)
    const log: string[] = []
    memory.take(100)
    memory.wait(recorder(log, memory, 1, 'a'))
    expect(jest.getTimerCount()).toBe(1)
    memory.release(1)
    expect(jest.getTimerCount()).toBe(0)
    memory.take(100)
    memory.wait(recorder(log, memory, 1, 'b'))
    memory.close()
    expect(log).toEqual(['a', 'b expired'])
    expect(jest.getTimerCount()).toBe(0)
  })
})
