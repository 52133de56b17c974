// Adds up Jest's results: `node scripts/test-totals.js name=results.json …`. The last line is 'N passed, N failed, N skipped'.
// A file of specs that could not be run, and results that are not there because the run broke off, count as a failure each.
import { readFile } from 'node:fs/promises'

/** @param {string} file */
async function totals(file) {
  try {
    const results = JSON.parse(await readFile(file, 'utf8'))
    return {
      passed: Number(results.numPassedTests),
      failed: Number(results.numFailedTests) + Number(results.numRuntimeErrorTestSuites),
      skipped: Number(results.numPendingTests) + Number(results.numTodoTests),
    }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

/** @param {{ passed: number, failed: number, skipped: number }} total */
const line = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`

const runs = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0 }
for (const run of runs) {
  const at = run.indexOf('=')
  const total = await totals(run.slice(at + 1))
  console.log(`${run.slice(0, at)}: ${line(total)}`)
  sum.passed += total.passed
  sum.failed += total.failed
  sum.skipped += total.skipped
}
console.log(line(sum))
process.exitCode = runs.length === 0 || sum.failed > 0 ? 1 : 0
