import { findRedisBinary, type RedisServerProcess, startRedisServer, type StartOptions } from '@rivulet/redis-server'
import { sendCommand, serverInfo } from './servers.js'
import { TcpProxy } from './tcp-proxy.js'
import { waitFor } from './wait-for.js'

export interface ReplicatedOptions {
  /** Default 2. */
  replicas?: number
  binary?: StartOptions['binary']
  /** Further settings for all servers, as on redis-server's command line. */
  config?: readonly string[]
  /** All servers keep an append-only file. Default false. */
  appendonly?: boolean
}

/** A server and the way by which it reaches its primary: cut, freeze or delay that to make the replica fall behind. */
export interface Replica {
  readonly server: RedisServerProcess
  readonly link: TcpProxy
}

/** Starts a primary with replicas, all in sync when it resolves. */
export async function startReplicated(options: ReplicatedOptions = {}): Promise<Replicated> {
  return Replicated.start(options)
}

/** A primary and its replicas. Stop it at the end. */
export class Replicated {
  /** Clients that connect here reach the primary of the time, as with a managed Redis's primary endpoint. */
  readonly endpoint: TcpProxy
  readonly #options: StartOptions
  #primary: RedisServerProcess
  #replicas: Replica[] = []
  readonly #servers = new Set<RedisServerProcess>()
  readonly #proxies = new Set<TcpProxy>()

  private constructor(primary: RedisServerProcess, endpoint: TcpProxy, options: StartOptions) {
    this.#primary = primary
    this.endpoint = endpoint
    this.#options = options
    this.#servers.add(primary)
    this.#proxies.add(endpoint)
  }

  static async start({
    replicas = 2,
    binary,
    config = [],
    appendonly = false,
  }: ReplicatedOptions): Promise<Replicated> {
    const options: StartOptions = {
      binary: typeof binary === 'object' ? binary : await findRedisBinary(binary === undefined ? {} : { binary }),
      // From a file, a full sync is over as soon as it is sent; a diskless one only with the replica's next word, up to a
      // second later. Pings often enough that a lag is noticed while a spec runs.
      config: ['--repl-diskless-sync', 'no', '--repl-ping-replica-period', '1', ...config],
      appendonly,
    }
    const primary = await startRedisServer(options)
    const replicated = new Replicated(primary, await TcpProxy.start(primary), options)
    try {
      await Promise.all(Array.from({ length: replicas }, () => replicated.addReplica()))
      return replicated
    } catch (error) {
      await replicated.stop()
      throw error
    }
  }

  /** The endpoint's. */
  get url(): string {
    return this.endpoint.url
  }

  get primary(): RedisServerProcess {
    return this.#primary
  }

  get replicas(): readonly Replica[] {
    return this.#replicas
  }

  async addReplica(): Promise<Replica> {
    const server = await startRedisServer(this.#options)
    this.#servers.add(server)
    return this.follow(server)
  }

  /** Makes a server (a former primary, one that was restarted) a replica of the primary, and waits until it is in sync. */
  async follow(server: RedisServerProcess): Promise<Replica> {
    const link = await TcpProxy.start(this.#primary)
    this.#proxies.add(link)
    await sendCommand(server, 'REPLICAOF', link.host, link.port)
    const replica = { server, link }
    this.#replicas.push(replica)
    await this.#online(server)
    return replica
  }

  /**
   * Makes a replica the primary, in sync or not, as a failover does: the endpoint and the other replicas turn to it (a full
   * or partial sync is under way when this resolves; see `inSync`). The former primary is left as it is, alive or not, and
   * does not know: who still talks to it directly talks to a second primary.
   */
  async promote(replica: Replica): Promise<void> {
    await sendCommand(replica.server, 'REPLICAOF', 'NO', 'ONE')
    this.#primary = replica.server
    this.#replicas = this.#replicas.filter((other) => other !== replica)
    for (const proxy of [this.endpoint, ...this.#replicas.map(({ link }) => link)]) {
      proxy.retarget(replica.server)
      proxy.cut()
    }
    await replica.link.close()
  }

  /** Resolves when every replica that runs has all that the primary has written by now. */
  async inSync(deadline = 10_000): Promise<void> {
    const { master_repl_offset: offset, master_replid: id } = await serverInfo(this.#primary, 'replication')
    for (const replica of this.#replicas.filter(({ server }) => server.running)) {
      await waitFor(
        async () => {
          const info = await serverInfo(replica.server, 'replication')
          const reached = Number(info['slave_repl_offset']) >= Number(offset)
          return info['master_link_status'] === 'up' && info['master_replid'] === id && reached
        },
        { what: `the replica on port ${replica.server.port} to reach offset ${offset}`, deadline },
      )
    }
  }

  async #online(replica: RedisServerProcess): Promise<void> {
    await waitFor(
      async () => {
        const info = await serverInfo(replica, 'replication')
        // the replica finds its link up before the primary sends it what is written, and counts it in WAIT
        const seen = Object.values(await serverInfo(this.#primary, 'replication'))
        const online = seen.some((line) => line.includes(`port=${replica.port},state=online`))
        return info['master_link_status'] === 'up' && online
      },
      { what: `the replica on port ${replica.port} to be in sync`, deadline: 15_000 },
    )
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#proxies].map((proxy) => proxy.close()))
    await Promise.all([...this.#servers].map((server) => server.stop()))
  }
}
