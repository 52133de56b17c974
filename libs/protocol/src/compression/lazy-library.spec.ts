import { describe, expect, it } from '@jest/globals'
import { lazyLibrary } from './lazy-library.js'

describe('lazyLibrary', () => {
  it('loads once, when it is first needed, and works at once from then on', async () => {
    let loads = 0
    const withLibrary = lazyLibrary('X compression', 'x', async () => ({ answer: 40 + ++loads }))
    expect(loads).toBe(0)
    const first = [withLibrary(({ answer }) => answer), withLibrary(({ answer }) => answer)]
    expect(first.every((result) => result instanceof Promise)).toBe(true)
    expect([await first[0], await first[1]]).toEqual([41, 41])
    expect(withLibrary(({ answer }) => answer + 1)).toBe(42)
  })

  it('names the package that is missing, and tries again when it is needed again', async () => {
    let isInstalled = false
    const withLibrary = lazyLibrary('X compression', '@scope/x', async () => {
      if (!isInstalled) throw new Error('Cannot find package')
      return { answer: 42 }
    })
    await expect(withLibrary(({ answer }) => answer)).rejects.toMatchObject({
      type: 'UNSUPPORTED_COMPRESSION_TYPE',
      message: expect.stringContaining("'@scope/x'"),
      cause: expect.objectContaining({ message: 'Cannot find package' }),
    })
    isInstalled = true
    expect(await withLibrary(({ answer }) => answer)).toBe(42)
  })
})
