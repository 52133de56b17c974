import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import { Kafka, logLevel } from '@rivulet/client'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const RECORDS = 20_000

/** The run's server. */
const url = process.env['RIVULET_TEST_REDIS_URL']?.split(',')[0]
const children = new Set<ChildProcess>()

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

interface Run {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exit: Promise<number | null>
}

/** Runs the demo as `npm run demo` does. */
function run(...args: string[]): Run {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: \`npm run build\` first`)
  if (!url) throw new Error(process.env['RIVULET_TEST_REDIS_ERROR'] ?? 'There is no RIVULET_TEST_REDIS_URL')
  const { RIVULET_REDIS_SERVER_BINARY: _, ...others } = process.env
  const env = { ...others, REDIS_URL: url }
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => (output += text))
  }
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, output: () => output, exit }
}

/** Waits until the child has said it. */
function said({ child, output }: Run, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (output().includes(text)) resolve()
    }
    child.stdout?.on('data', look)
    child.once('close', () => reject(new Error(`ended without saying ${text}:\n${output()}`)))
    look()
  })
}

async function topicsOf(namespace: string): Promise<string[]> {
  const admin = new Kafka({ brokers: [url ?? ''], namespace, logLevel: logLevel.ERROR }).admin()
  await admin.connect()
  try {
    return await admin.listTopics()
  } finally {
    await admin.disconnect()
  }
}

describe('the demo', () => {
  it('sends flights through a topic and back, says so, and leaves no topic behind', async () => {
    const namespace = `flights-${randomUUID()}`
    const demo = run('--records', String(RECORDS), '--namespace', namespace)
    const code = await demo.exit
    const lines = demo.output().split('\n')
    const [produced, consumed] = ['Produced ', 'Consumed '].map((name) => lines.find((line) => line.startsWith(name)))
    expect(produced).toMatch(/^Produced +20,000 +\d+ +2\.\d MB /)
    expect(consumed).toMatch(/^Consumed +20,000 +\d+ +2\.\d MB /)
    expect(consumed?.split(/ +/).at(-1)).toBe(produced?.split(/ +/).at(-1))
    expect(lines).toContain("Check passed: each of the 20,000 flights came back, unchanged and in its key's order")
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100)
    expect(code).toBe(0)
    expect(await topicsOf(namespace)).toEqual([])
  })

  it('stops on Ctrl-C with exit code 130, and leaves no topic behind', async () => {
    const namespace = `flights-${randomUUID()}`
    const demo = run('--all', '--namespace', namespace)
    await said(demo, 'Topic flights')
    demo.child.kill('SIGINT')
    expect(await demo.exit).toBe(130)
    expect(demo.output()).toContain('Interrupted (SIGINT)')
    expect(await topicsOf(namespace)).toEqual([])
  })

  it('refuses an argument that it does not know, naming it', async () => {
    const demo = run('--recrods', '5')
    expect(await demo.exit).toBe(2)
    expect(demo.output()).toContain("Unknown option '--recrods'")
  })
})
