// What requests take of all programs of a fleet while they are counted.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../infra/cluster/cluster.ts';
import { connectDebug } from '../../services/gateway/test/integration/devpachd-debug.ts';
import { runCommand } from '../../services/gateway/test/support/clients.ts';
import { processorMs } from '../bench/fleet-cpu.ts';
import { type Taken, WHO, type Who } from './figures.ts';

/** Of Linux: USER_HZ is 100. */
const TICK_MS = 10;

/** What programs work though nobody asks them anything: health checks, timers. In cores. */
export type Idle = Readonly<Record<Who, number>>;

const IDLE_MS = 3_000;
/** What the kernel's clock can tell, spread over the requests of a round. */
const COST_MIN_US = 1;

/** Looks at a fleet that nobody asks anything. */
export async function idleOf(cluster: Cluster): Promise<Idle> {
  const before = await count(cluster);
  await sleep(IDLE_MS);
  const after = await count(cluster);
  return byWho((who) => (after.cpuMs[who] - before.cpuMs[who]) / (after.atMs - before.atMs));
}

/**
 * Counts while `work` runs, without what the programs would have worked anyway.
 * @param work gives how many requests were answered meanwhile
 */
export async function taken(
  cluster: Cluster,
  idle: Idle,
  work: () => Promise<number>,
): Promise<Taken & { readonly commits: number }> {
  const before = await count(cluster);
  const requests = await work();
  const after = await count(cluster);
  const ms = after.atMs - before.atMs;
  const workedMs = byWho((who) => after.cpuMs[who] - before.cpuMs[who] - idle[who] * ms);
  const ownMs = WHO.reduce((sum, who) => sum + workedMs[who], 0);
  return {
    perSecond: requests / (ms / 1_000),
    costUs: byWho((who) => Math.max(COST_MIN_US, (workedMs[who] * 1_000) / requests)),
    scripts: (after.scripts - before.scripts) / requests,
    pachdPer1000: ((after.calls - before.calls) / requests) * 1_000,
    coresOfOthers: Math.max(0, after.busyMs - before.busyMs - ownMs) / ms,
    commits: after.commits - before.commits,
  };
}

function byWho(value: (who: Who) => number): Readonly<Record<Who, number>> {
  return {
    clients: value('clients'),
    balancer: value('balancer'),
    gateways: value('gateways'),
    redis: value('redis'),
    pachd: value('pachd'),
  };
}

async function count({ haproxy, redis, gateways, pachds }: Cluster) {
  const port = redis.address.split(':')[1] ?? '';
  const { code, stdout, stderr } = await runCommand('redis-cli', ['-p', port, 'info', 'commandstats']);
  if (code !== 0) throw new Error(`redis-cli: ${stderr}`);
  let [calls, commits] = [0, 0];
  for (const { address } of pachds) {
    const debug = connectDebug(address);
    const counters = await debug.counters();
    debug.close();
    commits += counters.calls['pfs_v2.API/ModifyFile'] ?? 0;
    for (const [method, counted] of Object.entries(counters.calls)) if (!/Health|Debug/.test(method)) calls += counted;
  }
  const sumOf = (members: readonly { pid(): number }[]) =>
    members.reduce((sum, each) => sum + processorMs(each.pid()), 0);
  return {
    atMs: performance.now(),
    scripts: Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stdout)?.[1] ?? 0),
    calls,
    commits,
    busyMs: busyMs(),
    cpuMs: {
      clients: ownMs(),
      balancer: sumOf([haproxy]),
      gateways: sumOf(gateways),
      redis: sumOf([redis]),
      pachd: sumOf(pachds),
    },
  };
}

/** This process, and those that it has run and that have ended: the clients. Source: proc(5), /proc/PID/stat */
function ownMs(): number {
  const text = readFileSync('/proc/self/stat', 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

/** What all cores have worked so far. Source: proc(5), /proc/stat */
function busyMs(): number {
  const [, ...ticks] = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks.map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_MS;
}
