import { ERRORS } from '@rivulet/protocol'
import { markdownTable } from './markdown-table.js'

/** @param {(code: number) => boolean} wanted */
const rows = (wanted) =>
  Object.entries(ERRORS)
    .filter(([, { code }]) => wanted(code))
    .map(([name, { code, retriable, message }]) => [`\`${name}\``, String(code), retriable ? 'yes' : 'no', message])

const columns = ['Name', 'Code', 'Retriable', 'What happened']

/** docs/errors.md: the error registry. */
export const errorsDoc = () => `# Errors

<!-- Made by \`npm run generate\` from libs/protocol/src/errors.ts: do not edit. -->

Protocol and storage throw one class, \`KafkaError\`: its \`type\` is a name of these tables, \`code\` and \`retriable\` stand
beside it, \`message\` says what happened in this case, and \`details\` and \`cause\` say more where there is more. The client
turns it into kafkajs's error classes, which have the same \`type\`, \`code\` and \`retriable\`.

Retriable means that the same request may succeed when it is sent again. Producers, consumers and the admin client do so by
themselves, as their \`retry\` options say, before an application sees the error.

## Rivulet's own

What only Rivulet has, under codes that Kafka will never use.

${markdownTable(
  columns,
  rows((code) => code < -1),
)}

## Kafka's

All errors of Kafka 4.3, with its names, codes and retriability. Not every one of them can occur.

${markdownTable(
  columns,
  rows((code) => code >= -1),
)}
`
