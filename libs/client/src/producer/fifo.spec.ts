import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'

import { Fifo } from './fifo.js'

describe('Fifo', () => {
  it('gives what an array with push and shift gives', () => {
    const operations = fc.array(
      fc.oneof(
        fc.nat().map((n) => n + 1),
        fc.constant(null),
      ),
      { maxLength: 5000, size: 'max' },
    )
    fc.assert(
      fc.property(operations, (steps) => {
        const fifo = new Fifo<number>()
        const model: number[] = []
        for (const step of steps) {
          if (step !== null) {
            fifo.push(step)
            model.push(step)
          } else if (fifo.shift() !== model.shift()) return false
          if (fifo.length !== model.length || fifo.peek() !== model[0]) return false
        }
        return fifo.drain().every((item, i) => item === model[i]) && fifo.length === 0
      }),
      { numRuns: 30 },
    )
  })

  it('keeps its order when what was taken is cleared away', () => {
    const fifo = new Fifo<number>()
    for (let i = 0; i < 10_000; i++) fifo.push(i)
    for (let i = 0; i < 9_000; i++) expect(fifo.shift()).toBe(i)
    fifo.push(10_000)
    expect(fifo.drain()).toEqual(Array.from({ length: 1_001 }, (_, i) => 9_000 + i))
  })
})
