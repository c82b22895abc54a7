// From a fresh clone to a running program: `npm start`, `npm run cluster`, `npm run devpachd`, `npm run bench`, `npm run loadtest`. The program runs in this very
// process, so that signals reach it at once, and sees the arguments as if it had been started itself.
import { ensureClients, ensureDataClients } from './clients.mjs';
import { ensureProgram } from './debian.mjs';
import { ensureBuilt, ensureInstalled, fail, requireNode } from './ensure.mjs';
import { ensureGo, ensureK6, S3_SERVERS } from './go.mjs';

const PROGRAMS = {
  gateway: '../../dist/services/gateway/src/main.js',
  cluster: '../../dist/infra/cluster/main.js',
  devpachd: '../../dist/services/devpachd/src/main.js',
  bench: '../../dist/loadtest/bench/run.js',
  loadtest: '../../dist/loadtest/run/main.js',
  history: '../../dist/services/gateway/test/integration/fleet/check.js',
};

const [name] = process.argv.splice(2, 1);
const program = PROGRAMS[name];
if (program === undefined) fail(`usage: start.mjs ${Object.keys(PROGRAMS).join('|')} [argument ...]`);
requireNode();
await ensureInstalled();
await ensureBuilt();
if (name === 'bench') {
  await ensureProgram('wrk', ['wrk']);
  const [bench, ...parts] = process.argv.slice(2);
  if (bench === 'writes' || bench === 'reads') await ensureClients();
  if (bench === 'reads' && (parts.includes('parquet') || parts.every((part) => part.includes(':'))))
    await ensureDataClients();
  if (process.argv.includes('beside')) for (const server of S3_SERVERS) await ensureGo(server);
}
if (name === 'history') await ensureProgram('redis-server', ['redis-server']);
if (name === 'loadtest' || (name === 'bench' && process.argv.includes('k6'))) await ensureK6();
if (name === 'cluster' || name === 'bench' || name === 'loadtest') {
  await ensureProgram('haproxy', ['haproxy']);
  await ensureProgram('redis-server', ['redis-server']);
}
await import(program);
