import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Command, isReply, type Reply } from './messages.js'
import type { PeerName, PeerSettings } from './peers/settings.js'
import type { Figures } from './works/work.js'

/** How long anything may take, ms: filling a topic is what takes longest. */
const PATIENCE = 300_000
/** How long tidying up may take, ms. */
const END_PATIENCE = 5000

/** A peer in a process of its own, which lives as long as the run: what its JIT has learned, it keeps. */
export class PeerProcess {
  readonly #child: ChildProcess
  /** What is measured, with versions, once it is connected. */
  description = ''

  constructor(readonly name: PeerName) {
    this.#child = fork(fileURLToPath(new URL('peer-main.js', import.meta.url)), [name], {
      // kafkajs computes some of its timers so; they fire at once, as meant
      execArgv: ['--expose-gc', '--disable-warning=TimeoutNegativeWarning'],
    })
  }

  /** @returns what is missing; null: it is connected */
  async connect(settings: PeerSettings): Promise<string | null> {
    const reply = await this.#ask({ type: 'connect', settings })
    if (reply.type === 'missing') return reply.reason
    if (reply.type === 'connected') this.description = reply.description
    return null
  }

  async open(work: number): Promise<void> {
    await this.#ask({ type: 'open', work })
  }

  async round(options: { seconds: number; checking: boolean; profile: boolean }): Promise<Figures> {
    const reply = await this.#ask({ type: 'round', ...options })
    if (reply.type !== 'figures') throw new Error(`${this.name} answered ${reply.type} instead of figures`)
    return reply.figures
  }

  async close(profileFile: string | null): Promise<void> {
    await this.#ask({ type: 'close', profileFile })
  }

  /** Topics are deleted; then, or when that takes too long, the process ends. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_PATIENCE)
    if (this.#child.connected) this.#child.disconnect()
    await exit
    clearTimeout(timer)
  }

  /** @throws Error what the process said has failed, that it ended, or that it does not answer */
  async #ask(command: Command): Promise<Reply> {
    const over = new AbortController()
    const timer = setTimeout(
      () => over.abort(new Error(`${this.name}: no answer to ${command.type} within ${PATIENCE / 1000} s`)),
      PATIENCE,
    )
    const onExit = (): void => over.abort(new Error(`${this.name}: its process has ended`))
    this.#child.once('exit', onExit)
    try {
      const answer = once(this.#child, 'message', { signal: over.signal })
      this.#child.send(command)
      const reply: unknown = (await answer)[0]
      if (!isReply(reply)) throw new Error(`${this.name}: what came is no reply`)
      if (reply.type === 'failed') throw new Error(`${this.name}: ${reply.reason}`)
      return reply
    } catch (error) {
      throw over.signal.aborted ? over.signal.reason : error
    } finally {
      clearTimeout(timer)
      this.#child.off('exit', onExit)
    }
  }
}
