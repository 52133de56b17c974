import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { afterEach, expect, it } from '@jest/globals'
import { TestStorage, testRedisUrls, uniqueNamespace } from '@rivulet/testing'
import { startProgram } from '../spec-support/child-program.js'

const README = new URL('../../../README.md', import.meta.url)
const SUPPORT = new URL('../spec-support/', import.meta.url)

const left: URL[] = []
afterEach(async () => {
  for (const file of left.splice(0)) await rm(file, { force: true })
})

it("runs the README's first program as it stands: what it sends is what it prints", async () => {
  const program = /```ts\n([\s\S]*?)```/.exec(readFileSync(README, 'utf8'))?.[1]
  if (program === undefined) throw new Error('README.md has no program')
  const namespace = uniqueNamespace('readme')
  const brokers = JSON.stringify(testRedisUrls())
  const adapted = program.replace("brokers: ['localhost:6379']", `brokers: ${brokers}, namespace: '${namespace}'`)
  expect(adapted).not.toBe(program)
  const file = new URL(`${namespace}.ts`, SUPPORT)
  left.push(file)
  await writeFile(file, adapted)

  const child = startProgram(`${namespace}.ts`)
  const exited = once(child, 'exit')
  let output = ''
  for await (const chunk of child.stdout) {
    output += String(chunk)
    if (/^orders.*\n/m.test(output)) break
  }
  child.kill()
  await exited
  // before it, the log says that the topic was made
  expect(output).toMatch(/\norders-0 @0 \{"item":"kettle","price":39\}\n$/)

  const test = await TestStorage.open({ namespace })
  await test.close()
})
