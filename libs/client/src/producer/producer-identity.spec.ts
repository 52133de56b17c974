import { describe, expect, it } from '@jest/globals'

import { newProducerId, ProducerIdentity, sequenceAfter } from './producer-identity.js'

describe('newProducerId', () => {
  it('gives distinct positive safe integers', () => {
    const ids = new Set(Array.from({ length: 10_000 }, newProducerId))
    expect(ids.size).toBe(10_000)
    for (const id of ids) expect(Number.isSafeInteger(id) && id > 0).toBe(true)
  })
})

describe('sequenceAfter', () => {
  it('begins again at 0 after 2^31 - 1', () => {
    expect(sequenceAfter(0, 5)).toBe(5)
    expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0)
    expect(sequenceAfter(2 ** 31 - 2, 5)).toBe(3)
  })
})

describe('ProducerIdentity', () => {
  it('goes on after what was stored', () => {
    const identity = new ProducerIdentity(7)
    identity.advance(0, 10)
    expect(identity).toMatchObject({ producerId: 7, epoch: 0, nextSequence: 10 })
  })

  it('begins at sequence 0 under a new epoch', () => {
    const identity = new ProducerIdentity(7)
    identity.advance(0, 10)
    identity.raiseEpoch()
    expect(identity).toMatchObject({ producerId: 7, epoch: 1, nextSequence: 0 })
  })

  it('becomes another producer when the epochs of 16 bits are used up', () => {
    const identity = new ProducerIdentity(7)
    for (let i = 0; i < 32_767; i++) identity.raiseEpoch()
    expect(identity).toMatchObject({ producerId: 7, epoch: 32_767 })
    identity.raiseEpoch()
    expect(identity.producerId).not.toBe(7)
    expect(identity).toMatchObject({ epoch: 0, nextSequence: 0 })
  })
})
