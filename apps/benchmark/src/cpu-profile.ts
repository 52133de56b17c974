import { writeFile } from 'node:fs/promises'
import { type Profiler, Session } from 'node:inspector/promises'

/** Between two samples, µs. */
const INTERVAL = 200

/** A CPU profile of this process. What is written is that of the last round: profiles of several cannot be joined. */
export class CpuProfile {
  readonly #session = new Session()
  #last: Profiler.Profile | null = null

  static async begin(): Promise<CpuProfile> {
    const profile = new CpuProfile()
    profile.#session.connect()
    await profile.#session.post('Profiler.enable')
    await profile.#session.post('Profiler.setSamplingInterval', { interval: INTERVAL })
    return profile
  }

  async start(): Promise<void> {
    await this.#session.post('Profiler.start')
  }

  async pause(): Promise<void> {
    const { profile } = await this.#session.post('Profiler.stop')
    this.#last = profile
  }

  async write(file: string): Promise<void> {
    if (this.#last !== null) await writeFile(file, JSON.stringify(this.#last))
    this.#session.disconnect()
  }
}
