import { CpuProfile } from './cpu-profile.js'
import type { Peer, Topic } from './peers/peer.js'
import type { PeerSettings } from './peers/settings.js'
import { WORKS } from './works/index.js'
import type { Figures, WorkContext, WorkSession } from './works/work.js'

/** Where a connected peer does its works, one at a time. Knows the peer's topics, so that none stays behind. */
export class Workplace implements WorkContext {
  readonly #topics = new Set<Topic>()
  #session: WorkSession | null = null
  #profile: CpuProfile | null = null
  #made = 0

  constructor(
    private readonly peer: Peer<unknown>,
    private readonly name: string,
    readonly settings: PeerSettings,
  ) {}

  async open(number: number): Promise<void> {
    const work = WORKS.find((candidate) => candidate.number === number)
    if (work === undefined) throw new Error(`There is no work ${number}`)
    this.#session = await work.open(this.peer, this)
  }

  async round(options: { seconds: number; checking: boolean; profile: boolean }): Promise<Figures> {
    if (this.#session === null) throw new Error('open comes first')
    // what the last round left behind is not this round's to clear away
    globalThis.gc?.()
    if (!options.profile) return this.#session.round(options)
    this.#profile ??= await CpuProfile.begin()
    await this.#profile.start()
    try {
      return await this.#session.round(options)
    } finally {
      await this.#profile.pause()
    }
  }

  async close(profileFile: string | null): Promise<void> {
    const [session, profile] = [this.#session, this.#profile]
    this.#session = null
    this.#profile = null
    if (profileFile !== null) await profile?.write(profileFile)
    await session?.close()
  }

  async createTopic(partitions: number): Promise<Topic> {
    const topic = { name: `${this.settings.prefix}-${this.name}-${++this.#made}`, partitions }
    this.#topics.add(topic)
    await this.peer.createTopic(topic)
    return topic
  }

  async deleteTopic(topic: Topic): Promise<void> {
    this.#topics.delete(topic)
    await this.peer.deleteTopic(topic)
  }

  /** Deletes what is there, whatever is going on. */
  async end(): Promise<void> {
    await Promise.allSettled([...this.#topics].map((topic) => this.deleteTopic(topic)))
    await this.peer.close()
  }
}
