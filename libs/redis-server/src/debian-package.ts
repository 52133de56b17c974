import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { guardFolder, releaseFolder } from './janitor.js'
import { runCommand } from './run-command.js'
import { isSupported, parseVersion, tooOld } from './version.js'

/** The packages that hold a server: Debian keeps the program itself among the tools. */
const SERVERS = [
  { program: 'redis-server', packages: ['redis-server', 'redis-tools'] },
  { program: 'valkey-server', packages: ['valkey-server', 'valkey-tools'] },
]

export interface UnpackedServer {
  path: string
  /** Folders that hold the libraries it needs. */
  libraries: readonly string[]
}

/** Rejects unless the program runs here and is not too old. */
type Check = (path: string, libraries: readonly string[]) => Promise<unknown>

/**
 * The distribution's own server, unpacked in the user's cache folder; nothing is installed and no root is needed. The
 * first call downloads a few megabytes with apt, later ones find them.
 */
export async function unpackedServer(
  env: NodeJS.ProcessEnv,
  log: (message: string) => void,
  check: Check,
): Promise<UnpackedServer> {
  const cache = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'rivulet')
  const cached = await findCached(cache, check)
  if (cached !== null) return cached
  return download(cache, log, check)
}

async function findCached(cache: string, check: Check): Promise<UnpackedServer | null> {
  const names = existsSync(cache) ? await readdir(cache) : []
  const newestFirst = names
    .filter((name) => /^(redis|valkey)-\d/.test(name))
    .sort(byVersion)
    .reverse()
  for (const name of newestFirst) {
    // a folder of another machine's that shares this home, or one whose system libraries have gone, is passed over
    const server = await works(join(cache, name), check)
    if (server !== null) return server
  }
  return null
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

async function works(folder: string, check: Check): Promise<UnpackedServer | null> {
  const program = SERVERS.map(({ program }) => join(folder, 'usr/bin', program)).find((path) => existsSync(path))
  if (program === undefined) return null
  const server = { path: program, libraries: await libraryFolders(folder) }
  const runs = await check(server.path, server.libraries).then(
    () => true,
    () => false,
  )
  return runs ? server : null
}

async function libraryFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const libraries = entries.filter(({ name, parentPath }) => /\.so(\.|$)/.test(name) && /\/lib/.test(parentPath))
  return [...new Set(libraries.map(({ parentPath }) => parentPath))]
}

async function download(cache: string, log: (message: string) => void, check: Check): Promise<UnpackedServer> {
  for (const tool of ['apt-get', 'apt-cache', 'dpkg']) {
    await runCommand(tool, ['--version'], { deadline: 10_000 }).catch(() => {
      throw new Error(`this is no Debian or Ubuntu: there is no ${tool}`)
    })
  }
  // Another process may be doing the same: each works in a folder of its own, and the rename decides.
  const work = join(cache, `.partial-${randomUUID()}`)
  guardFolder(work)
  try {
    const root = join(work, 'root')
    await mkdir(root, { recursive: true })
    const apt = await Apt.open(join(work, 'apt'))
    log(`No Redis on this machine: asking apt for the distribution's package (once; nothing is installed)`)
    await apt.update()
    const { packages, version } = await choose(apt)
    await apt.unpack([...packages, ...(await apt.librariesOf(packages))], root)
    const product = packages[0]?.split('-')[0] ?? 'redis'
    const home = join(cache, `${product}-${version}-${process.arch}`)
    if ((await works(home, check)) === null) {
      await rm(home, { recursive: true, force: true })
      await rename(root, home).catch((error: unknown) => {
        const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
        // the other process was quicker
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
      })
    }
    const server = await works(home, check)
    if (server === null) await check(join(home, 'usr/bin', packages[0] ?? ''), await libraryFolders(home))
    if (server === null) throw new Error(`the unpacked package in ${home} does not run`)
    log(`Unpacked ${product} ${version} in ${home}`)
    return server
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 })
    releaseFolder(work)
  }
}

