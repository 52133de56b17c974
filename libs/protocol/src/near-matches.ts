/** The fewest insertions, deletions and replacements of characters that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

const bare = (text: string): string =>
  text
    .slice(0, 100)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')

/**
 * The names that somebody who wrote `name` most likely meant, nearest first, at most three. Case and the marks between
 * words don't count: `lingerms`, `linger.ms` and `lingerMs` are all near each other.
 */
export function nearMatches(name: string, candidates: readonly string[]): string[] {
  const wanted = bare(name)
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, bare(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(bare(candidate).length / 4)))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

/** The sentence about near matches that ends an error message: empty where nothing is near. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const near = nearMatches(name, candidates)
  return near.length === 0 ? '' : `. Did you mean ${near.map((match) => `'${match}'`).join(' or ')}?`
}
