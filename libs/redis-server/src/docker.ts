import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisServerStartError } from './errors.js'
import { probe } from './probe.js'
import type { RedisServer } from './redis-server.js'
import { runCommand } from './run-command.js'
import { isSupported, tooOld } from './version.js'

const IMAGES = [
  { image: 'redis:8.0', program: 'redis-server' },
  { image: 'valkey/valkey:8.1', program: 'valkey-server' },
]

export interface DockerOptions {
  config: readonly string[]
  appendonly: boolean
  log: (message: string) => void
  /** Pulls an image that is not there. */
  pull: boolean
}

/**
 * Starts a server in a container. The container lives as long as its standard input is open, and this process holds the
 * only other end: however this process ends, the container's first process comes to its end and `--rm` clears it away.
 */
export async function startInDocker({ config, appendonly, log, pull }: DockerOptions): Promise<RedisServer> {
  await runCommand('docker', ['version', '--format', '{{.Server.Version}}'], { deadline: 5_000 })
  const { image, program } = await imageFor(log, pull)
  const name = `rivulet-redis-${randomUUID()}`
  const settings = [
    ...['--bind', '*', '--port', '6379', '--protected-mode', 'no', '--maxmemory-policy', 'noeviction', '--save', ''],
    ...['--appendonly', appendonly ? 'yes' : 'no', ...config],
  ]
  const child = spawn(
    'docker',
    [
      ...['run', '--rm', '--interactive', '--pull', 'never', '--name', name, '--publish', '127.0.0.1::6379', image],
      ...['sh', '-c', `${program} "$@" >&2 & exec cat >/dev/null`, 'sh', ...settings],
    ],
    // a session of its own: Ctrl-C in the terminal must reach this process only
    { detached: process.platform !== 'win32', stdio: ['pipe', 'ignore', 'pipe'], windowsHide: true },
  )
  const container = new Container(name, child)
  try {
    const port = await container.port(Date.now() + 30_000)
    const url = `redis://127.0.0.1:${port}`
    const version = await container.answers(url, Date.now() + 20_000)
    if (!isSupported(version)) throw new Error(`${image}: ${tooOld(version.text)}`)
    container.unref()
    return {
      ...{ url, host: '127.0.0.1', port, version: version.text, kind: 'docker' },
      description: `${version.product} ${version.text} (Docker image ${image})`,
      stop: () => container.stop(),
    }
  } catch (error) {
    await container.stop()
    throw error
  }
}

async function imageFor(log: (message: string) => void, pull: boolean): Promise<(typeof IMAGES)[number]> {
  for (const candidate of IMAGES) {
    if (await hasImage(candidate.image)) return candidate
  }
  const reasons: string[] = []
  const end = Date.now() + 90_000
  for (const candidate of pull ? IMAGES : []) {
    log(`Pulling the Docker image ${candidate.image} (once)`)
    try {
      await runCommand('docker', ['pull', '--quiet', candidate.image], { deadline: Math.max(end - Date.now(), 1_000) })
      return candidate
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(`neither ${IMAGES.map(({ image }) => image).join(' nor ')} is here. ${reasons.join('; ')}`)
}

/** Whether the Docker engine answers and has the image. */
export async function hasImage(image: string): Promise<boolean> {
  return runCommand('docker', ['image', 'inspect', '--format', '{{.Id}}', image], { deadline: 10_000 }).then(
    () => true,
    () => false,
  )
}

class Container {
  readonly #name: string
  readonly #child: ChildProcess
  #said = ''
  #running = true
  readonly #exit: Promise<void>

  constructor(name: string, child: ChildProcess) {
    this.#name = name
    this.#child = child
    child.stdin?.on('error', () => {}) // the client has ended: 'exit' tells
    child.stderr?.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-2_000)))
    this.#exit = new Promise((resolve) => {
      const ended = (): void => {
        this.#running = false
        resolve()
      }
      child.once('exit', ended)
      child.once('error', ended)
    })
  }

  async port(deadline: number): Promise<number> {
    for (;;) {
      const found = await this.#docker('port', this.#name, '6379/tcp').catch(() => '')
      const port = /:(\d+)\s*$/m.exec(found)?.[1]
      if (port !== undefined) return Number(port)
      await this.#wait(deadline, 'has no port')
    }
  }

  async answers(url: string, deadline: number): Promise<Awaited<ReturnType<typeof probe>>> {
    for (;;) {
      const version = await probe(url, 2_000).catch(() => null)
      if (version !== null) return version
      await this.#wait(deadline, 'does not answer')
    }
  }

  async #wait(deadline: number, what: string): Promise<void> {
    if (!this.#running || Date.now() > deadline) {
      throw new RedisServerStartError(`the container ${this.#running ? what : 'ended at once'}: ${this.#said.trim()}`)
    }
    await sleep(30)
  }

  unref(): void {
    this.#child.unref()
    // both stay open: the container lives by the one, and its client would die of writing to the other
    for (const stream of [this.#child.stdin, this.#child.stderr]) if (stream instanceof Socket) stream.unref()
  }

  async stop(): Promise<void> {
    if (!this.#running) return
    this.#child.ref()
    this.#child.stdin?.end()
    const ended = this.#exit.then(() => true)
    if (await Promise.race([ended, sleep(10_000, false, { ref: false })])) return
    await this.#docker('rm', '--force', '--volumes', this.#name)
  }

  #docker(...args: string[]): Promise<string> {
    return runCommand('docker', args, { deadline: 10_000 })
  }
}
