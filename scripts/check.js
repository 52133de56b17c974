// All static checks in one command: `npm run check`, or `npm run check -- lint format` for some of them.
// Prints one line a check, then what the failed ones had to say.
import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const deadlineMs = 180_000

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string[][]} commands
 * @property {boolean} [needsBuild] reads dist: pointless where the build fails
 */

async function publishable() {
  const libs = await readdir(new URL('../libs', import.meta.url))
  const manifests = libs.map(async (lib) => {
    /** @type {unknown} */
    const manifest = JSON.parse(await readFile(new URL(`../libs/${lib}/package.json`, import.meta.url), 'utf8'))
    return typeof manifest === 'object' && manifest !== null && 'private' in manifest ? [] : [`libs/${lib}`]
  })
  return (await Promise.all(manifests)).flat()
}

const published = await publishable()
// An application written for kafkajs: against kafkajs's types, and against those of the client as it is published.
const application = 'libs/testing/fixtures/kafkajs-app'

/** @type {Check} */
const build = { name: 'build', commands: [['tsc', '-b', 'tsconfig.build.json']] }

/** @type {Check[]} */
const checks = [
  {
    name: 'types',
    commands: [
      ['tsc', '-p', 'tsconfig.json'],
      ['tsc', '-p', application, '--noEmit'],
    ],
  },
  { name: 'lint', commands: [['oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives']] },
  { name: 'format', commands: [['prettier', '--check', '--log-level', 'warn', '.']] },
  { name: 'imports', commands: [['depcruise', 'libs', 'apps', 'scripts', 'jest.config.js']] },
  { name: 'unused', commands: [['knip', '--no-config-hints']] },
  { name: 'generated', commands: [['node', 'scripts/generate.js', '--check']], needsBuild: true },
  { name: 'packages', commands: published.map((lib) => ['publint', lib, '--strict']), needsBuild: true },
  {
    name: 'package types',
    commands: [
      ...published.map((lib) => ['attw', '--pack', lib, '--profile', 'esm-only', '--quiet']),
      ['tsc', '-p', `${application}/tsconfig.rivulet.json`],
    ],
    needsBuild: true,
  },
]

/**
 * @param {string[]} command
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function run([program = '', ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, PATH: `${root}node_modules/.bin:${process.env['PATH']}`, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: deadlineMs,
    })
    let output = ''
    const collect = (/** @type {Buffer} */ chunk) => (output += chunk.toString())
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', (error) => resolve({ ok: false, output: `${output}\n${error.message}` }))
    child.on('close', (code, signal) => {
      if (signal !== null) output += `\n${program} was ended by ${signal} (the limit is ${deadlineMs / 1000} s)`
      resolve({ ok: code === 0, output })
    })
  })
}

/** @type {{ name: string, output: string }[]} */
const failures = []

/** @param {Check} check */
async function perform({ name, commands }) {
  const start = performance.now()
  const outputs = []
  for (const command of commands) {
    const { ok, output } = await run(command)
    if (!ok) outputs.push(`$ ${command.join(' ')}\n${output.trim()}`)
  }
  if (outputs.length > 0) failures.push({ name, output: outputs.join('\n\n') })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${outputs.length > 0 ? 'FAIL' : 'ok  '}  ${name.padEnd(14)}${seconds.padStart(6)} s`)
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => ![build, ...checks].some((check) => check.name === name))
if (unknown.length > 0) {
  console.error(
    `No such check: ${unknown.join(', ')}. There are: ${[build, ...checks].map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}
const queue = checks.filter(({ name }) => wanted.length === 0 || wanted.includes(name))

// The packages' types come from their sources, so nothing but what reads dist has to wait for the build.
if (wanted.length === 0 || wanted.includes(build.name) || queue.some(({ needsBuild }) => needsBuild))
  await perform(build)
const built = failures.length === 0

async function work() {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
    if (check.needsBuild && !built) console.log(`--    ${check.name.padEnd(14)} not run: the build failed`)
    else await perform(check)
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work))

for (const { name, output } of failures) console.log(`\n===== ${name} =====\n${output}`)
process.exitCode = failures.length > 0 ? 1 : 0
