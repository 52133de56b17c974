import {
  findRedisBinary,
  freePort,
  type RedisServerProcess,
  startRedisServer,
  type StartOptions,
} from '@rivulet/redis-server'
import { fieldsOf, sendCommand, serverInfo } from './servers.js'
import { waitFor } from './wait-for.js'

const SLOTS = 16384

export interface ClusterOptions {
  /** Default 3. */
  primaries?: number
  /** Of each primary. Default 0. */
  replicas?: number
  binary?: StartOptions['binary']
  /** Further settings for all nodes, as on redis-server's command line. */
  config?: readonly string[]
  /** All nodes keep an append-only file. Default false. */
  appendonly?: boolean
  /** Milliseconds without an answer after which the others hold a node for failed. Default 2,000. */
  nodeTimeout?: number
}

export interface ClusterNode {
  readonly server: RedisServerProcess
  /** As CLUSTER MYID says. */
  readonly id: string
  /** The port of the cluster bus. */
  readonly busPort: number
}

/** Starts a Redis Cluster whose slots are spread evenly; all nodes agree on that when it resolves (in about 3 s). */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { primaries: primaryCount = 3, replicas: replicasEach = 0 } = options
  const nodes = await startNodes(primaryCount * (1 + replicasEach), options)
  const cluster = new RedisCluster(nodes)
  try {
    const primaries = nodes.slice(0, primaryCount)
    for (const [index, { server }] of primaries.entries()) {
      const first = Math.ceil((index * SLOTS) / primaryCount)
      const next = Math.ceil(((index + 1) * SLOTS) / primaryCount)
      await sendCommand(server, 'CLUSTER', 'ADDSLOTSRANGE', first, next - 1)
      await sendCommand(server, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    }
    await introduce(nodes)
    for (const [index, { server }] of nodes.slice(primaryCount).entries()) {
      const primary = nodes[index % primaryCount]
      if (primary !== undefined) await sendCommand(server, 'CLUSTER', 'REPLICATE', primary.id)
    }
    await cluster.ready()
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

async function startNodes(count: number, options: ClusterOptions): Promise<ClusterNode[]> {
  const { binary: given, config = [], appendonly = false, nodeTimeout = 2_000 } = options
  const binary = typeof given === 'object' ? given : await findRedisBinary(given === undefined ? {} : { binary: given })
  const starts = Array.from({ length: count }, async () => {
    // a port for the bus of its own: the default, the client port + 10000, need not exist
    const busPort = await freePort()
    const server = await startRedisServer({
      ...{ binary, appendonly },
      config: [
        ...[
          '--cluster-enabled',
          'yes',
          '--cluster-port',
          String(busPort),
          '--cluster-node-timeout',
          String(nodeTimeout),
        ],
        ...['--cluster-announce-ip', '127.0.0.1', '--repl-diskless-sync', 'no', ...config],
      ],
    })
    return { server, busPort, id: String(await sendCommand(server, 'CLUSTER', 'MYID')) }
  })
  const results = await Promise.allSettled(starts)
  const nodes = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed === undefined) return nodes
  await Promise.all(nodes.map(({ server }) => server.stop()))
  throw failed.reason
}

async function introduce(nodes: readonly ClusterNode[]): Promise<void> {
  // each to each: gossip alone would take seconds
  for (const [index, { server }] of nodes.entries()) {
    for (const other of nodes.slice(index + 1)) {
      await sendCommand(server, 'CLUSTER', 'MEET', other.server.host, other.server.port, other.busPort)
    }
  }
  for (const { server } of nodes) {
    await waitFor(
      async () => {
        // a node whose handshake is under way is listed under a made-up id
        const known = String(await sendCommand(server, 'CLUSTER', 'NODES'))
        return nodes.every(({ id }) => known.includes(id))
      },
      { what: `the node on port ${server.port} to know ${nodes.length} nodes` },
    )
  }
}

async function clusterInfo(server: RedisServerProcess): Promise<Readonly<Record<string, string>>> {
  return fieldsOf(String(await sendCommand(server, 'CLUSTER', 'INFO')))
}

/** A Redis Cluster of local processes. Stop it at the end. */
export class RedisCluster {
  /** The first ones started as primaries; a failover makes replicas primaries (see `primaries()`). */
  readonly nodes: readonly ClusterNode[]

  constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes
  }

  /** Of all nodes. */
  get urls(): readonly string[] {
    return this.nodes.map(({ server }) => server.url)
  }

  #running(): readonly ClusterNode[] {
    return this.nodes.filter(({ server }) => server.running)
  }

  /** Resolves when every node that runs says that the cluster is whole, and the replicas are in sync. */
  async ready(deadline = 15_000): Promise<void> {
    for (const { server } of this.#running()) {
      await waitFor(
        async () => {
          if ((await clusterInfo(server))['cluster_state'] !== 'ok') return false
          const replication = await serverInfo(server, 'replication')
          return replication['role'] === 'master' || replication['master_link_status'] === 'up'
        },
        { what: `the node on port ${server.port} to find the cluster whole`, deadline },
      )
    }
  }

  /** The nodes that hold slots now. */
  async primaries(): Promise<ClusterNode[]> {
    const running = this.#running()
    const roles = await Promise.all(running.map(({ server }) => serverInfo(server, 'replication')))
    return running.filter((_, index) => roles[index]?.['role'] === 'master')
  }

  /** The replicas of a node that run. */
  async replicasOf(primary: ClusterNode): Promise<ClusterNode[]> {
    const running = this.#running()
    const infos = await Promise.all(running.map(({ server }) => serverInfo(server, 'replication')))
    return running.filter(
      (_, index) => infos[index]?.['role'] === 'slave' && infos[index]?.['master_port'] === String(primary.server.port),
    )
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.#ask('KEYSLOT', key))
  }

  /** The primary that holds the key. */
  async ownerOf(key: string): Promise<ClusterNode> {
    return this.ownerOfSlot(await this.slotOf(key))
  }

  async ownerOfSlot(slot: number): Promise<ClusterNode> {
    // lines of CLUSTER NODES: id address flags primary ping pong epoch link slot-range…
    const lines = String(await this.#ask('NODES')).split('\n')
    const line = lines.find((line) =>
      line
        .split(' ')
        .slice(8)
        .some((range) => holds(range, slot)),
    )
    const node = this.nodes.find(({ id }) => line?.startsWith(id))
    if (node === undefined) throw new Error(`No node of this cluster holds slot ${slot}`)
    return node
  }

  /** Starts to move a slot: from now on its keys that are still there are answered there, others with ASK or TRYAGAIN. */
  async beginMigration(slot: number, to: ClusterNode): Promise<SlotMigration> {
    const from = await this.ownerOfSlot(slot)
    await sendCommand(to.server, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
    await sendCommand(from.server, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
    return {
      moveKeys: async (count = Infinity) => {
        const wanted = Math.min(count, 1_000_000)
        const keys = await sendCommand(from.server, 'CLUSTER', 'GETKEYSINSLOT', slot, wanted)
        for (const key of Array.isArray(keys) ? keys : []) {
          await sendCommand(from.server, 'MIGRATE', to.server.host, to.server.port, String(key), 0, 5_000)
        }
      },
      finish: async () => {
        for (const { server } of [to, from, ...(await this.primaries())]) {
          await sendCommand(server, 'CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
        }
      },
    }
  }

  /**
   * Makes a replica the primary of its slots and waits until every node that runs knows. Unforced it loses nothing, and the
   * primary must be alive.
   */
  async failover(replica: ClusterNode, { force = false } = {}): Promise<void> {
    await sendCommand(replica.server, 'CLUSTER', 'FAILOVER', ...(force ? ['TAKEOVER'] : []))
    for (const { server } of this.#running()) {
      await waitFor(
        async () => {
          const lines = String(await sendCommand(server, 'CLUSTER', 'NODES')).split('\n')
          const [, , flags = '', , , , , , ...slots] =
            lines.find((line) => line.startsWith(replica.id))?.split(' ') ?? []
          return flags.includes('master') && slots.length > 0
        },
        { what: `the node on port ${server.port} to know that the one on port ${replica.server.port} is a primary` },
      )
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ server }) => server.stop()))
  }

  #ask(...words: string[]): Promise<unknown> {
    const [node] = this.#running()
    if (node === undefined) throw new Error('No node of this cluster runs')
    return sendCommand(node.server, 'CLUSTER', ...words)
  }
}

export interface SlotMigration {
  /** Moves this many keys, by default all. */
  moveKeys(count?: number): Promise<void>
  /** Tells all primaries that the slot has moved. Keys not moved are out of reach. */
  finish(): Promise<void>
}

function holds(range: string, slot: number): boolean {
  // '[93-<-…]' is a slot on the move
  const [first, last = first] = range.split('-').map(Number)
  return first !== undefined && last !== undefined && slot >= first && slot <= last
}
