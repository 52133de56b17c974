import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { AppendSession, NO_SESSION } from './append-session.js'

let now: number
beforeEach(() => {
  now = 1_000
  jest.spyOn(performance, 'now').mockImplementation(() => now)
})
afterEach(() => {
  jest.restoreAllMocks()
})

function connection({ cluster = false, usable = true } = {}) {
  const listeners: (() => void)[] = []
  return {
    cluster,
    usable,
    onReconnect: (listener: () => void) => {
      listeners.push(listener)
      return () => undefined
    },
    reconnected: () => listeners.forEach((listener) => listener()),
  }
}

describe('an append session', () => {
  it('lasts for 5 ms, however much is appended', () => {
    const session = new AppendSession(connection())
    const { id } = session
    expect(id).toHaveLength(8)
    expect(id).not.toEqual(NO_SESSION)
    now += 4
    expect(session.id).toEqual(id)
    now += 1
    expect(session.id).not.toEqual(id)
  })

  it('ends with the connection, and after a call that failed', () => {
    const own = connection()
    const session = new AppendSession(own)
    const { id } = session
    own.reconnected()
    const second = session.id
    expect(second).not.toEqual(id)
    session.end()
    expect(session.id).not.toEqual(second)
  })

  it('is nobody else’s', () => {
    const own = connection()
    expect(new AppendSession(own).id).not.toEqual(new AppendSession(own).id)
  })

  it('is none while the connection is lost: the call will go out over another one', () => {
    const own = connection()
    const session = new AppendSession(own)
    expect(session.id).not.toEqual(NO_SESSION)
    own.usable = false
    expect(session.id).toEqual(NO_SESSION)
  })

  it('is none in a Cluster, where a call may end at any node', () => {
    expect(new AppendSession(connection({ cluster: true })).id).toEqual(NO_SESSION)
  })
})
