import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ReaderMessage, ReaderTask } from './reader-messages.js'

/** How long a reader may take to leave its group and end, ms. */
const END_PATIENCE = 3000

type Listener = (name: string, message: ReaderMessage) => void

/** The processes of the group's members. */
export class Readers {
  readonly #running = new Map<string, ChildProcess>()

  constructor(
    private readonly task: Omit<ReaderTask, 'name'>,
    private readonly onMessage: Listener,
  ) {}

  start(name: string): void {
    const child = fork(fileURLToPath(new URL('reader.js', import.meta.url)), { serialization: 'advanced' })
    this.#running.set(name, child)
    child.on('message', (message: ReaderMessage) => this.onMessage(name, message))
    child.once('exit', (code, signal) => {
      if (!this.#running.delete(name)) return
      this.onMessage(name, { type: 'failed', reason: `its process ended (${signal ?? `exit code ${code}`})` })
    })
    child.send({ ...this.task, name })
  }

  /** Lets them hand over what they read: until then they only join. */
  begin(...names: readonly string[]): void {
    for (const name of names) this.#running.get(name)?.send('begin')
  }

  /** Ends a reader without notice, as a crash would; what it has said before still arrives. */
  kill(name: string): void {
    const child = this.#running.get(name)
    this.#running.delete(name)
    child?.kill('SIGKILL')
  }

  /** Lets all of them leave, and ends those that take too long. */
  async end(): Promise<void> {
    const children = [...this.#running.values()]
    this.#running.clear()
    await Promise.all(
      children.map(async (child) => {
        const exit = once(child, 'exit')
        const timer = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE)
        if (child.connected) child.disconnect()
        await exit
        clearTimeout(timer)
      }),
    )
  }
}