async function choose(apt: Apt): Promise<{ packages: readonly string[]; version: string }> {
  const reasons: string[] = []
  for (const { packages } of SERVERS) {
    const name = packages[0] ?? ''
    const candidate = await apt.candidate(name)
    const version = candidate === null ? null : parseVersion(candidate)
    if (candidate === null || version === null) reasons.push(`apt knows no ${name}`)
    else if (!isSupported(version)) reasons.push(`${name}: ${tooOld(candidate)}`)
    else return { packages, version: candidate.replace(/^\d+:/, '').replace(/[-+~].*$/, '') }
  }
  throw new Error(`${reasons.join(', ')}${apt.complaint === '' ? '' : ` (${apt.complaint})`}`)
}

/** apt with the machine's sources, keys and proxies, and all that it writes in a folder of ours. */
class Apt {
  readonly #folder: string
  readonly #env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
  /** What the update failed with. Lists that could be fetched count all the same: a foreign source may be down. */
  complaint = ''

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async open(folder: string): Promise<Apt> {
    await mkdir(join(folder, 'lists/partial'), { recursive: true })
    await mkdir(join(folder, 'cache/archives/partial'), { recursive: true })
    await mkdir(join(folder, 'debs'))
    await writeFile(join(folder, 'apt.conf'), configuration(folder))
    return new Apt(folder)
  }

  #run(tool: string, args: readonly string[], deadline: number): Promise<string> {
    const all = ['-c', join(this.#folder, 'apt.conf'), ...args]
    return runCommand(tool, all, { deadline, cwd: join(this.#folder, 'debs'), env: this.#env })
  }

  async update(): Promise<void> {
    await this.#run('apt-get', ['update', '-qq'], 120_000).catch((error: unknown) => {
      this.complaint = error instanceof Error ? error.message : String(error)
    })
  }

  async candidate(name: string): Promise<string | null> {
    const policy = await this.#run('apt-cache', ['policy', name], 30_000)
    const version = /^ *Candidate: (\S+)/m.exec(policy)?.[1]
    return version === undefined || version === '(none)' ? null : version
  }

  /**
   * The libraries that the packages need, and those need, whether the machine has them now or not: what is unpacked then
   * goes on running when one is uninstalled. Only the C library has to be the machine's own, as its loader is.
   */
  async librariesOf(packages: readonly string[]): Promise<string[]> {
    const found = new Set<string>()
    for (let level = packages; level.length > 0;) {
      const options = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
        (kind) => `--no-${kind}`,
      )
      const output = await this.#run('apt-cache', ['depends', ...options, ...level], 30_000)
      const names = [...output.matchAll(/^ *\|?(?:Pre)?Depends: ([a-z0-9][^\s:]*)/gm)].map((match) => match[1] ?? '')
      const wanted = names.filter(
        (name) => /^(lib|lua-)/.test(name) && !/^libc(6|-bin)$/.test(name) && !found.has(name),
      )
      level = [...new Set(wanted)]
      for (const name of level) found.add(name)
    }
    return [...found]
  }

  async unpack(packages: readonly string[], root: string): Promise<void> {
    await this.#run('apt-get', ['download', '-qq', ...packages], 120_000)
    const debs = join(this.#folder, 'debs')
    for (const deb of await readdir(debs)) await runCommand('dpkg', ['-x', join(debs, deb), root], { deadline: 60_000 })
    await rm(join(root, 'usr/share'), { recursive: true, force: true })
  }
}

function configuration(folder: string): string {
  const unneeded = ['DEP-11', 'DEP-11-icons-small', 'DEP-11-icons', 'DEP-11-icons-large', 'CNF', 'Contents-deb']
  return [
    `Dir::State::Lists "${folder}/lists";`,
    `Dir::Cache "${folder}/cache";`,
    `Dir::Cache::pkgcache "pkgcache.bin";`,
    `Dir::Cache::srcpkgcache "srcpkgcache.bin";`,
    // as root, apt would hand the download to a user who must not write here
    `APT::Sandbox::User "root";`,
    `Debug::NoLocking "true";`,
    `Acquire::Languages "none";`,
    `Acquire::Retries "2";`,
    `Acquire::http::Timeout "20";`,
    `Acquire::https::Timeout "20";`,
    ...unneeded.map((name) => `Acquire::IndexTargets::deb::${name}::DefaultEnabled "false";`),
    `Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";`,
    // the machine's hooks after an update are not about our lists
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '',
  ].join('\n')
}
