import { describe, expect, it } from '@jest/globals'
import { waitFor } from './wait-for.js'

describe('waitFor', () => {
  it('gives the first truthy answer, and takes an error for not yet', async () => {
    let asked = 0
    const check = async (): Promise<string | null> => {
      asked++
      if (asked === 1) throw new Error('not yet')
      return asked === 4 ? 'there' : null
    }
    expect(await waitFor(check, { what: 'the fourth time' })).toBe('there')
    expect(asked).toBe(4)
  })

  it('fails at the deadline, naming what it waited for and what came last', async () => {
    const options = { what: 'the end of days', deadline: 30 }
    await expect(waitFor(() => 0, options)).rejects.toThrow('Waited 30 ms for the end of days; the last answer was 0')
    const failing = (): never => {
      throw new Error('no such day')
    }
    await expect(waitFor(failing, options)).rejects.toThrow(/the last try failed: Error: no such day/)
  })

  it('does not wait for a try that does not end', async () => {
    const never = waitFor(() => new Promise(() => {}), { what: 'an answer', deadline: 30 })
    await expect(never).rejects.toThrow('Waited 30 ms for an answer; the last try has not ended')
  })
})
