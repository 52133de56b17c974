import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from '@swc/core'

const ROOT = join(import.meta.dirname, '../../..')
const APP = join(import.meta.dirname, '../fixtures/kafkajs-app')

const DEADLINE_MS = 15_000

/** The fixture application, compiled, in a folder of its own with the packages that it finds by their names. */
export class InstalledApp {
  private constructor(readonly folder: string) {}

  /** As after `npm install kafkajs`. */
  static async withKafkajs(): Promise<InstalledApp> {
    const app = await InstalledApp.#compiled()
    await app.#link('kafkajs')
    return app
  }

  /** As after `npm install kafkajs@npm:@rivulet/client ioredis`: the packages as they are published, from the sources. */
  static async withRivulet(): Promise<InstalledApp> {
    const app = await InstalledApp.#compiled()
    await app.#install('client', 'kafkajs')
    await app.#link('ioredis')
    for (const room of ['coordinator', 'storage', 'protocol']) await app.#install(room, `@rivulet/${room}`)
    return app
  }

  static async #compiled(): Promise<InstalledApp> {
    const app = new InstalledApp(await mkdtemp(join(tmpdir(), 'kafkajs-app-')))
    for (const file of await readdir(APP)) {
      const type = /\.([cm])[jt]s$/.exec(file)?.[1]
      if (type === undefined) continue
      const target = join(app.folder, file.replace(/ts$/, 'js'))
      await compile(join(APP, file), target, type === 'c' && file.endsWith('ts') ? 'commonjs' : 'es6')
    }
    return app
  }

  /** What a program of it prints. Rejects when it fails, or has not ended by itself after 15 s. */
  async run(program: string, env: Readonly<Record<string, string>>): Promise<string> {
    const options = { env: { ...process.env, ...env }, timeout: DEADLINE_MS }
    return (await promisify(execFile)(process.execPath, [join(this.folder, program)], options)).stdout
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true })
  }

  async #link(name: string): Promise<void> {
    const target = join(this.folder, 'node_modules', name)
    await mkdir(dirname(target), { recursive: true })
    await symlink(join(ROOT, 'node_modules', name), target)
  }

  async #install(room: string, name: string): Promise<void> {
    const source = join(ROOT, 'libs', room)
    const target = join(this.folder, 'node_modules', name)
    await mkdir(target, { recursive: true })
    await cp(join(source, 'package.json'), join(target, 'package.json'))
    const files = await readdir(join(source, 'src'), { recursive: true })
    const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    await Promise.all(
      sources.map((file) => compile(join(source, 'src', file), join(target, 'dist', file.replace(/ts$/, 'js')), 'es6')),
    )
  }
}

async function compile(source: string, target: string, module: 'es6' | 'commonjs'): Promise<void> {
  const { code } = await transform(await readFile(source, 'utf8'), {
    filename: basename(source),
    swcrc: false,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: module },
  })
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, code)
}
