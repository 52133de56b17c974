import { execFile } from 'node:child_process'

export interface CommandOptions {
  /** Milliseconds after which the command is ended and the promise rejects. */
  deadline: number
  cwd?: string
  env?: NodeJS.ProcessEnv
}

/** Runs a program to its end and gives its standard output; rejects with what it said on standard error. */
export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const { deadline, cwd, env } = options
  return new Promise((resolve, reject) => {
    execFile(
      file,
      [...args],
      { timeout: deadline, maxBuffer: 64 << 20, ...(cwd && { cwd }), env: env ?? process.env, windowsHide: true },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout)
        const said = stderr.trim().split('\n').slice(-3).join('; ') || error.message
        const what = error.killed === true ? `gave no answer within ${deadline} ms` : said
        reject(new Error(`${[file, ...args.slice(0, 2)].join(' ')}: ${what}`, { cause: error }))
      },
    )
  })
}
