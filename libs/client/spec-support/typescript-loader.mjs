// Lets a child process of a spec run the TypeScript sources: node --conditions=@rivulet/source --import <this file> x.ts
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { transform } from '@swc/core'

if (isMainThread) register(import.meta.url)

const isOurs = (url) => url?.startsWith('file:') && !url.includes('/node_modules/')

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!specifier.endsWith('.js') || !isOurs(context.parentURL)) throw error
    return next(specifier.replace(/\.js$/, '.ts'), context)
  }
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const jsc = { target: 'es2023', parser: { syntax: 'typescript', decorators: true } }
  const source = await readFile(fileURLToPath(url), 'utf8')
  const { code } = await transform(source, { jsc, module: { type: 'es6' }, sourceMaps: 'inline' })
  return { format: 'module', source: code, shortCircuit: true }
}
