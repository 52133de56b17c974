import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'

/*
 * What must be gone when this process is: process groups and folders. A shell in a session of its own (Ctrl-C and a
 * closing terminal do not reach it) reads lines from a pipe whose other end only this process holds. Each line is the
 * whole clean-up as of now; when the pipe ends, because this process has come to its end in whatever way, SIGKILL
 * included, the last complete line is run. No signal handler is needed, so this process's own signals mean what they did.
 */
const SCRIPT = `trap '' HUP INT TERM; last=:; while IFS= read -r line; do last=$line; done; eval "$last"`

const groups = new Set<number>()
const folders = new Set<string>()
let janitor: ChildProcess | undefined

/** From now on the process group is killed at the latest when this process ends. */
export function guardGroup(leader: number): void {
  groups.add(leader)
  report()
}

export function releaseGroup(leader: number): void {
  if (groups.delete(leader)) report()
}

/** From now on the folder, which need not exist yet, is removed at the latest when this process ends. */
export function guardFolder(path: string): void {
  if (path.includes('\n')) throw new Error(`A folder's name must not hold a line break: ${JSON.stringify(path)}`)
  folders.add(path)
  report()
}

export function releaseFolder(path: string): void {
  if (folders.delete(path)) report()
}

function report(): void {
  if (groups.size + folders.size === 0) {
    janitor?.stdin?.end(':\n')
    janitor = undefined
    return
  }
  janitor ??= hire()
  janitor.stdin?.write(`${cleanUp()}\n`)
}

function hire(): ChildProcess {
  const child = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' })
  child.once('error', () => replace(child))
  child.once('exit', () => replace(child))
  child.stdin.on('error', () => {}) // it has gone: 'exit' follows and deals with it
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  return child
}

function replace(gone: ChildProcess): void {
  if (janitor !== gone) return
  janitor = undefined
  // without a shell there is no janitor, and hiring again would go on for ever
  if (gone.pid !== undefined) report()
}

function cleanUp(): string {
  const kill = groups.size === 0 ? ':' : `kill -9 ${[...groups].map((leader) => `-${leader}`).join(' ')} 2>/dev/null`
  if (folders.size === 0) return kill
  const remove = `rm -rf ${[...folders].map((path) => `'${path.replaceAll("'", String.raw`'\''`)}'`).join(' ')}`
  // a server that is being killed may still create a file behind rm's back
  return `${kill}; ${remove} 2>/dev/null || { sleep 1; ${remove}; }`
}
