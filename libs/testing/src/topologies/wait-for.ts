import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOptions {
  /** What is waited for, as it would end the sentence 'Waited 10000 ms for …'. */
  what: string
  /** Milliseconds. Default 10,000. */
  deadline?: number
}

const LONGEST_PAUSE = 50

/**
 * Asks again and again until the answer is truthy, and gives that answer. An error means 'not yet'. After the deadline it
 * rejects, naming what it waited for and the last answer.
 */
export async function waitFor<T>(check: () => T | Promise<T>, { what, deadline = 10_000 }: WaitOptions): Promise<T> {
  const end = performance.now() + deadline
  let last = ''
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const left = Math.max(end - performance.now(), 0)
    const answer = await withTimer<{ value: T } | { error: unknown } | null>(answerOf(check), left, null)
    if (answer !== null && 'value' in answer) {
      if (answer.value) return answer.value
      last = `the last answer was ${String(answer.value)}`
    } else {
      last = answer === null ? 'the last try has not ended' : `the last try failed: ${String(answer.error)}`
    }
    if (performance.now() >= end) throw new Error(`Waited ${deadline} ms for ${what}; ${last}`)
    await sleep(pause)
  }
}

async function answerOf<T>(check: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await check() }
  } catch (error) {
    return { error }
  }
}

function withTimer<T>(promise: Promise<T>, time: number, late: T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(late), time)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
