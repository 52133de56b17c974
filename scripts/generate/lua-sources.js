import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const includeLine = /^--- @include "([a-z0-9-]+)"$/gm

/**
 * The text of an include: of the first folder that has it.
 * @param {readonly string[]} folders
 * @param {string} name
 */
async function readInclude([folder, ...others], name) {
  if (folder === undefined) throw new Error(`There is no include "${name}"`)
  try {
    return await readFile(join(folder, 'includes', `${name}.lua`), 'utf8')
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error
    return readInclude(others, name)
  }
}

/**
 * A script's text with its includes in place of the lines that name them. An include may include others.
 * @param {readonly string[]} folders
 * @param {string} lua
 * @param {readonly string[]} within the includes that led here
 * @returns {Promise<string>}
 */
async function resolveIncludes(folders, lua, within = []) {
  /** @type {Map<string, string>} */
  const texts = new Map()
  for (const [, name = ''] of lua.matchAll(includeLine)) {
    if (within.includes(name))
      throw new Error(`The include "${name}" includes itself: ${[...within, name].join(' → ')}`)
    const text = await readInclude(folders, name)
    texts.set(name, await resolveIncludes(folders, text.trimEnd(), [...within, name]))
  }
  return lua.replaceAll(includeLine, (line, name) => texts.get(name) ?? line)
}

/**
 * The module that carries every script of a folder, so that a bundler needs no rule for Lua files.
 * @param {string} folder
 * @param {readonly string[]} others folders of the rooms below, whose includes may be used as well
 */
export async function luaSources(folder, ...others) {
  const files = await readdir(folder).then(
    (names) => names.filter((name) => name.endsWith('.lua')).toSorted(),
    () => [],
  )
  const entries = []
  for (const file of files) {
    const lua = await resolveIncludes([folder, ...others], await readFile(join(folder, file), 'utf8'))
    const sha1 = createHash('sha1').update(lua).digest('hex')
    const literal = lua.replaceAll(/[\\`]|\$\{/g, String.raw`\$&`)
    entries.push(`'${file.slice(0, -'.lua'.length)}': { sha1: '${sha1}', lua: \`${literal}\` },`)
  }
  return `// Made by \`npm run generate\` from the Lua files beside it: do not edit.\n
export const sources = {\n${entries.join('\n')}\n} as const\n`
}
