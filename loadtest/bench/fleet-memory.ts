// What a worker's memory grows to when it keeps all that it may.
import type { Cluster } from '../../infra/cluster/cluster.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { BUCKET } from './fleet-cluster.ts';
import { newAgent, put } from './writes-gateways.ts';

const CLIENTS = 256;
/** With keys so long, 60,000 objects fill all of it: contents (64 MiB), names (32 MiB) and deltas (64 MiB as text). */
const OBJECTS = 60_000;
const KEY_BYTES = 1000;
const OBJECT_BYTES = 1024;

export interface Memory {
  readonly objects: number;
  readonly seconds: number;
  readonly emptyBytes: number;
  readonly fullBytes: number;
}

/** @param cluster of one worker, with auth off */
export async function measureMemory({ gateways: [gateway] }: Cluster): Promise<Memory> {
  if (gateway === undefined) throw new Error('no gateway');
  const emptyBytes = await residentBytes(gateway);
  const agent = newAgent(CLIENTS);
  const body = sampleBytes(OBJECT_BYTES);
  const begunMs = performance.now();
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < OBJECTS) {
      const number = next++;
      const key = `${String(number).padStart(8, '0')}${'k'.repeat(KEY_BYTES - 8)}`;
      const status = await put(agent, gateway.url, `/${BUCKET}/${key}`, body);
      if (status !== 200) throw new Error(`PUT answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  const seconds = (performance.now() - begunMs) / 1000;
  return { objects: OBJECTS, seconds, emptyBytes, fullBytes: await residentBytes(gateway) };
}

async function residentBytes({ adminUrl }: { readonly adminUrl: string }): Promise<number> {
  const { workers } = (await (await fetch(`${adminUrl}/status.json`)).json()) as {
    workers: readonly { readonly residentBytes: number }[];
  };
  return workers[0]?.residentBytes ?? Number.NaN;
}
