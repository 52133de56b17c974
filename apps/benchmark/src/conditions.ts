import { cpus, totalmem } from 'node:os'
import type { Options } from './options.js'

/** Under what the figures were measured; without it they say nothing. */
export interface Conditions {
  /** ISO 8601. */
  readonly date: string
  readonly cpu: string
  /** Shared by the clients and all servers. */
  readonly cores: number
  readonly memoryBytes: number
  readonly node: string
  readonly redis: string
  /** Settings of Redis that decide what a write costs. */
  readonly redisSettings: Readonly<Record<string, string>>
  readonly kafka: string
  readonly rounds: number
  readonly seconds: number
}

export interface Servers {
  readonly redis: string
  readonly redisSettings: Readonly<Record<string, string>>
  readonly kafka: string
}

export function conditionsOf(servers: Servers, { rounds, seconds }: Options): Conditions {
  const [first] = cpus()
  return {
    date: new Date().toISOString(),
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    ...servers,
    rounds,
    seconds,
  }
}

export function formatConditions(conditions: Conditions): string[] {
  const { date, cpu, cores, memoryBytes, node, redis, redisSettings, kafka, rounds, seconds } = conditions
  const settings = Object.entries(redisSettings).map(([name, value]) => `${name} ${value === '' ? '""' : value}`)
  return [
    `${date.slice(0, 16).replace('T', ' ')} UTC · ${cpu}, ${cores} cores shared by clients and servers, ` +
      `${(memoryBytes / 1e9).toFixed(0)} GB · Node ${node}`,
    `${redis}${settings.length > 0 ? `: ${settings.join(', ')}` : ''} · ${kafka}`,
    `6 partitions, values of 100 bytes, keys k0 … k999 (all strings), acks 1, no compression; medians of ${rounds} rounds ` +
      `of ${seconds} s each after a warm-up, peers in turns`,
  ]
}
