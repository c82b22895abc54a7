import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cluster, ROOT_TOKEN, startCluster } from './cluster.ts';
import { killAll, type Member } from './member.ts';

/** `npm run cluster`: the fleet of docker-compose.yml on this machine, until Ctrl-C. */

const USAGE = 'usage: npm run cluster -- [--auth] [--port PORT] [--data DIR] [--gateways N] [--workers N] [--pachds N]';

let cluster: Cluster | undefined;
let ending = false;

process.on('SIGINT', () => void end(0));
process.on('SIGTERM', () => void end(0));
// A parent that has died can stop nobody.
process.on('disconnect', () => void end(0));

try {
  const options = readOptions();
  say('Starting the fleet ...');
  const started = await startCluster({ ...options, onProgress: say, onDeath });
  cluster = started;
  sayReady(started, options.auth);
} catch (error) {
  if (!ending) say(`cluster: ${error instanceof Error ? error.message : String(error)}`);
  killAll();
  process.exit(1);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      auth: { type: 'boolean', default: false },
      port: { type: 'string', default: '30600' },
      data: { type: 'string' },
      gateways: { type: 'string', default: '2' },
      workers: { type: 'string', default: '2' },
      pachds: { type: 'string', default: '2' },
    },
  });
  const { auth, data = join('.tusk', auth ? 'cluster-auth' : 'cluster') } = values;
  const port = integer('port', values.port, 0, 65_535);
  return {
    auth,
    dataDir: data,
    ...(port === 0 ? {} : { port }),
    gateways: integer('gateways', values.gateways, 1, 8),
    workers: integer('workers', values.workers, 1, 16),
    pachds: integer('pachds', values.pachds, 1, 8),
  };
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new Error(`--${name} must be from ${min} to ${max} (${USAGE})`);
  return value;
}

function sayReady({ url, adminUrl, logDir, gateways }: Cluster, auth: boolean): void {
  const aws = auth
    ? `AWS_ACCESS_KEY_ID=${ROOT_TOKEN} AWS_SECRET_ACCESS_KEY=${ROOT_TOKEN} aws`
    : 'aws --no-sign-request';
  say(`tusk serves S3 on ${url}`);
  say(`keys:   ${auth ? `access key ${ROOT_TOKEN}, secret key ${ROOT_TOKEN}` : 'none are needed'}`);
  say(`try:    ${aws} --endpoint-url ${url} s3 ls s3://master.foo.bar`);
  say(`status: ${adminUrl}/stats, ${gateways.map((gateway) => `${gateway.adminUrl}/`).join(', ')}`);
  say(`logs:   ${logDir}; Ctrl-C ends it all`);
  process.send?.({ kind: 'ready', url, adminUrl });
}

function onDeath(member: Member, how: string): void {
  if (ending) return;
  say(`cluster: ${member.name} ended (${how}), so the others are ended too; its log: ${member.logFile}`);
  void end(1);
}

/** Ends the fleet in good order; asked a second time, or before all of it runs, at once. */
async function end(code: number): Promise<void> {
  if (ending || cluster === undefined) {
    killAll();
    process.exit(1);
  }
  ending = true;
  say('Ending the fleet ...');
  await cluster.stop();
  process.exit(code);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
