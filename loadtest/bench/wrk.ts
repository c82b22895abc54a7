import { runCommand } from '../../services/gateway/test/support/clients.ts';
import { type Key, sha256Hex, sign } from '../../services/gateway/test/support/signature.ts';
import { median } from './figures.ts';
import { processorMs } from './fleet-cpu.ts';

export interface Throughput {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface WrkLoad {
  readonly connections: number;
  readonly seconds: number;
  /** What else is on wrk's command line. */
  readonly args: readonly string[];
}

/** Runs wrk with one thread against a URL. @throws when any answer is an error: a fast error is no throughput */
export async function runWrk(url: string, { connections, seconds, args }: WrkLoad): Promise<Throughput> {
  const load = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency'];
  const { code, stdout, stderr } = await runCommand('wrk', [...load, ...args, url]);
  if (code !== 0 || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk: ${stdout}${stderr}`);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: quantile(stdout, 50),
    p99Ms: quantile(stdout, 99),
  };
}

export interface Served extends Throughput {
  /** Processor time of the server and all whom it has started, in microseconds: what else runs matters less to it. */
  readonly usPerRequest: number;
}

/** Sends one signed GET again and again. @param server its URL, and its process */
export async function loadSigned(
  server: { readonly url: string; readonly pid: number },
  path: string,
  key: Key,
  { connections, seconds }: Pick<WrkLoad, 'connections' | 'seconds'>,
): Promise<Served> {
  const args = fieldsOf(await signedGet(server.url, path, key));
  const beforeMs = processorMs(server.pid);
  const throughput = await runWrk(server.url + path, { connections, seconds, args });
  const usedMs = processorMs(server.pid) - beforeMs;
  return { ...throughput, usPerRequest: (1_000 * usedMs) / (throughput.requestsPerSecond * seconds) };
}

/** The header fields, all but Host, of a GET that is signed now and sent again and again. */
export async function signedGet(url: string, path: string, key: Key): Promise<readonly (readonly [string, string])[]> {
  const draft = { method: 'GET', path, query: [], headers: { host: new URL(url).host }, body: Buffer.alloc(0) };
  const { headers } = await sign(draft, 'v4', { key, at: new Date(), payloadHash: sha256Hex(draft.body) });
  return Object.entries(headers).filter(([name]) => name !== 'host');
}

/** wrk's arguments for one request. */
export function fieldsOf(headers: readonly (readonly [string, string])[]): readonly string[] {
  return headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
}

/** The medians of rounds. */
export function summarise(rounds: readonly Throughput[]): Throughput {
  return {
    requestsPerSecond: median(rounds.map((round) => round.requestsPerSecond)),
    p50Ms: median(rounds.map((round) => round.p50Ms)),
    p99Ms: median(rounds.map((round) => round.p99Ms)),
  };
}

function quantile(report: string, percent: number): number {
  const [, number, unit] = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s)`, 'm').exec(report) ?? [];
  return Number(number) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1);
}
