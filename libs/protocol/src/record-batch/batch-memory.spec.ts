import { describe, expect, it } from '@jest/globals'

import { allocateBatch } from './batch-memory.js'

describe('allocateBatch', () => {
  it('gives each batch bytes that no other one has, in however many slabs', () => {
    const sizes = Array.from({ length: 500 }, (_, i) => 61 + ((i * 977) % 9000))
    const batches = sizes.map((size) => allocateBatch(size))
    for (const [i, batch] of batches.entries()) batch.fill(i % 251)
    for (const [i, batch] of batches.entries()) {
      expect(batch.length).toBe(sizes[i])
      expect(batch.every((byte) => byte === i % 251)).toBe(true)
    }
    expect(new Set(batches.map(({ buffer }) => buffer)).size).toBeLessThan(50)
  })

  it('shares no slab with a large batch, which would hold it for long', () => {
    const large = allocateBatch(100_000)
    expect(large.length).toBe(100_000)
    expect(large.buffer.byteLength).toBe(100_000)
    expect(allocateBatch(100).buffer).not.toBe(large.buffer)
  })
})
