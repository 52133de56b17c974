import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version of the package that a file belongs to; '?' where it says none. Not every package exports its manifest. */
export function installedVersion(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) {
      const content: unknown = JSON.parse(readFileSync(manifest, 'utf8'))
      if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version)
    }
    if (folder === dirname(folder)) return '?'
  }
}
