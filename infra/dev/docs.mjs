// Keeps the tables in the documents that are made from the sources. `--check` says which are out of date and changes nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientDocs } from './client-docs.mjs';
import { ensureBuilt, fail, ROOT } from './ensure.mjs';

await ensureBuilt();
const { SETTINGS_TABLE } = await import('../../dist/services/gateway/src/config.js');
const { FAMILIES } = await import('../../dist/services/gateway/src/telemetry/metrics.js');
const { SHELL_CLIENTS, STEPS } = await import('../../dist/services/gateway/test/conformance/clients/shell-clients.js');
const { ROUTES } = await import('../../dist/services/gateway/src/s3/routes.js');

const TABLES = [
  { file: 'README.md', name: 'settings', lines: settings() },
  { file: 'docs/observability.md', name: 'metrics', lines: metrics() },
  { file: 'docs/compatibility.md', name: 'operations', lines: operations() },
  { file: 'docs/compatibility.md', name: 'not implemented', lines: notImplemented() },
  { file: 'docs/clients.md', name: 'clients', lines: clientDocs(SHELL_CLIENTS, STEPS) },
];
const check = process.argv.includes('--check');
const outdated = TABLES.filter(({ file, name, lines }) => !upToDate(file, name, lines));
if (check && outdated.length > 0) {
  fail(
    `${outdated.map(({ file, name }) => `${file}: the table "${name}"`).join(', ')} is out of date. Run: npm run docs`,
  );
}

function settings() {
  return [
    '| setting | default | meaning |',
    '| --- | --- | --- |',
    ...SETTINGS_TABLE.map(({ name, fallback, about }) => {
      const shown = fallback === '' ? '' : `\`${fallback}\``;
      return `| \`${name}\` | ${shown} | ${about.replaceAll('|', '\\|')} |`;
    }),
  ];
}

function metrics() {
  return [
    '| metric | kind | labels | what |',
    '| --- | --- | --- | --- |',
    ...FAMILIES.map(({ name, kind, labels, help }) => {
      const named = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${kind} | ${named} | ${help} |`;
    }),
  ];
}

function operations() {
  const routes = ROUTES.filter(({ operation }) => typeof operation !== 'string');
  return [
    '| operation | request | where it differs from S3 |',
    '| --- | --- | --- |',
    ...routes.map((route) => `| ${route.operation.name} | ${requestOf(route)} | ${route.operation.differs} |`),
  ];
}

function notImplemented() {
  const routes = ROUTES.filter(({ operation }) => typeof operation === 'string');
  return [
    '| operation | request |',
    '| --- | --- |',
    ...routes.map((route) => `| ${route.operation} | ${requestOf(route)} |`),
  ];
}

function requestOf({ method, scope, query = [], header }) {
  const path = { service: '/', bucket: '/BUCKET', object: '/BUCKET/KEY' }[scope];
  const target = query.length === 0 ? path : `${path}?${query.join('&')}`;
  return `\`${method} ${target}\`${header === undefined ? '' : ` with \`${header}\``}`;
}

/** Whether the table between its two marks is as it must be; without --check it is afterwards. */
function upToDate(file, name, lines) {
  const path = join(ROOT, file);
  const text = readFileSync(path, 'utf8');
  const [begin, end] = [`<!-- ${name}: made by npm run docs -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) fail(`${file}: the marks ${begin} and ${end} are missing`);
  const wanted = `${text.slice(0, from + begin.length)}\n${lines.join('\n')}\n${text.slice(to)}`;
  if (wanted === text) return true;
  if (!check) writeFileSync(path, wanted);
  return false;
}
