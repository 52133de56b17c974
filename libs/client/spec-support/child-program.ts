import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** Runs a TypeScript program of this folder in a process of its own. */
export function startProgram(file: string, ...args: string[]): ChildProcessByStdio<null, Readable, null> {
  const node = ['--disable-warning=ExperimentalWarning', '--conditions=@rivulet/source']
  const program = ['--import', join(import.meta.dirname, 'typescript-loader.mjs'), join(import.meta.dirname, file)]
  return spawn(process.execPath, [...node, ...program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}
