import {
  adminOptions,
  clientOptions,
  consumerOptions,
  namespaceConfigs,
  producerOptions,
  retryOptions,
  runOptions,
  saslOptions,
  topicConfigs,
} from '@rivulet/protocol'
import { markdownTable } from './markdown-table.js'

/** @param {string} text */
const code = (text) => (text === '' ? '' : `\`${text}\``)

/** @param {{ type: { expected: string }, unit: string | undefined }} definition */
const typeOf = ({ type, unit }) => `${type.expected}${unit === undefined ? '' : ` (${unit})`}`

/** @param {import('@rivulet/protocol').ConfigDefinitions} definitions @param {boolean} effective */
const configTable = (definitions, effective) =>
  markdownTable(
    ['Key', 'Type', 'Default', 'Meaning', "Kafka's"],
    Object.entries(definitions)
      .filter(([, definition]) => definition.effective === effective)
      .map(([key, definition]) => [
        code(key),
        typeOf(definition),
        code(definition.defaultText),
        definition.doc,
        definition.kafka ? 'yes' : 'no',
      ]),
  )

/** @param {import('@rivulet/protocol').OptionDefinitions} definitions */
const optionTable = (definitions) =>
  markdownTable(
    ['Option', 'Type', 'Default', 'Meaning', 'Mirrors'],
    Object.entries(definitions).map(([name, definition]) => {
      const { default: value, doc, noEffect, mirrors } = definition
      return [
        code(name),
        typeOf(definition),
        value === undefined ? '' : code(JSON.stringify(value)),
        noEffect === undefined ? doc : `${doc} Accepted, without effect: ${noEffect}.`,
        mirrors === undefined ? '' : mirrors === 'kafkajs' ? 'kafkajs' : code(mirrors),
      ]
    }),
  )

/** docs/configuration.md: the definitions of configs and options. */
export const configurationDoc = () => `# Configuration

<!-- Made by \`npm run generate\` from libs/protocol/src/configs: do not edit. -->

Two kinds of settings: **options**, which an application passes to the client when it makes a client, producer or consumer,
and **configs**, which are stored in Redis with a topic or a namespace and count for every client.

Options have kafkajs's names where kafkajs has the option. The last column names what each mirrors: Kafka's key, or kafkajs
where only that has it. A value that is not valid is refused at once, with INVALID_OPTION and the option's name.

## Client options

For \`new Kafka({ … })\`.

${optionTable(clientOptions)}

### sasl

${optionTable(saslOptions)}

### retry

For a client, and over that for each producer, consumer and admin client.

${optionTable(retryOptions)}

## Producer options

For \`kafka.producer({ … })\`.

${optionTable(producerOptions)}

## Consumer options

For \`kafka.consumer({ … })\`.

${optionTable(consumerOptions)}

For \`consumer.run({ … })\`.

${optionTable(runOptions)}

## Admin options

For \`kafka.admin({ … })\`.

${optionTable(adminOptions)}

## Topic configs

Given as texts, as in Kafka: \`configEntries: [{ name: 'retention.ms', value: '60000' }]\`. An unknown key or a value that is
not valid is refused with INVALID_CONFIG. Integers reach from -2^63 to 2^63 - 1, and above 2^53 - 1 mean 'no limit'.

${configTable(topicConfigs, true)}

### Topic configs without effect

Accepted, checked, stored and described back, because tools made for Kafka set them; nothing follows from them here.

${configTable(topicConfigs, false)}

## Namespace configs

A namespace is what a cluster is to Kafka.

${configTable(namespaceConfigs, true)}
`
