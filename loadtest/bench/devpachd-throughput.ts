// `npm run bench -- devpachd 0`: calls a second of devpachd as fast as it can be, by one client and by several.
import { branch, type Client, connect, head, spawnDevpachd, tempFolder } from '../../services/devpachd/test/harness.ts';
import { callsOf, fileName, someFiles, time } from './devpachd-calls.ts';

const CLIENTS = [1, 16];
const FILES = 1000;
const PAGE_FILES = 100;
const RUN_MS = 4000;
const AT = head('throughput');

type Work = (client: Client, clientIndex: number, turn: number) => Promise<unknown>;

const WORK: Readonly<Record<string, Work>> = {
  'GetFile of 1 KB': (client, index, turn) => callsOf(client).get(AT, fileName((index * 37 + turn) % FILES)),
  InspectFile: (client, index, turn) => client.inspectFile(AT, fileName((index * 37 + turn) % FILES)),
  [`GlobFile, a page of ${PAGE_FILES}`]: (client) =>
    callsOf(client).glob(AT, '/d/*', { lower: fileName(0), upper: fileName(PAGE_FILES) }),
  'CreateFileSet of one file': (client, index, turn) => client.createFileSet([...someFiles([`/s${index}-${turn}`])]),
  'ModifyFile of one file, one branch': (client, index, turn) =>
    client.modify({ ...AT, branch: branch('throughput', 'one') }, someFiles([`/m${index}-${turn}`])),
  'ModifyFile of one file, a branch each': (client, index, turn) =>
    client.modify({ ...AT, branch: branch('throughput', `b${index}`) }, someFiles([`/m${turn}`])),
};

/** Prints a table. Each client has a connection, and one call at a time. */
export async function reportThroughput(): Promise<void> {
  const folder = tempFolder();
  const server = await spawnDevpachd(folder.path);
  const clients = Array.from({ length: Math.max(...CLIENTS) }, () => connect(server.address));
  try {
    const [first] = clients;
    await first?.createRepo('throughput');
    await first?.modify(AT, someFiles(Array.from({ length: FILES }, (_, i) => fileName(i))));
    await first?.finished(AT);
    console.log(
      `\n${'calls a second, clients:'.padEnd(40)}${CLIENTS.map((count) => `${count}`.padStart(10)).join('')}`,
    );
    for (const [name, work] of Object.entries(WORK)) {
      const rates: number[] = [];
      for (const count of CLIENTS) rates.push(await rateOf(clients.slice(0, count), work));
      console.log(`${name.padEnd(40)}${rates.map((rate) => rate.toFixed(0).padStart(10)).join('')}`);
    }
  } finally {
    for (const client of clients) client.close();
    await server.end();
    folder.remove();
  }
}

let turns = 0;

async function rateOf(clients: readonly Client[], work: Work): Promise<number> {
  let calls = 0;
  const run = async (client: Client, index: number, untilMs: number) => {
    while (performance.now() < untilMs) {
      await work(client, index, turns++);
      calls++;
    }
  };
  await Promise.all(clients.map((client, index) => run(client, index, performance.now() + RUN_MS / 4)));
  calls = 0;
  const until = performance.now() + RUN_MS;
  const tookMs = await time(() => Promise.all(clients.map((client, index) => run(client, index, until))));
  return (calls / tookMs) * 1000;
}
