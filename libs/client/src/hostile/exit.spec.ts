import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { expect, it } from '@jest/globals'
import { startSingle } from '@rivulet/testing'

const SUPPORT = join(import.meta.dirname, '../../spec-support')
const NODE = ['--disable-warning=ExperimentalWarning', '--conditions=@rivulet/source', '--unhandled-rejections=strict']

interface Ending {
  readonly disconnect: number
  /** From disconnect()'s end to the process's, in ms; null where it had to be killed. */
  readonly exit: number | null
  readonly code: number | null
}

async function endingOf(scenario: string, server: 'healthy' | 'frozen' | 'dead'): Promise<Ending> {
  const redis = await startSingle()
  const strike = async (): Promise<void> => {
    if (server === 'frozen') await redis.kill('SIGSTOP')
    if (server === 'dead') await redis.kill()
  }
  if (scenario === 'connecting') await strike()
  const program = ['--import', join(SUPPORT, 'typescript-loader.mjs'), join(SUPPORT, 'exiting-program.ts')]
  const child = spawn(process.execPath, [...NODE, ...program, redis.url, scenario], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let [disconnect, at, killed] = [Infinity, Infinity, false]
  let timer: NodeJS.Timeout | undefined
  const exited = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') {
      await strike()
      child.stdin.write('go\n')
    } else {
      disconnect = Number(line)
      at = performance.now()
      timer = setTimeout(() => {
        killed = true
        child.kill('SIGKILL')
      }, 3000)
    }
  }
  const ending: readonly unknown[] = await exited
  const [code] = ending
  clearTimeout(timer)
  await redis.stop()
  return { disconnect, exit: killed ? null : performance.now() - at, code: typeof code === 'number' ? code : null }
}

const IN_TIME = { disconnect: expect.any(Number), exit: expect.any(Number), code: 0 }

it.each([
  ['running', 'healthy'],
  ['running', 'frozen'],
  ['stuck', 'frozen'],
  ['throwing', 'dead'],
  ['paused', 'frozen'],
  ['pending', 'frozen'],
  ['pending', 'dead'],
  ['linger', 'healthy'],
  ['connecting', 'frozen'],
] as const)(
  'a process ends by itself after disconnect (%s, the server %s), which takes a second at most',
  async (scenario, server) => {
    const ending = await endingOf(scenario, server)
    expect(ending).toEqual(IN_TIME)
    expect(ending.disconnect).toBeLessThan(1000)
    expect(ending.exit).toBeLessThan(2000)
  },
)
