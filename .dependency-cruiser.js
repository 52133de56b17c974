// Think hard before adding a line: these directions are why a room can be understood, tested and published without those
// above it. A record's way through the rooms is apps → client → coordinator → storage → protocol, and nothing on it looks back:
//
// - protocol is pure: it knows the formats and rules that every other room shares, and no I/O.
// - storage is all that knows Redis's connections and keys, and coordinator adds the scripts of groups; client is all that
//   knows kafkajs's shape, and nestjs all that knows Nest.
// - redis-server finds or starts a Redis for whoever needs one, and knows nothing of what it is for.
// - testing builds on all of them, and only specs build on testing: nothing published may need it.
//
// What is not allowed here is an error: a new room has to say what it may know.
/** @param {string[]} names */
const room = (...names) => `^libs/(${names.join('|')})/`
const spec = String.raw`(\.spec\.ts$|/spec-support/)`

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  allowedSeverity: 'error',
  allowed: [
    { from: {}, to: { dependencyTypes: ['core'] } },
    { from: {}, to: { path: 'node_modules/' } },
    { from: { path: '^(libs|apps)/([^/]+)/' }, to: { path: '^$1/$2/' } },
    { from: { path: '^(scripts/|[^/]+$)' }, to: { path: ['^scripts/', room('protocol')] } },

    { from: { path: room('storage') }, to: { path: room('protocol') } },
    { from: { path: room('coordinator') }, to: { path: room('storage', 'protocol') } },
    { from: { path: room('client') }, to: { path: room('coordinator', 'storage', 'protocol') } },
    { from: { path: room('nestjs') }, to: { path: room('client', 'protocol') } },
    { from: { path: '^apps/' }, to: { path: room('nestjs', 'client', 'redis-server') } },
    {
      from: { path: room('testing') },
      to: { path: room('protocol', 'storage', 'coordinator', 'client', 'redis-server') },
    },
    { from: { path: spec }, to: { path: room('testing', 'redis-server') } },
  ],
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'Files that need each other to run are one file, or hide a third that both need. Two types that name each other, ' +
        'a queue and the batches in it, are no such thing: nothing of the one is run by the other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'redis-stays-in-storage',
      comment: 'What every other room knows of Redis, it knows through storage; the benchmark measures ioredis itself.',
      severity: 'error',
      from: { pathNot: ['^libs/(storage|redis-server|testing)/', '^apps/benchmark/', spec] },
      to: { path: 'node_modules/ioredis/' },
    },
    {
      name: 'no-reaching-in',
      comment: 'A room is imported through its index, by its package name.',
      severity: 'error',
      from: { path: '^(libs|apps)/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/.+', pathNot: ['^$1/$2/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'unresolvable',
      comment: 'An import that leads nowhere escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@rivulet/source', 'import', 'node', 'default', 'types'],
    },
  },
}
