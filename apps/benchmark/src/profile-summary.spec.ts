import { describe, expect, it } from '@jest/globals'
import { selfTimes } from './profile-summary.js'

describe('selfTimes', () => {
  it('adds up the time of each function wherever it was called from, and leaves out idleness', () => {
    const node = (id: number, functionName: string, url: string) => ({
      id,
      callFrame: { functionName, url, scriptId: '1', lineNumber: 9, columnNumber: 0 },
    })
    const profile = {
      nodes: [
        node(1, '(idle)', ''),
        node(2, 'encode', 'file:///a/b/c/d.js'),
        node(3, 'encode', 'file:///a/b/c/d.js'),
        node(4, '', ''),
      ],
      startTime: 0,
      endTime: 100,
      samples: [1, 2, 3, 4, 2],
      timeDeltas: [60, 10, 10, 10, 10],
    }
    expect(selfTimes(profile, 5)).toEqual([
      { where: expect.stringMatching(/^encode {2}b.c.d\.js:10$/), share: 0.75 },
      { where: '(native code)', share: 0.25 },
    ])
  })
})
