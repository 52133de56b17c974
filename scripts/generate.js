// Writes the files that are made from others: `npm run generate`.
// With --check it writes nothing, and fails naming each file that is not what it would write.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { configurationDoc } from './generate/configuration-doc.js'
import { errorsDoc } from './generate/errors-doc.js'
import { luaSources } from './generate/lua-sources.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const storageScripts = 'libs/storage/src/scripts'
const groupScripts = 'libs/coordinator/src/scripts'

/** @type {Record<string, () => string | Promise<string>>} */
const generated = {
  'docs/errors.md': errorsDoc,
  'docs/configuration.md': configurationDoc,
  [`${storageScripts}/sources.generated.ts`]: () => luaSources(join(root, storageScripts)),
  [`${groupScripts}/sources.generated.ts`]: () => luaSources(join(root, groupScripts), join(root, storageScripts)),
}

const check = process.argv.includes('--check')
const stale = []

for (const [file, make] of Object.entries(generated)) {
  const path = join(root, file)
  const text = await format(await make(), { ...(await resolveConfig(path)), filepath: path })
  const present = await readFile(path, 'utf8').catch(() => undefined)
  if (present === text) continue
  if (check) {
    stale.push(file)
    continue
  }
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  console.log(`wrote ${file}`)
}

if (stale.length > 0) {
  for (const file of stale) console.error(`${file} is stale: run npm run generate`)
  process.exitCode = 1
}
