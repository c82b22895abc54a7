// What docs/clients.md says of each client, out of the tests that drive it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './ensure.mjs';

const FOLDER = 'services/gateway/test/conformance';

// Clients that are libraries: where their tests are, and what is in front of the names of theirs.
const LIBRARIES = [
  {
    name: 'boto3',
    file: 'boto3_client.py',
    runs: 'npm test',
    note: 'Also over TLS, and nightly with `when_required` checksums.',
  },
  { name: 'minio-py', file: 'minio_client.py', runs: 'npm test' },
  { name: '@aws-sdk/client-s3', file: 'aws-sdk-js.test.ts', runs: 'npm test', note: 'Also over TLS.' },
  { name: 'minio-js', file: 'minio-js.test.ts', runs: 'npm test' },
  { name: 's3fs', file: 'data_clients.py', only: 's3fs: ', runs: 'npm run test:nightly' },
  { name: 'pandas', file: 'data_clients.py', only: 'pandas: ', runs: 'npm run test:nightly' },
  { name: 'pyarrow', file: 'data_clients.py', only: 'pyarrow: ', runs: 'npm run test:nightly' },
  {
    name: 'DuckDB',
    file: 'data_clients.py',
    only: 'DuckDB: ',
    runs: 'npm run test:nightly',
    note: 'With `INSTALL httpfs; LOAD httpfs;` before it. Over TLS leave `USE_SSL` out.',
  },
];

/** The lines of the generated part. `shellClients` as in shell-clients.ts. */
export function clientDocs(shellClients, steps) {
  return [
    `| client | ${steps.join(' | ')} | over TLS | tested by |`,
    `| --- | ${steps.map(() => '---').join(' | ')} | --- | --- |`,
    ...shellClients.map(
      ({ name, nightly, trusts, steps: lines }) =>
        `| ${name} | ${steps.map((step) => (lines[step] === undefined ? '' : 'yes')).join(' | ')} | ${trusts === undefined ? '' : 'nightly'} | \`${nightly ? 'npm run test:nightly' : 'npm test'}\` |`,
    ),
    '',
    ...shellClients.flatMap((client) => programDocs(client, steps)),
    ...LIBRARIES.flatMap(libraryDocs),
  ];
}

function programDocs({ name, setUp, steps: lines, note, source }, steps) {
  if (source !== undefined) {
    const text = readFileSync(join(ROOT, FOLDER, 'clients', source), 'utf8');
    return [`### ${name}`, '', '```go', ...setUpOf(text, name), '```', ''];
  }
  const shown = ['```', setUp, '', ...steps.flatMap((step) => lines[step] ?? []), '```'];
  return [`### ${name}`, '', ...shown, ...(note === '' ? [] : ['', note]), ''];
}

function libraryDocs({ name, file, only = '', runs, note }) {
  const source = readFileSync(join(ROOT, FOLDER, file), 'utf8');
  const isPython = file.endsWith('.py');
  const named = isPython ? /^ *@behaviour\("(.*)"\)$/gm : /^ +it(?:\.each\([\s\S]*?\))?\(\s*'((?:[^'\\]|\\.)*)'/gm;
  const tests = [...source.matchAll(named)].map(([, title]) => title).filter((title) => title.startsWith(only));
  const shown = ['```' + (isPython ? 'python' : 'ts'), ...setUpOf(source, name), '```'];
  const listed = tests.map((title) => `- ${title.slice(only.length)}`);
  return [
    `### ${name}`,
    '',
    ...shown,
    '',
    ...(note === undefined ? [] : [note, '']),
    `Tested (\`${runs}\`):`,
    '',
    ...listed,
    '',
  ];
}

/** What stands between the mark of a set-up and the next one, with as little in front of each line as can be. */
function setUpOf(source, name) {
  const lines = source.split('\n');
  const isMark = (line) => /^\s*(?:#|\/\/) (?:set-up of |end of the set-up)/.test(line);
  const from = lines.findIndex((line) => isMark(line) && line.trimEnd().endsWith(`set-up of ${name}`));
  if (from < 0) throw new Error(`no set-up of ${name} is marked in the tests`);
  const rest = lines.slice(from + 1);
  const own = rest.slice(0, rest.findIndex(isMark));
  const indent = Math.min(...own.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  return own.map((line) => line.slice(indent));
}
