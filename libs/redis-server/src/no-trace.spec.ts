import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { transformFile } from '@swc/core'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { hasImage } from './docker.js'
import { findRedisBinary } from './find-binary.js'
import { runCommand } from './run-command.js'

const dockerHere = (await hasImage('redis:8.0')) || (await hasImage('valkey/valkey:8.1'))
const describeInDocker = dockerHere ? describe : describe.skip
if (!dockerHere) {
  process.stderr.write('NOT TESTED: Docker: no engine answers, or it has neither redis:8.0 nor valkey/valkey:8.1\n')
}

interface Running {
  process: ChildProcess
  /** Its children: servers and janitor. */
  children: number[]
  /** Its servers' folders. */
  folders: string[]
  /** How it ended: a status or a signal. */
  end: Promise<unknown>
}

// The real thing: Node processes that start servers and come to an end in every way there is.
describe('a process that started a server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'no-trace-'))
  let library: string
  let start: string

  beforeAll(async () => {
    library = await compiled()
    const binary = JSON.stringify(await findRedisBinary())
    start = `
      const { startRedisServer } = await import(${JSON.stringify(library)})
      const servers = await Promise.all([1, 2].map(() => startRedisServer({ binary: ${binary} })))
      console.log(JSON.stringify(servers.map(({ folder }) => folder)))`
  }, 60_000)

  afterAll(() => rmSync(folder, { recursive: true }))

  /** What plain Node can run, made from the sources as they are now. */
  async function compiled(): Promise<string> {
    const sources = fileURLToPath(new URL('.', import.meta.url))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const name of readdirSync(sources).filter((name) => /(?<!\.spec)\.ts$/.test(name))) {
      const { code } = await transformFile(join(sources, name), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      })
      writeFileSync(join(folder, name.replace(/\.ts$/, '.js')), code)
    }
    return pathToFileURL(join(folder, 'index.js')).href
  }

  async function run(script: string): Promise<Running> {
    const file = join(folder, `${Math.random()}.mjs`)
    writeFileSync(file, script)
    // a process group of its own, as a shell gives a command in the foreground
    const child = spawn(process.execPath, [file], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const end = once(child, 'exit').then(([status, signal]: unknown[]) => signal ?? status)
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += String(chunk)))
    const first = await Promise.race([
      once(child.stdout, 'data').then(([chunk]) => String(chunk)),
      end.then(() => null),
    ])
    if (first === null) throw new Error(`It ended early: ${errors}`)
    const folders: unknown = JSON.parse(first)
    const children = childrenOf(child.pid ?? 0)
    return { process: child, children, folders: Array.isArray(folders) ? folders.map(String) : [], end }
  }

  async function expectNoTrace({ children, folders }: Running): Promise<void> {
    expect(folders).toHaveLength(2)
    await until(() => {
      const left = processes().filter(
        ({ pid, line }) => children.includes(pid) || folders.some((at) => line.includes(at)),
      )
      return left.length === 0 && !folders.some((folder) => existsSync(folder))
    })
  }

  it.each(['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends by %s as any process does, and leaves nothing behind',
    async (signal) => {
      const running = await run(`${start}\nsetInterval(() => {}, 1000)`)
      expect(running.folders.every((folder) => existsSync(folder))).toBe(true)
      // two servers and the janitor
      expect(running.children).toHaveLength(3)
      // to the whole group, as a terminal's Ctrl-C and hang-up are
      process.kill(-(running.process.pid ?? 0), signal)
      expect(await running.end).toBe(signal)
      await expectNoTrace(running)
    },
  )

  it.each([
    ['at its normal end, which the servers do not put off,', '', 0],
    ['by process.exit', 'process.exit(7)', 7],
    ['by an exception that nobody catches', 'setImmediate(() => { throw new Error("x") })', 1],
    ['by a rejection that nobody handles', 'Promise.reject(new Error("x"))', 1],
  ])('leaves nothing behind %s', async (_, script, status) => {
    const running = await run(`${start}\n${script}`)
    expect(await running.end).toBe(status)
    await expectNoTrace(running)
  })

  it('leaves nothing behind when it is killed while servers are starting', async () => {
    for (const moment of [0, 1, 2, 3, 5, 8, 12, 18, 25]) {
      // all that it starts is in its temporary folder, and its servers work there
      const temp = mkdtempSync(join(folder, 'tmp-'))
      const { end } = await run(`
        process.env.TMPDIR = ${JSON.stringify(temp)}
        await import(${JSON.stringify(library)})
        console.log('[]')
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${moment})
        ${start}
        setInterval(() => {}, 1000)`)
      expect(await end).toBe('SIGKILL')
      await until(() => readdirSync(temp).length === 0 && !processes().some(({ line }) => line.includes(temp)))
    }
  })

  describeInDocker('in Docker', () => {
    async function runContainer(script: string): Promise<{ running: Running; container: string }> {
      const running = await run(`
        const { findRedisServer } = await import(${JSON.stringify(library)})
        const server = await findRedisServer({ ways: ['docker'], env: {}, pull: false })
        console.log(JSON.stringify([String(server.port)]))
        ${script}`)
      const [port = ''] = running.folders
      const list = await docker('ps', '--format', '{{.ID}} {{.Ports}}')
      const line = list.split('\n').find((line) => line.includes(`127.0.0.1:${port}->`))
      return { running, container: line?.split(' ')[0] ?? '' }
    }

    function docker(...args: string[]): Promise<string> {
      return runCommand('docker', args, { deadline: 10_000 })
    }

    it.each([
      ['is killed', 'setInterval(() => {}, 1000)', 'SIGKILL' as const, 'SIGKILL'],
      ['is ended by Ctrl-C', 'setInterval(() => {}, 1000)', 'SIGINT' as const, 'SIGINT'],
      ['ends', '', null, 0],
    ])('leaves no container behind when it %s', async (_, script, signal, expected) => {
      const { running, container } = await runContainer(script)
      expect(container || signal === null).toBeTruthy()
      if (signal !== null) process.kill(-(running.process.pid ?? 0), signal)
      expect(await running.end).toBe(expected)
      await until(async () => container === '' || !(await docker('ps', '--all', '--quiet')).includes(container))
    })
  })
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Not so within 10 s: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function childrenOf(parent: number): number[] {
  return processes()
    .filter((process) => process.parent === parent)
    .map(({ pid }) => pid)
}

/** All processes that run; those that have ended and wait for their parent to notice do not. */
function processes(): { pid: number; parent: number; line: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        // a server gives itself another name than its command line, but its folder stays where it works
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8') + readlinkSync(`/proc/${name}/cwd`)
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), line }]
      } catch {
        return [] // it has just ended
      }
    })
}
