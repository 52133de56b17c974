export * from './topologies/index.js'
