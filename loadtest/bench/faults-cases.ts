import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../infra/cluster/cluster.ts';
import type { Member } from '../../infra/cluster/member.ts';
import { connectDebug } from '../../services/gateway/test/integration/devpachd-debug.ts';
import { runCommand } from '../../services/gateway/test/support/clients.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';

/** What goes wrong in a fleet, and is over when it resolves. */
export interface FaultCase {
  readonly name: string;
  happen(cluster: Cluster): Promise<void>;
}

const FAULT_MS = 5_000;
const EACH_MS = 4_000;
const SLOW_BY_MS = 2_000;

/** One after the other, since what is under way differs. */
async function eachPachd({ pachds }: Cluster, happen: (pachd: Member) => Promise<void>): Promise<void> {
  for (const pachd of pachds) {
    await happen(pachd);
    await sleep(EACH_MS);
  }
}

export const CASES: readonly FaultCase[] = [
  { name: 'nothing', happen: () => sleep(FAULT_MS) },
  {
    name: 'Redis killed, back after 5 s with nothing in it',
    async happen({ redis }) {
      await redis.kill();
      await sleep(FAULT_MS);
      await redis.restart();
    },
  },
  {
    name: 'Redis paused for 5 s',
    async happen({ redis }) {
      redis.pause();
      await sleep(FAULT_MS);
      redis.resume();
    },
  },
  {
    name: 'Redis flushed',
    async happen({ redis }) {
      const port = redis.address.split(':')[1] ?? '';
      const { code, stderr } = await runCommand('redis-cli', ['-p', port, 'flushall']);
      if (code !== 0) throw new Error(`redis-cli: ${stderr}`);
    },
  },
  {
    name: 'one pachd killed, back after 4 s; then the other',
    happen: (cluster) =>
      eachPachd(cluster, async (pachd) => {
        await pachd.kill();
        await sleep(EACH_MS);
        await pachd.restart();
      }),
  },
  {
    name: 'one pachd paused for 4 s; then the other',
    happen: (cluster) =>
      eachPachd(cluster, async (pachd) => {
        pachd.pause();
        await sleep(EACH_MS);
        pachd.resume();
      }),
  },
  {
    name: 'one pachd slow by 2 s, for 4 s; then the other',
    happen: (cluster) =>
      eachPachd(cluster, async ({ address }) => {
        const debug = connectDebug(address);
        await debug.setFaults([`* delay ${SLOW_BY_MS}`]);
        await sleep(EACH_MS);
        await debug.setFaults([]);
        debug.close();
      }),
  },
  {
    name: 'all pachd killed, back after 5 s',
    async happen({ pachds }) {
      await Promise.all(pachds.map((pachd) => pachd.kill()));
      await sleep(FAULT_MS);
      await Promise.all(pachds.map((pachd) => pachd.restart()));
    },
  },
  {
    name: 'one gateway of two killed, back after 5 s',
    async happen({ gateways }) {
      await gateways[0]?.kill();
      await sleep(FAULT_MS);
      await gateways[0]?.restart();
    },
  },
  {
    name: 'all gateways replaced, one after the other',
    async happen({ gateways, adminUrl }) {
      for (const gateway of gateways) {
        await gateway.restart();
        await eventually(
          `the load balancer has ${gateway.name} again`,
          async () => (await fetch(`${adminUrl}/stats;csv`)).text(),
          (csv) => new RegExp(`^reads,${gateway.name}-.*,UP,`, 'm').test(csv),
        );
      }
    },
  },
];
