import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Profiler } from 'node:inspector/promises'
import { sep } from 'node:path'

const FUNCTIONS = 15

export interface SelfTime {
  /** Function, file and line. */
  readonly where: string
  /** Of the time that the process was not idle: 0 to 1. */
  readonly share: number
}

/** The functions in which a process itself (not what they call) spent most time, the first one most. */
export function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, count: number): SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]))
  const times = new Map<string, number>()
  let total = 0
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '?'
    if (name === '(idle)' || name.includes('node:inspector')) return // the profiler's own time
    const time = timeDeltas[i] ?? 0
    total += time
    times.set(name, (times.get(name) ?? 0) + time)
  })
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([where, time]) => ({ where, share: time / total }))
}

function describe({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): string {
  const name = functionName || (url === '' ? '(native code)' : '(anonymous)')
  if (url === '') return name
  const file = url
    .replace(/^file:\/\//, '')
    .split(/[/\\]/)
    .slice(-3)
    .join(sep)
  return `${name}  ${file}:${lineNumber + 1}`
}

function isProfile(value: unknown): value is Profiler.Profile {
  return typeof value === 'object' && value !== null && 'nodes' in value && Array.isArray(value.nodes)
}

/** Lines; none where there is no such profile. */
export async function formatProfile(file: string): Promise<string[]> {
  if (!existsSync(file)) return []
  const profile: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (!isProfile(profile)) return []
  return selfTimes(profile, FUNCTIONS).map(({ where, share }) => `${(share * 100).toFixed(1).padStart(6)} %  ${where}`)
}
