// Programs that are built from Go modules, into .cache/bin.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fail, ROOT, run, say } from './ensure.mjs';

const BIN = join(ROOT, '.cache', 'bin');

/** What checks the chart, and what reads a compose file as `docker compose` does. Tests find them by these names. */
export const HELM = ['helm', 'helm.sh/helm/v3/cmd/helm@v3.22.0'];
export const COMPOSE = ['compose-spec', 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2'];
/** MinIO's client. */
export const MC = ['mc', 'github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9'];
/** Other S3 servers, to measure beside tusk. */
export const S3_SERVERS = [
  ['versitygw', 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'],
  ['minio', 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c'],
];
const K6 = ['k6', 'go.k6.io/k6@v1.8.1'];
/** Since when k6, of version 1, has every option that loadtest/run gives it. */
const K6_MINOR_MIN = 3;

/** Builds a program unless it is there. Ends the process when it cannot be had. @returns its path */
export async function ensureGo([name, module]) {
  const built = join(BIN, name);
  const stamp = join(BIN, `.${name}-${module.slice(module.indexOf('@') + 1)}`);
  if (existsSync(built) && existsSync(stamp)) return built;
  say(`Building ${module} with Go into .cache/bin (once) ...`);
  mkdirSync(BIN, { recursive: true });
  const folder = mkdtempSync(join(BIN, '.building-'));
  const result = await run('go', ['install', '-ldflags=-s -w', module], { env: { ...process.env, GOBIN: folder } });
  // Go names a program after its module's last folder, which may be any word.
  const [program] = readdirSync(folder);
  if (result.code === 0 && program !== undefined) renameSync(join(folder, program), built);
  rmSync(folder, { recursive: true });
  if (result.code !== 0) fail(`Go is needed, to build ${name} with.\n${result.output}`);
  writeFileSync(stamp, '');
  return built;
}

/** Makes `k6` run by its name: the one that is installed if it fits, else one that is built. */
export async function ensureK6() {
  const { output } = await run('k6', ['version']);
  if (Number(/^k6 v1\.(\d+)/m.exec(output)?.[1]) >= K6_MINOR_MIN) return;
  await ensureGo(K6);
  process.env.PATH = `${BIN}${delimiter}${process.env.PATH}`;
}

const CLIENTS = join(ROOT, 'services', 'gateway', 'test', 'conformance', 'clients', 'go');

/** Builds the programs that clients' libraries for Go are tested with. Go knows itself what has to be built anew. */
export async function ensureGoClients() {
  say('Building the programs of the Go clients into .cache/bin ...');
  mkdirSync(BIN, { recursive: true });
  const result = await run('go', ['build', '-ldflags=-s -w', '-o', `${BIN}/`, './...'], { cwd: CLIENTS });
  if (result.code !== 0) fail(`Go could not build its clients:\n${result.output}`);
}
